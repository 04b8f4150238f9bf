// SPDX-License-Identifier: MIT
// Opening, writing, reading, scanning, deleting: basic_usage DIRECTORY

string text (Bytes bytes) {
	var builder = new StringBuilder ();
	builder.append_len ((string) bytes.get_data (), (ssize_t) bytes.get_size ());
	return builder.str;
}

void use (string path) throws Error {
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);
	db.put_string ("greeting", "hello");
	print ("greeting: %s\n", db.get_string ("greeting"));

	// What is not there is null.
	print ("missing: %s\n", db.get_string ("missing") ?? "(none)");

	db.put_string ("user:1", "Ada");
	db.put_string ("user:2", "Bo");
	db.put_string ("user:3", "Cy");

	// Keys are ordered, so those with a common beginning lie together.
	var users = db.scan_prefix ("user:".data, Ldb.ScanFlags.NONE);
	while (users.next ())
		print ("%s %s\n", text (users.get_key ()), text (users.get_value ()));

	// Backwards, and only the first.
	var last = db.scan_prefix ("user:".data, Ldb.ScanFlags.REVERSE);
	last.next ();
	print ("last user: %s\n", text (last.get_key ()));

	db.delete_string ("user:2");
	var count = 0;
	var left = db.scan_prefix ("user:".data, Ldb.ScanFlags.KEYS_ONLY);
	while (left.next ())
		count++;
	print ("after deleting user:2: %d users\n", count);
	db.close ();
}

int main (string[] args) {
	try {
		use (Path.build_filename (args[1], "basic.db"));
		return 0;
	} catch (Error error) {
		printerr ("%s\n", error.message);
		return 1;
	}
}
