// SPDX-License-Identifier: MIT
// A headless service: settings from a file, durable commits, a backup while it runs, an orderly end:
// gjs -m production_deployment.js DIRECTORY SETTINGS
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';

const SIGTERM = 15;
const [directory, settings] = ARGV;

function count(db) {
    return [...db.scan({prefix: 'order:', keysOnly: true})].length;
}

// Writes go on meanwhile. A later backup to the same place copies only what is new.
async function backUp(db, path) {
    await db.backup_async(path, Ldb.BackupFlags.VERIFY);
    const report = await Ldb.Database.check_path_async(path, Ldb.CheckFlags.DEEP);
    const copy = Ldb.open(path, {readOnly: true});
    print(`backup: ${count(copy)} orders, ${report.fault_count} faults`);
    copy.close();
}

async function serve(options) {
    const stopped = new Promise(resolve => GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, SIGTERM, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
    const db = await Ldb.open_async(`${directory}/orders.db`, {create: true, options});
    for (let number = 0; number < 100; number++) {
        // eslint-disable-next-line no-await-in-loop
        await db.put_async(`order:${String(number).padStart(4, '0')}`, 'paid');
    }
    print(count(db), 'orders stored');
    await backUp(db, `${directory}/orders.backup`);
    const own = new Gio.Credentials().get_unix_pid();
    Gio.Subprocess.new(['kill', `${own}`], Gio.SubprocessFlags.NONE); // as an operator does
    await stopped;
    await db.close_async();
    print('stopped by SIGTERM');
}

const options = new Ldb.Options();
options.load_from_file(settings); // what the environment says goes before it
options.check();
print(`cache ${options.cache_size / 2 ** 20} MiB, durable ${
    options.wal_sync_mode === Ldb.SyncMode.FULL ? 'at once' : 'soon'}`);
await serve(options);
const again = Ldb.open(`${directory}/orders.db`, {options});
print('after a restart:', count(again), 'orders');
again.close();
