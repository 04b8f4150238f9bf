// SPDX-License-Identifier: MIT
// How fast each kind of work is, in this language on this machine: final_benchmark DIRECTORY
//
// What was done goes to the standard output, how fast it was to the standard error.

const int RECORDS = 10000;
const int RECORDS_A_BATCH = 100;
const int STEP = 7919; // a prime: by steps of it each record is met once, out of order

delegate string Work () throws Error;

void measure (string name, int count, Work work) throws Error {
	var begin = get_monotonic_time ();
	print ("%s\n", work ());
	var seconds = (get_monotonic_time () - begin) / 1e6;
	printerr ("%-8s %10.0f a second\n", name, count / seconds);
}

string key (string prefix, int number) {
	return "%s:%05d".printf (prefix, number);
}

void use (string path) throws Error {
	var value = string.nfill (100, 'v');
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);

	measure ("put", RECORDS, () => {
		for (var number = 0; number < RECORDS; number++)
			db.put_string (key ("single", number), value);
		return "%d put one by one".printf (RECORDS);
	});

	measure ("batch", RECORDS, () => {
		var batch = new Ldb.Batch ();
		for (var number = 0; number < RECORDS; number++) {
			batch.put_string (null, key ("batch", number), value);
			if ((number + 1) % RECORDS_A_BATCH == 0) {
				db.write_batch (batch, Ldb.SyncMode.DEFAULT);
				batch.clear ();
			}
		}
		return "%d put in batches of %d".printf (RECORDS, RECORDS_A_BATCH);
	});

	measure ("get", RECORDS, () => {
		var found = 0;
		for (var number = 0; number < RECORDS; number++) {
			if (db.get_string (key ("single", number * STEP % RECORDS)) == value)
				found++;
		}
		return "%d got, out of order".printf (found);
	});

	measure ("scan", 2 * RECORDS, () => {
		var found = 0;
		var expected = new Bytes (value.data);
		var cursor = db.scan (null, null, Ldb.ScanFlags.NONE);
		while (cursor.next ()) {
			if (cursor.get_value ().compare (expected) == 0)
				found++;
		}
		return "%d scanned".printf (found);
	});

	measure ("delete", RECORDS, () => {
		for (var number = 0; number < RECORDS; number++)
			db.delete_string (key ("single", number));
		return "%d deleted one by one".printf (RECORDS);
	});

	db.close ();
}

int main (string[] args) {
	try {
		use (Path.build_filename (args[1], "benchmark.db"));
		return 0;
	} catch (Error error) {
		printerr ("%s\n", error.message);
		return 1;
	}
}
