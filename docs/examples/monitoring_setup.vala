// SPDX-License-Identifier: MIT
// What is to be seen of a database from inside its program, and over HTTP: monitoring_setup DIRECTORY

// What Prometheus would get.
string scrape (string address) throws Error {
	var connection = new SocketClient ().connect_to_uri (address, 80);
	size_t written;
	connection.output_stream.write_all (
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".data, out written);
	var answer = new MemoryOutputStream.resizable ();
	answer.splice (connection.input_stream, OutputStreamSpliceFlags.NONE);
	answer.write_all ({ 0 }, out written); // the string's end
	answer.close ();
	return (string) answer.steal_data ();
}

void use (string path) throws Error {
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);
	for (var number = 0; number < 100; number++)
		db.put_string ("sensor:%03d".printf (number), "21.5");
	for (var number = 0; number < 40; number++)
		db.get_string ("sensor:%03d".printf (number));

	// Figures: each has a name, some are properties too. They notify while somebody looks.
	var metrics = db.get_metrics ();
	metrics.refresh ();
	print ("%d writes, %d reads\n", (int) metrics.total_writes, (int) metrics.total_reads);

	// Health: what is wrong, how bad it is, and what to do about it.
	var health = db.examine_health ();
	print ("%s\n", health.is_healthy () ? "healthy" : "not healthy");
	foreach (unowned var issue in health.get_issues ().data)
		print ("%s %s\n", issue.id, issue.remedy);

	// Events: what the database did by itself. The signal `event` tells of them as they happen.
	foreach (unowned var event in db.list_events (0).data)
		if (event.kind == Ldb.EventKind.OPENED)
			print ("event: opened\n");

	// And all of it over HTTP, on loopback or a socket unless told otherwise; for Prometheus port 9090 is usual.
	// Port 0: any that is free; -1: health and events are left out.
	var server = new LdbMonitor.Server (db) { metrics_port = 0, port = -1 };
	server.start ();
	foreach (var line in scrape (server.list_uris ()[0]).split ("\n"))
		if (line.has_prefix ("lightning_db_operations_total{type=\"read\"")
		    || line.has_prefix ("lightning_db_operations_total{type=\"write\""))
			print ("%s\n", line.strip ());
	server.stop ();
}

int main (string[] args) {
	try {
		use (args[1] + "/sensors.db");
		return 0;
	} catch (Error e) {
		printerr ("%s\n", e.message);
		return 1;
	}
}
