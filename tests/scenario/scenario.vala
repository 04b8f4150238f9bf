// SPDX-License-Identifier: MIT
// The story of story.txt in Vala: scenario-vala DIRECTORY sync | async

namespace Story {

bool asynchronously;

string text (Bytes? value) {
	if (value == null)
		return "(none)";
	var builder = new StringBuilder ();
	builder.append_len ((string) value.get_data (), (ssize_t) value.get_size ());
	return builder.str;
}

unowned string yes (bool what) {
	return what ? "yes" : "no";
}

string code_of (Error error) {
	if (error is Ldb.Error.WRONG_TYPE)
		return "WRONG_TYPE";
	if (error is Ldb.Error.CONFLICT)
		return "CONFLICT";
	if (error is Ldb.Error.CLOSED)
		return "CLOSED";
	if (error is Ldb.Error.NOT_FOUND)
		return "NOT_FOUND";
	if (error is Ldb.Error.READ_ONLY)
		return "READ_ONLY";
	return error.message;
}

// Each call in its synchronous or asynchronous form.

async bool put (Ldb.Database db, string key, uint8[] value) throws Error {
	return asynchronously ? yield db.put_async (key.data, value, null) : db.put (key.data, value);
}

async string get (Ldb.Database db, string key) throws Error {
	var value = asynchronously ? yield db.get_async (key.data, null) : db.get (key.data);
	return text (value);
}

async bool contains (Ldb.Database db, string key) throws Error {
	return asynchronously ? yield db.contains_async (key.data, null) : db.contains (key.data);
}

async void delete (Ldb.Database db, string key) throws Error {
	if (asynchronously)
		yield db.delete_async (key.data, null);
	else
		db.delete (key.data);
}

async string? get_string (Ldb.Store store, string key) throws Error {
	return asynchronously ? yield store.get_string_async (key, null) : store.get_string (key);
}

async void write (Ldb.Database db, Ldb.Batch batch) throws Error {
	if (asynchronously)
		yield db.write_batch_async (batch, Ldb.SyncMode.DEFAULT, null);
	else
		db.write_batch (batch, Ldb.SyncMode.DEFAULT);
}

async bool next (Ldb.Cursor cursor) throws Error {
	return asynchronously ? yield cursor.next_async (null) : cursor.next ();
}

async void commit (Ldb.Transaction transaction, Ldb.SyncMode sync) throws Error {
	if (asynchronously)
		yield transaction.commit_async (sync, null);
	else
		transaction.commit (sync);
}

async Ldb.Store open_store (Ldb.Database db, string name, Ldb.OpenFlags flags) throws Error {
	return asynchronously ? yield db.open_store_async (name, flags, null) : db.open_store (name, flags);
}

async void drop_store (Ldb.Database db, string name) throws Error {
	if (asynchronously)
		yield db.drop_store_async (name, null);
	else
		db.drop_store (name);
}

async Ldb.Database open (string path) throws Error {
	return asynchronously ? yield Ldb.Database.open_async (path, Ldb.OpenFlags.NONE, null, null)
		: Ldb.Database.open (path, Ldb.OpenFlags.NONE, null);
}

async void close (Ldb.Database db) throws Error {
	if (asynchronously)
		yield db.close_async (null);
	else
		db.close ();
}

async string keys_of (Ldb.Cursor cursor) throws Error {
	string[] keys = {};
	while (yield next (cursor))
		keys += text (cursor.get_key ());
	return string.joinv (" ", keys);
}

// The story.

async void read_and_write (Ldb.Database db) throws Error {
	print ("# Reading and writing\n");
	yield put (db, "k", { 'v', 0, 'w' });
	var found = asynchronously ? yield db.get_async ("k".data, null) : db.get ("k".data);
	print ("k = %02x %02x %02x\n", found[0], found[1], found[2]);
	print ("absent = %s\n", yield get (db, "absent"));
	print ("contains k: %s\n", yes (yield contains (db, "k")));
	yield delete (db, "k");
	yield delete (db, "k");
	print ("deleted twice, contains k: %s\n", yes (yield contains (db, "k")));
	var alice = new Variant.parsed ("{'name': <'Alice'>, 'age': <30>}");
	if (asynchronously)
		yield db.put_variant_async ("user".data, alice, null);
	else
		db.put_variant ("user".data, alice);
	var user = asynchronously ? yield db.get_variant_async ("user".data, null, null)
		: db.get_variant ("user".data, null);
	print ("user: %s, %d\n", user.lookup_value ("name", null).get_string (),
		user.lookup_value ("age", null).get_int32 ());
	try {
		if (asynchronously)
			yield db.get_variant_async ("user".data, VariantType.STRING, null);
		else
			db.get_variant ("user".data, VariantType.STRING);
	} catch (Error error) {
		print ("user as a string: %s\n", code_of (error));
	}
	if (asynchronously)
		yield db.delete_string_async ("user", null);
	else
		db.delete_string ("user");
}

async void batch_and_many (Ldb.Database db) throws Error {
	print ("# A batch\n");
	var before = db.get_sequence ();
	var batch = new Ldb.Batch ();
	foreach (unowned string name in new string[] { "apple", "banana", "cherry", "date", "elder" })
		batch.put_string (null, name, name);
	yield write (db, batch);
	print ("%u operations, %u commit\n", (uint) batch.get_count (), (uint) (db.get_sequence () - before));
	print ("# Many at once\n");
	Bytes[] keys = { new Bytes ("cherry".data), new Bytes ("nothing".data), new Bytes ("apple".data) };
	var values = asynchronously ? yield db.get_many_async (keys, null) : db.get_many (keys);
	print ("%s %s %s\n", text (values[0]), text (values[1]), text (values[2]));
}

async void scan (Ldb.Database db) throws Error {
	print ("# Scans\n");
	var cursor = db.scan (null, null, Ldb.ScanFlags.NONE);
	print ("%s\n", yield keys_of (cursor));
	if (asynchronously)
		yield cursor.previous_async (null);
	else
		cursor.previous ();
	var last = asynchronously ? yield cursor.get_value_async (null) : cursor.get_value ();
	print ("back from the end: %s = %s\n", text (cursor.get_key ()), text (last));
	if (asynchronously)
		yield cursor.first_async (null);
	else
		cursor.first ();
	print ("first: %s\n", text (cursor.get_key ()));
	var down = db.scan ("b".data, "date".data, Ldb.ScanFlags.REVERSE);
	print ("from date downwards: %s\n", yield keys_of (down));
	if (asynchronously)
		yield down.seek_async ("bz".data, null);
	else
		down.seek ("bz".data);
	print ("nearest below bz: %s\n", text (down.get_key ()));
	var two = db.scan (null, null, Ldb.ScanFlags.KEYS_ONLY);
	two.limit = 2;
	print ("two keys: %s\n", yield keys_of (two));
	var from_b = db.scan ("b".data, null, Ldb.ScanFlags.NONE);
	var records = asynchronously ? yield from_b.read_async (2, null) : from_b.read (2);
	print ("records: %s %s\n", text (records[0].get_key ()), text (records[1].get_key ()));
}

async void conflict_and_retry (Ldb.Database db) throws Error {
	print ("# Conflict\n");
	var one = db.begin (Ldb.TransactionFlags.NONE);
	var two = db.begin (Ldb.TransactionFlags.NONE);
	one.put_string (null, "apple", "green");
	two.put_string (null, "apple", "red");
	print ("inside: %s\n", one.get_string (null, "apple"));
	print ("outside: %s\n", yield get (db, "apple"));
	yield commit (one, Ldb.SyncMode.DEFAULT);
	print ("the first: %s\n", one.get_commit_sequence () == db.get_sequence () ? "committed" : "?");
	try {
		yield commit (two, Ldb.SyncMode.DEFAULT);
	} catch (Error error) {
		print ("the second: %s, %s\n", code_of (error), "apple" in error.message ? "apple" : "?");
	}
	print ("# Retries\n");
	var calls = 0;
	Ldb.TransactionFunc count_up = (transaction) => {
		var value = transaction.get_string (null, "counter") ?? "0";
		if (++calls < 3)
			db.put_string ("counter", "10");
		return transaction.put_string (null, "counter", (int.parse (value) + 1).to_string ());
	};
	if (asynchronously)
		yield db.run_transaction_async (Ldb.TransactionFlags.NONE, (owned) count_up, null);
	else
		db.run_transaction (Ldb.TransactionFlags.NONE, count_up);
	print ("%d calls, counter %s\n", calls, yield get (db, "counter"));
	yield delete (db, "counter");
}

async void save_and_go_back (Ldb.Database db) throws Error {
	print ("# Savepoint\n");
	var transaction = db.begin (Ldb.TransactionFlags.SERIALIZABLE);
	transaction.put_string (null, "fig", "1");
	var savepoint = transaction.savepoint ();
	transaction.delete_range (null, "a".data, "d".data);
	print ("inside: %s\n", yield keys_of (transaction.scan (null, null, null, Ldb.ScanFlags.NONE)));
	transaction.rollback_to (savepoint);
	print ("after going back, downwards: %s\n",
		yield keys_of (transaction.scan (null, null, null, Ldb.ScanFlags.REVERSE)));
	yield commit (transaction, Ldb.SyncMode.FULL);
	print ("durable: %s\n", yes (db.get_durable_sequence () >= transaction.get_commit_sequence ()));
}

async void look_back (Ldb.Database db) throws Error {
	print ("# Snapshot\n");
	var snapshot = db.create_snapshot ();
	yield put (db, "fig", "2".data);
	yield put (db, "grape", "2".data);
	var then = asynchronously ? yield snapshot.get_async (null, "fig".data, null)
		: snapshot.get (null, "fig".data);
	print ("then %s, now %s\n", text (then), yield get (db, "fig"));
	Bytes[] keys = { new Bytes ("fig".data), new Bytes ("grape".data) };
	var both = asynchronously ? yield snapshot.get_many_async (null, keys, null)
		: snapshot.get_many (null, keys);
	print ("%s\n", both[0] != null && both[1] == null ? "fig, of two keys" : "?");
	snapshot.close ();
	try {
		if (asynchronously)
			yield snapshot.get_async (null, "fig".data, null);
		else
			snapshot.get (null, "fig".data);
	} catch (Error error) {
		print ("closed: %s\n", code_of (error));
	}
}

async void use_stores (Ldb.Database db) throws Error {
	print ("# Stores\n");
	var people = yield open_store (db, "people", Ldb.OpenFlags.CREATE);
	var places = yield open_store (db, "places", Ldb.OpenFlags.CREATE);
	var transaction = db.begin (Ldb.TransactionFlags.NONE);
	transaction.put_string (people, "ada", "London");
	transaction.put_string (places, "London", "ada");
	yield commit (transaction, Ldb.SyncMode.DEFAULT);
	print ("ada lives in %s\n", yield get_string (people, "ada"));
	print ("in the default store: %s\n", yield get (db, "ada"));
	var names = asynchronously ? yield db.list_stores_async (null) : db.list_stores ();
	print ("%s\n", string.joinv (" ", names));
	if (asynchronously)
		yield people.put_async ("bob".data, "Paris".data, null);
	else
		people.put ("bob".data, "Paris".data);
	print ("%s\n", yield keys_of (people.scan (null, null, Ldb.ScanFlags.NONE)));
	var batch = new Ldb.Batch ();
	batch.put_string (people, "paris", "bob");
	batch.delete_string (people, "ada");
	yield write (db, batch);
	print ("%s\n", yield keys_of (people.scan (null, null, Ldb.ScanFlags.NONE)));
	yield drop_store (db, "places");
	try {
		yield open_store (db, "places", Ldb.OpenFlags.NONE);
	} catch (Error error) {
		print ("places is dropped: %s\n", code_of (error));
	}
}

async void delete_ranges (Ldb.Database db) throws Error {
	print ("# Ranges\n");
	if (asynchronously) {
		yield db.delete_range_async ("b".data, "e".data, null);
		yield db.delete_prefix_async ("gr".data, null);
	} else {
		db.delete_range ("b".data, "e".data);
		db.delete_prefix ("gr".data);
	}
	print ("%s\n", yield keys_of (db.scan (null, null, Ldb.ScanFlags.NONE)));
}

async void load (Ldb.Database db) throws Error {
	print ("# Bulk load\n");
	var store = yield open_store (db, "loaded", Ldb.OpenFlags.CREATE);
	var loader = db.create_loader ();
	loader.put (store, "b".data, "2".data);
	Ldb.Record[] records = { new Ldb.Record (new Bytes ("a".data), new Bytes ("1".data)) };
	if (asynchronously)
		yield loader.put_many_async (store, records, null);
	else
		loader.put_many (store, records);
	var count = loader.get_count ();
	if (asynchronously)
		yield loader.commit_async (null);
	else
		loader.commit ();
	print ("loaded %u: %s\n", (uint) count, yield keys_of (store.scan (null, null, Ldb.ScanFlags.NONE)));
	yield drop_store (db, "loaded");
}

async string outcome (Ldb.Database db) throws Error {
	var people = yield open_store (db, "people", Ldb.OpenFlags.NONE);
	var keys = yield keys_of (db.scan (null, null, Ldb.ScanFlags.NONE));
	var apple = asynchronously ? yield db.get_string_async ("apple", null) : db.get_string ("apple");
	return "%s, %s, %s".printf (keys, apple, yield get_string (people, "bob"));
}

async void look_after (Ldb.Database db, string path) throws Error {
	print ("# Upkeep\n");
	uint told = 0;
	if (asynchronously) {
		yield db.sync_async (null);
		yield db.flush_async (null);
		yield db.compact_async ((done, total, step) => told++, null);
		yield db.checkpoint_async (null);
	} else {
		db.sync ();
		db.flush ();
		db.compact ((done, total, step) => told++);
		db.checkpoint ();
	}
	print ("%s\n", yield outcome (db));
	var backup = path + ".backup";
	var result = asynchronously
		? yield db.backup_async (backup, Ldb.BackupFlags.VERIFY, (done, total, step) => told++, null)
		: db.backup (backup, Ldb.BackupFlags.VERIFY, (done, total, step) => told++);
	print ("told of progress: %s\n", yes (told > 0));
	print ("backup of the newest commit: %s\n", yes (result.sequence == db.get_sequence ()));
	var report = asynchronously ? yield db.check_async (Ldb.CheckFlags.DEEP, null, null)
		: db.check (Ldb.CheckFlags.DEEP, null);
	print ("faults: %u\n", (uint) report.fault_count);
	var restored = path + ".restored";
	if (asynchronously)
		yield Ldb.Database.restore_async (backup, restored, null, null);
	else
		Ldb.Database.restore (backup, restored, null);
	var copy = yield open (restored);
	print ("restored: %s\n", yield outcome (copy));
	yield close (copy);
	var repair = asynchronously ? yield Ldb.Database.repair_async (restored, path + ".repaired", null, null)
		: Ldb.Database.repair (restored, path + ".repaired", null);
	print ("lost pages: %u\n", (uint) repair.lost_pages);
}

async void take_over (string path) throws Error {
	print ("# Taking over\n");
	var db = asynchronously ? yield Ldb.Database.open_async (path, Ldb.OpenFlags.READ_ONLY, null, null)
		: Ldb.Database.open (path, Ldb.OpenFlags.READ_ONLY, null);
	var told = false;
	db.notify["read-only"].connect (() => told = !db.read_only);
	var snapshot = db.create_snapshot ();
	var code = "no error";
	try {
		yield put (db, "apple", "yellow".data);
	} catch (Error error) {
		code = code_of (error);
	}
	print ("to read: %s, %s\n", yes (db.is_read_only ()), code);
	if (asynchronously)
		yield db.take_over_async (null);
	else
		db.take_over ();
	print ("to write: %s, told: %s\n", yes (db.is_read_only ()), yes (told));
	yield put (db, "apple", "yellow".data);
	print ("%s\nthen: %s\n", yield outcome (db), snapshot.get_string (null, "apple"));
	yield close (db);
}

async void tell (string path) throws Error {
	var db = asynchronously ? yield Ldb.Database.create_async (path, null, null)
		: Ldb.Database.create (path, null);
	yield read_and_write (db);
	yield batch_and_many (db);
	yield scan (db);
	yield conflict_and_retry (db);
	yield save_and_go_back (db);
	yield look_back (db);
	yield use_stores (db);
	yield delete_ranges (db);
	yield load (db);
	yield look_after (db, path);
	print ("# Closing\n");
	yield close (db);
	try {
		yield get (db, "apple");
	} catch (Error error) {
		print ("closed: %s\n", code_of (error));
	}
	var again = yield open (path);
	print ("again: %s\n", yield outcome (again));
	yield close (again);
	yield take_over (path);
	if (asynchronously)
		yield Ldb.Database.destroy_async (path, null);
	else
		Ldb.Database.destroy (path);
	try {
		yield open (path);
	} catch (Error error) {
		print ("destroyed: %s\n", code_of (error));
	}
}

}

int main (string[] args) {
	var status = 1;
	var loop = new MainLoop ();
	Story.asynchronously = args[2] == "async";
	Story.tell.begin (Path.build_filename (args[1], "database"), (source, result) => {
		try {
			Story.tell.end (result);
			status = 0;
		} catch (Error error) {
			printerr ("%s\n", error.message);
		}
		loop.quit ();
	});
	if (status != 0)
		loop.run ();
	return status;
}
