// SPDX-License-Identifier: MIT
// The introspected API by itself, without the override.

imports.gi.versions.Ldb = '1';
const {Gio, GLib, Ldb} = imports.gi;

Gio._promisify(Ldb.Database, 'open_async', 'open_finish');
for (const name of ['get', 'get_string', 'put', 'delete_range', 'write_batch', 'close', 'backup',
    'check', 'compact', 'open_store', 'run_transaction', 'contains', 'load_storage_map',
    'list_pages'])
    Gio._promisify(Ldb.Database.prototype, `${name}_async`, `${name}_finish`);
for (const name of ['next', 'read'])
    Gio._promisify(Ldb.Cursor.prototype, `${name}_async`, `${name}_finish`);
Gio._promisify(Ldb.Transaction.prototype, 'commit_async', 'commit_finish');

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytes = text => encoder.encode(text);
const text = value => value === null ? null : decoder.decode(value.toArray());

function equal(found, expected) {
    const a = JSON.stringify(found);
    const b = JSON.stringify(expected);
    if (a !== b)
        throw new Error(`${a} instead of ${b}`);
}

function fails(code, work) {
    try {
        work();
    } catch (error) {
        if (!error.matches || !error.matches(Ldb.Error, code))
            throw error;
        return error.message;
    }
    throw new Error(`no error, but code ${code} was expected`);
}

function keysOf(cursor) {
    const keys = [];
    while (cursor.next(null))
        keys.push(text(cursor.get_key()));
    return keys.join(' ');
}

function putFruit(db) {
    const batch = Ldb.Batch.new();
    for (const name of ['apple', 'banana', 'cherry', 'date', 'elder'])
        batch.put_string(null, name, name);
    db.write_batch(batch, Ldb.SyncMode.DEFAULT, null);
    equal(batch.get_sequence(), db.get_sequence());
}

function outcome(db) {
    equal(keysOf(db.scan(null, null, Ldb.ScanFlags.NONE)), 'apple elder fig');
    equal(db.get_string('apple', null), 'green');
    equal(db.open_store('people', Ldb.OpenFlags.NONE, null).get_string('bob', null), 'Paris');
}

function synchronous(directory) {
    const path = GLib.build_filenamev([directory, 'sync']);
    const db = Ldb.Database.create(path, null, null);
    db.put(bytes('k'), bytes('v\0w'), null);
    equal(text(db.get(bytes('k'), null)), 'v\0w');
    equal(db.get(bytes('absent'), null), null);
    db.delete(bytes('k'), null);
    equal(db.contains(bytes('k'), null), false);
    db.put_variant(bytes('user'), new GLib.Variant('a{sv}', {age: new GLib.Variant('i', 30)}), null);
    equal(db.get_variant(bytes('user'), null, null).recursiveUnpack(), {age: 30});
    db.delete_string('user', null);

    putFruit(db);
    const keys = ['cherry', 'nothing', 'apple'].map(key => new GLib.Bytes(bytes(key)));
    equal(db.get_many(keys, null).map(text), ['cherry', null, 'apple']);
    const cursor = db.scan(null, null, Ldb.ScanFlags.NONE);
    equal(keysOf(cursor), 'apple banana cherry date elder');
    equal(cursor.previous(null), true);
    equal(text(cursor.get_value(null)), 'elder');
    equal(keysOf(db.scan(bytes('b'), bytes('date'), Ldb.ScanFlags.REVERSE)), 'cherry banana');
    equal(db.scan_prefix(bytes('ba'), Ldb.ScanFlags.NONE).read(9, null).map(record =>
        text(record.get_value())), ['banana']);

    const one = db.begin(Ldb.TransactionFlags.NONE);
    const two = db.begin(Ldb.TransactionFlags.NONE);
    one.put_string(null, 'apple', 'green');
    two.put_string(null, 'apple', 'red');
    one.commit(Ldb.SyncMode.DEFAULT, null);
    fails(Ldb.Error.CONFLICT, () => two.commit(Ldb.SyncMode.DEFAULT, null));
    let calls = 0;
    db.run_transaction(Ldb.TransactionFlags.NONE, transaction => {
        const value = Number(transaction.get_string(null, 'counter', null) ?? 0);
        if (++calls < 3)
            db.put_string('counter', '10', null);
        return transaction.put_string(null, 'counter', `${value + 1}`);
    }, null);
    equal([calls, db.get_string('counter', null)], [3, '11']);
    db.delete_string('counter', null);

    const transaction = db.begin(Ldb.TransactionFlags.NONE);
    transaction.put_string(null, 'fig', '1');
    const savepoint = transaction.savepoint();
    transaction.delete_range(null, bytes('a'), bytes('d'));
    equal(keysOf(transaction.scan(null, null, null, Ldb.ScanFlags.NONE)), 'date elder fig');
    transaction.rollback_to(savepoint);
    transaction.commit(Ldb.SyncMode.FULL, null);

    const snapshot = db.create_snapshot();
    db.put_string('fig', '2', null);
    equal(snapshot.get_string(null, 'fig', null), '1');
    snapshot.close();

    const people = db.open_store('people', Ldb.OpenFlags.CREATE, null);
    people.put_string('bob', 'Paris', null);
    equal(db.list_stores(null), ['default', 'people']);
    db.delete_range(bytes('b'), bytes('e'), null);
    outcome(db);

    const backup = GLib.build_filenamev([directory, 'backup']);
    const restored = GLib.build_filenamev([directory, 'restored']);
    const result = db.backup(backup, Ldb.BackupFlags.VERIFY, null, null);
    equal(result.sequence, db.get_sequence());
    equal(db.check(Ldb.CheckFlags.DEEP, null, null).fault_count, 0);
    Ldb.Database.restore(backup, restored, null, null);
    outcome(Ldb.Database.open(restored, Ldb.OpenFlags.NONE, null, null));

    const map = db.load_storage_map(null);
    equal(map.get_root().bytes > 0, true);
    const store = map.stores.get_item(map.stores.get_n_items() - 1);
    equal([store.kind, store.name], [Ldb.StorageKind.STORE, 'people']);
    equal(JSON.parse(map.to_json()).database.records, map.root.figures.records);
    const place = db.locate_key(people, bytes('bob'), null).find(one => one.decides);
    equal([place.verdict, place.value_size], [Ldb.LocationVerdict.FOUND, 5]);
    const trace = db.trace_get(people, bytes('bob'), null);
    equal([trace.found, trace.value_length], [true, 5]);
    equal(db.list_transactions(), []);
    fails(Ldb.Error.INVALID_ARGUMENT, () => db.list_transaction_keys(1));
    equal(db.list_snapshots().every(one => one.holders > 0), true);
    const [hot, conflicts] = db.list_hot_keys(Ldb.HotKeyKind.CONFLICT);
    equal(hot.reduce((sum, one) => sum + one.count, 0), conflicts);
    equal(conflicts, db.get_metrics().get_value('conflicts'));
    equal(db.measure_sizes(people, null, null, 0, 3, null, null).get_biggest().map(one =>
        [text(one.key), one.size]), [['bob', 5]]);
    fails(Ldb.Error.NOT_FOUND, () => db.read_page(999, 0, null));
    equal(JSON.parse(db.generate_report(Ldb.ReportFormat.JSON, Ldb.ReportFlags.NONE, null)).read_only, false);

    db.close(null);
    fails(Ldb.Error.CLOSED, () => db.get(bytes('apple'), null));
    const again = Ldb.Database.open(path, Ldb.OpenFlags.NONE, null, null);
    outcome(again);
    equal(again.get_stats().memory_budget, 64 * 1024 * 1024);
    again.close(null);
}

