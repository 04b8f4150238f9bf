// SPDX-License-Identifier: MIT
// A headless service: settings from a file, durable commits, a backup while it runs, an orderly end:
// production_deployment DIRECTORY SETTINGS

uint count (Ldb.Database db) throws Error {
	uint found = 0;
	var cursor = db.scan_prefix ("order:".data, Ldb.ScanFlags.KEYS_ONLY);
	while (cursor.next ())
		found++;
	return found;
}

// Writes go on meanwhile. A later backup to the same place copies only what is new.
async void back_up (Ldb.Database db, string path) throws Error {
	yield db.backup_async (path, Ldb.BackupFlags.VERIFY, null, null);
	var report = yield Ldb.Database.check_path_async (path, Ldb.CheckFlags.DEEP, null, null);
	var copy = Ldb.Database.open (path, Ldb.OpenFlags.READ_ONLY, null);
	print ("backup: %u orders, %u faults\n", count (copy), (uint) report.fault_count);
	copy.close ();
}

async void serve (string directory, Ldb.Options options) throws Error {
	var stopped = false;
	SourceFunc go_on = serve.callback;
	Unix.signal_add (Posix.Signal.TERM, () => {
		stopped = true;
		go_on ();
		return Source.REMOVE;
	});
	var path = Path.build_filename (directory, "orders.db");
	var db = yield Ldb.Database.open_async (path, Ldb.OpenFlags.CREATE, options, null);
	for (var number = 0; number < 100; number++)
		yield db.put_async ("order:%04d".printf (number).data, "paid".data, null);
	print ("%u orders stored\n", count (db));
	yield back_up (db, Path.build_filename (directory, "orders.backup"));
	Posix.kill (Posix.getpid (), Posix.Signal.TERM); // as an operator does
	while (!stopped)
		yield;
	yield db.close_async (null);
	print ("stopped by SIGTERM\n");
}

void run (string directory, string settings) throws Error {
	var options = new Ldb.Options ();
	options.load_from_file (settings); // what the environment says goes before it
	options.check ();
	print ("cache %u MiB, durable %s\n", (uint) (options.cache_size >> 20),
		options.wal_sync_mode == Ldb.SyncMode.FULL ? "at once" : "soon");
	var loop = new MainLoop ();
	Error? failure = null;
	serve.begin (directory, options, (source, result) => {
		try {
			serve.end (result);
		} catch (Error error) {
			failure = error;
		}
		loop.quit ();
	});
	loop.run ();
	if (failure != null)
		throw failure;
	var again = Ldb.Database.open (Path.build_filename (directory, "orders.db"), Ldb.OpenFlags.NONE, options);
	print ("after a restart: %u orders\n", count (again));
	again.close ();
}

int main (string[] args) {
	try {
		run (args[1], args[2]);
		return 0;
	} catch (Error error) {
		printerr ("%s\n", error.message);
		return 1;
	}
}
