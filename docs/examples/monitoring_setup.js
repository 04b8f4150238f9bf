// SPDX-License-Identifier: MIT
// What is to be seen of a database from inside its program, and over HTTP: gjs -m monitoring_setup.js DIRECTORY
import Gio from 'gi://Gio';
import Ldb from 'gi://Ldb?version=1';
import LdbMonitor from 'gi://LdbMonitor?version=1';

// What Prometheus would get.
function scrape(address) {
    const connection = new Gio.SocketClient().connect_to_uri(address, 80, null);
    connection.get_output_stream().write_all('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', null);
    const answer = Gio.MemoryOutputStream.new_resizable();
    answer.splice(connection.get_input_stream(), Gio.OutputStreamSpliceFlags.CLOSE_TARGET, null);
    return new TextDecoder().decode(answer.steal_as_bytes().toArray()).split(/\r?\n/);
}

const db = Ldb.open(`${ARGV[0]}/sensors.db`, {create: true});
for (let number = 0; number < 100; number++)
    db.put(`sensor:${String(number).padStart(3, '0')}`, '21.5');
for (let number = 0; number < 40; number++)
    db.get(`sensor:${String(number).padStart(3, '0')}`);

// Figures: each has a name, some are properties too. They notify while somebody looks.
const metrics = db.get_metrics();
metrics.refresh();
print(`${metrics.total_writes} writes, ${metrics.total_reads} reads`);

// Health: what is wrong, how bad it is, and what to do about it.
const health = db.examine_health(null);
print(health.is_healthy() ? 'healthy' : 'not healthy');
for (const issue of health.get_issues())
    print(issue.id, issue.remedy);

// Events: what the database did by itself. db.connect('event', …) tells of them as they happen.
for (const event of db.list_events(0)) {
    if (event.kind === Ldb.EventKind.OPENED)
        print('event: opened');
}

// And all of it over HTTP, on loopback or a socket unless told otherwise; for Prometheus port 9090 is usual.
// Port 0: any that is free; -1: health and events are left out.
const server = new LdbMonitor.Server({database: db, metrics_port: 0, port: -1});
server.start();
const wanted = /^lightning_db_operations_total{type="(read|write)"/;
print(scrape(server.list_uris()[0]).filter(line => wanted.test(line)).sort().join('\n'));
server.stop();
db.close();
