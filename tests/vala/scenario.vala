// SPDX-License-Identifier: MIT
// The story of tests/lib/test-api-scenario.c, told in Vala.

string text (Bytes? value) {
	if (value == null)
		return "(none)";
	var builder = new StringBuilder ();
	builder.append_len ((string) value.get_data (), (ssize_t) value.get_size ());
	return builder.str;
}

string keys_of (Ldb.Cursor cursor) throws Error {
	var keys = new StringBuilder ();
	while (cursor.next ())
		keys.append (text (cursor.get_key ())).append_c (' ');
	return keys.str;
}

void put_fruit (Ldb.Database db) throws Error {
	var batch = new Ldb.Batch ();
	foreach (unowned string name in new string[] { "apple", "banana", "cherry", "date", "elder" })
		batch.put_string (null, name, name);
	assert (batch.get_count () == 5);
	db.write_batch (batch, Ldb.SyncMode.DEFAULT);
	assert (batch.get_sequence () == db.get_sequence ());
}

void outcome (Ldb.Database db) throws Error {
	assert (keys_of (db.scan (null, null, Ldb.ScanFlags.NONE)) == "apple elder fig ");
	assert (db.get_string ("apple") == "green");
	assert (db.open_store ("people", Ldb.OpenFlags.NONE).get_string ("bob") == "Paris");
}

void transactions (Ldb.Database db) throws Error {
	var one = db.begin (Ldb.TransactionFlags.NONE);
	var two = db.begin (Ldb.TransactionFlags.NONE);
	one.put_string (null, "apple", "green");
	two.put_string (null, "apple", "red");
	one.commit (Ldb.SyncMode.DEFAULT);
	var conflicted = false;
	try {
		two.commit (Ldb.SyncMode.DEFAULT);
	} catch (Ldb.Error.CONFLICT error) {
		conflicted = "apple" in error.message;
	}
	assert (conflicted);

	var calls = 0;
	db.run_transaction (Ldb.TransactionFlags.NONE, (transaction) => {
		var value = transaction.get_string (null, "counter") ?? "0";
		if (++calls < 3)
			db.put_string ("counter", "10");
		return transaction.put_string (null, "counter", (int.parse (value) + 1).to_string ());
	});
	assert (calls == 3);
	assert (db.get_string ("counter") == "11");
	db.delete_string ("counter");

	var transaction = db.begin (Ldb.TransactionFlags.NONE);
	transaction.put_string (null, "fig", "1");
	var savepoint = transaction.savepoint ();
	transaction.delete_range (null, "a".data, "d".data);
	assert (keys_of (transaction.scan (null, null, null, Ldb.ScanFlags.NONE)) == "date elder fig ");
	transaction.rollback_to (savepoint);
	transaction.commit (Ldb.SyncMode.FULL);
}

void synchronous (string directory) throws Error {
	var path = Path.build_filename (directory, "sync");
	var db = Ldb.Database.create (path, null);
	db.put ("k".data, "v".data);
	assert (text (db.get ("k".data)) == "v");
	assert (db.get ("absent".data) == null);
	db.delete ("k".data);
	assert (!db.contains ("k".data));
	db.put_variant ("n".data, new Variant.int32 (7));
	assert (db.get_variant ("n".data, VariantType.INT32).get_int32 () == 7);
	db.delete_string ("n");

	put_fruit (db);
	Bytes[] keys = { new Bytes ("cherry".data), new Bytes ("nothing".data) };
	var values = db.get_many (keys);
	assert (text (values[0]) == "cherry" && values[1] == null);
	var cursor = db.scan (null, null, Ldb.ScanFlags.NONE);
	assert (keys_of (cursor) == "apple banana cherry date elder ");
	assert (cursor.previous ());
	assert (text (cursor.get_value ()) == "elder");
	assert (keys_of (db.scan ("b".data, "date".data, Ldb.ScanFlags.REVERSE)) == "cherry banana ");
	var records = db.scan_prefix ("ba".data, Ldb.ScanFlags.NONE).read (9);
	assert (records.length == 1 && text (records[0].get_value ()) == "banana");

	transactions (db);
	var snapshot = db.create_snapshot ();
	db.put_string ("fig", "2");
	assert (snapshot.get_string (null, "fig") == "1");
	snapshot.close ();
	var people = db.open_store ("people", Ldb.OpenFlags.CREATE);
	people.put_string ("bob", "Paris");
	assert (db.list_stores ().length == 2);
	db.delete_range ("b".data, "e".data);
	outcome (db);

	var backup = Path.build_filename (directory, "backup");
	var restored = Path.build_filename (directory, "restored");
	var result = db.backup (backup, Ldb.BackupFlags.VERIFY, (done, total, step) => {});
	assert (result.sequence == db.get_sequence ());
	assert (db.check (Ldb.CheckFlags.DEEP, null).fault_count == 0);
	Ldb.Database.restore (backup, restored, null);
	outcome (Ldb.Database.open (restored, Ldb.OpenFlags.NONE, null));
	db.close ();
	var closed = false;
	try {
		db.get ("apple".data);
	} catch (Ldb.Error.CLOSED error) {
		closed = true;
	}
	assert (closed);
	var again = Ldb.Database.open (path, Ldb.OpenFlags.NONE, null);
	outcome (again);
	again.close ();
}

async void asynchronous (string directory) throws Error {
	var path = Path.build_filename (directory, "async");
	var db = yield Ldb.Database.open_async (path, Ldb.OpenFlags.CREATE, null, null);
	yield db.put_async ("k".data, "v".data, null);
	assert (text (yield db.get_async ("k".data, null)) == "v");
	assert ((yield db.get_async ("absent".data, null)) == null);
	put_fruit (db);
	var cursor = db.scan_prefix (null, Ldb.ScanFlags.NONE);
	assert (yield cursor.next_async (null));
	var records = yield cursor.read_async (2, null);
	assert (records.length == 2 && text (records[1].get_key ()) == "cherry");
	var transaction = db.begin (Ldb.TransactionFlags.NONE);
	transaction.put_string (null, "k", "w");
	yield transaction.commit_async (Ldb.SyncMode.DEFAULT, null);
	assert ((yield db.get_string_async ("k", null)) == "w");
	uint told = 0;
	yield db.check_async (Ldb.CheckFlags.DEEP, (done, total, step) => {
		assert (done <= total);
		told++;
	}, null);
	assert (told > 0);
	yield db.close_async (null);
}

void delete_tree (string path) throws Error {
	if (FileUtils.test (path, FileTest.IS_DIR)) {
		var directory = Dir.open (path);
		unowned string? name;
		while ((name = directory.read_name ()) != null)
			delete_tree (Path.build_filename (path, name));
	}
	FileUtils.remove (path);
}

int main () {
	var status = 1;
	try {
		var directory = DirUtils.make_tmp ("ldb-vala-XXXXXX");
		var loop = new MainLoop ();
		synchronous (directory);
		asynchronous.begin (directory, (source, result) => {
			try {
				asynchronous.end (result);
				status = 0;
			} catch (Error error) {
				printerr ("%s\n", error.message);
			}
			loop.quit ();
		});
		loop.run ();
		delete_tree (directory);
	} catch (Error error) {
		printerr ("%s\n", error.message);
	}
	return status;
}
