// SPDX-License-Identifier: MIT
// Many records at once: batches, reading many, ranges, bulk loads: batch_operations DIRECTORY

string text (Bytes? bytes) {
	if (bytes == null)
		return "(none)";
	var builder = new StringBuilder ();
	builder.append_len ((string) bytes.get_data (), (ssize_t) bytes.get_size ());
	return builder.str;
}

uint count (Ldb.Database db, string prefix) throws Error {
	uint found = 0;
	var cursor = db.scan_prefix (prefix.data, Ldb.ScanFlags.KEYS_ONLY);
	while (cursor.next ())
		found++;
	return found;
}

void use (string path) throws Error {
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);
	var before = db.get_sequence ();
	var batch = new Ldb.Batch ();
	for (var number = 0; number < 1000; number++)
		batch.put_string (null, "item:%04d".printf (number), number.to_string ());
	db.write_batch (batch, Ldb.SyncMode.DEFAULT);
	print ("%u records in %u commit\n", count (db, "item:"), (uint) (db.get_sequence () - before));

	Bytes[] keys = { new Bytes ("item:0000".data), new Bytes ("item:0500".data), new Bytes ("item:none".data) };
	var values = db.get_many (keys);
	print ("%s %s %s\n", text (values[0]), text (values[1]), text (values[2]));

	db.delete_range ("item:0500".data, "item:1000".data);
	print ("%u left\n", count (db, "item:"));

	// Records in any order, which appear all at once; faster than writing when there are very many.
	var loader = db.create_loader ();
	for (var number = 9999; number >= 0; number--)
		loader.put (null, "loaded:%05d".printf (number).data, "x".data);
	loader.commit ();
	print ("%u loaded\n", count (db, "loaded:"));
	db.close ();
}

int main (string[] args) {
	try {
		use (Path.build_filename (args[1], "batch.db"));
		return 0;
	} catch (Error error) {
		printerr ("%s\n", error.message);
		return 1;
	}
}
