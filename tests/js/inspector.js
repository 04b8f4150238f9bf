// SPDX-License-Identifier: MIT
// Running databases from JavaScript: found in a list, looked into, followed; here in one's own process.

import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';

const runtime = GLib.Dir.make_tmp('ldb-run-XXXXXX');
GLib.setenv('XDG_RUNTIME_DIR', runtime, true);
const directory = GLib.Dir.make_tmp('ldb-js-XXXXXX');
const path = GLib.build_filenamev([directory, 'database']);

function equal(found, expected) {
    const a = JSON.stringify(found);
    const b = JSON.stringify(expected);
    if (a !== b)
        throw new Error(`${a} instead of ${b}`);
}

const text = bytes => new TextDecoder().decode(bytes instanceof Uint8Array ? bytes : bytes.toArray());
const loop = new GLib.MainLoop(null, false);

async function look() {
    const db = Ldb.open(path, {create: true});
    db.inspectable = true;
    db.put('a', '1');
    const list = Ldb.RunningList.new();
    equal(list.get_n_items(), 1);
    const running = list.find(path);
    equal([running.path, running.id, running.running], [path, db.id, true]);
    const inspector = await Ldb.Inspector.open_async(running, null);
    equal((await inspector.get_stats_async(null)).puts, 1);
    equal(inspector.list_stores(null), ['default']);
    const records = await inspector.read_async(0, null, null, null, Ldb.ScanFlags.NONE, 10, 100, null);
    equal(records.map(record => [text(record.get_key()), text(record.get_value())]), [['a', '1']]);
    const told = new Promise(resolve => inspector.connect('changed', (_, subscription, changes) =>
        resolve([subscription, changes.n_changes, text(changes.get_change(0).get_key())])));
    const subscription = inspector.subscribe(null, null, Ldb.WatchFlags.NONE, 0, null);
    db.put('b', '2');
    equal(await told, [subscription, 1, 'b']);
    let refused = false;
    await inspector.compact_async(null, null).catch(error => {
        refused = error.matches(Ldb.Error, Ldb.Error.PERMISSION_DENIED);
    });
    equal(refused, true);
    inspector.close();
    db.close();
}

let failure = null;
look().catch(error => {
    failure = error;
}).finally(() => loop.quit());
loop.run();
GLib.spawn_command_line_sync(`rm -r ${runtime} ${directory}`);
if (failure)
    throw failure;
print('fine');