async function asynchronous(directory) {
    const path = GLib.build_filenamev([directory, 'async']);
    const db = await Ldb.Database.open_async(path, Ldb.OpenFlags.CREATE, null, null);
    equal(await db.put_async(bytes('k'), bytes('v'), null), true);
    equal(text(await db.get_async(bytes('k'), null)), 'v');
    equal(await db.get_async(bytes('absent'), null), null);
    putFruit(db);
    const cursor = db.scan_prefix(bytes(''), Ldb.ScanFlags.NONE);
    equal(await cursor.next_async(null), true);
    equal((await cursor.read_async(2, null)).map(record => text(record.get_key())),
        ['banana', 'cherry']);
    const transaction = db.begin(Ldb.TransactionFlags.NONE);
    transaction.put_string(null, 'k', 'w');
    equal(await transaction.commit_async(Ldb.SyncMode.DEFAULT, null), true);
    equal(await db.get_string_async('k', null), 'w');
    await db.run_transaction_async(Ldb.TransactionFlags.NONE,
        inside => inside.put_string(null, 'k', 'x'), null);
    equal(db.get_string('k', null), 'x');
    const steps = [];
    const tell = (done, total, step) => steps.push([done <= total, typeof step]);
    await db.compact_async(tell, null);
    const report = await db.check_async(Ldb.CheckFlags.DEEP, tell, null);
    equal(steps.length > 0, true);
    equal(steps.every(step => step[0] && step[1] === 'string'), true);
    equal(report.fault_count, 0);
    const root = (await db.load_storage_map_async(null)).get_root(); // one run: nothing merges it away
    for (let i = 0; i < root.get_n_items(); i++) {
        const level = root.get_item(i);
        if (level.kind !== Ldb.StorageKind.LEVEL)
            continue;
        const segment = level.get_item(0).get_item(0);
        const pages = await db.list_pages_async(segment.number, 0, 100, true, null);
        equal(pages.length, segment.figures.leaves + segment.figures.inner_pages);
        equal(pages.some(page => page.fault !== null), false);
    }
    const metrics = db.get_metrics();
    const written = metrics.total_writes;
    equal(metrics.list_names().includes('gets_memtable'), true);
    const [known, kind, unit] = metrics.describe('log_sync');
    equal(known, true);
    equal(kind, Ldb.MetricKind.HISTOGRAM);
    equal(unit, Ldb.MetricUnit.NANOSECONDS);
    await db.put_async(bytes('counted'), bytes('v'), null);
    metrics.refresh();
    equal(metrics.total_writes, written + 1);
    let refused = false;
    try {
        await db.put_async(bytes(''), bytes('v'), null);
    } catch (error) {
        refused = error.matches(Ldb.Error, Ldb.Error.INVALID_ARGUMENT);
    }
    equal(refused, true);
    await db.close_async(null);
}

function remove(path) {
    const file = Gio.File.new_for_path(path);
    if (GLib.file_test(path, GLib.FileTest.IS_DIR)) {
        const children = file.enumerate_children('standard::name',
            Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, null);
        for (let info = children.next_file(null); info !== null; info = children.next_file(null))
            remove(GLib.build_filenamev([path, info.get_name()]));
    }
    file.delete(null);
}

const directory = GLib.dir_make_tmp('ldb-js-XXXXXX');
const loop = GLib.MainLoop.new(null, false);
let failure = null;
(async () => {
    synchronous(directory);
    await asynchronous(directory);
})().catch(error => {
    failure = error;
}).finally(() => loop.quit());
loop.run();
remove(directory);
if (failure !== null) {
    printerr(`${failure}\n${failure.stack}`);
    imports.system.exit(1);
}
