// SPDX-License-Identifier: MIT
// What the override for GJS adds: promises for every asynchronous call, iteration, Uint8Array in and
// out, documents, numbers that are exact, arguments that may be left out, run().

import GIRepository from 'gi://GIRepository?version=2.0';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Ldb from 'gi://Ldb?version=1';
import System from 'system';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const text = value => value === null ? null : decoder.decode(value);

// JSON with what JSON lacks.
function describe(value) {
    return JSON.stringify(value, (_, item) => {
        if (typeof item === 'bigint')
            return `${item}n`;
        if (item instanceof Uint8Array)
            return `bytes ${[...item].join(' ')}`;
        if (Object.is(item, -0))
            return '-0';
        return item;
    });
}

function equal(found, expected) {
    if (describe(found) !== describe(expected))
        throw new Error(`${describe(found)} instead of ${describe(expected)}`);
}

function fails(what, work) {
    try {
        work();
    } catch (error) {
        return check(what, error);
    }
    throw new Error(`no error, but ${what} was expected`);
}

async function failsLater(what, promise) {
    try {
        await promise;
    } catch (error) {
        return check(what, error);
    }
    throw new Error(`no error, but ${what} was expected`);
}

// `what`: a class of errors, or a code of Ldb.Error.
function check(what, error) {
    if (typeof what === 'number' ? !error.matches?.(Ldb.Error, what) : !(error instanceof what))
        throw error;
    return error;
}

const directory = GLib.dir_make_tmp('ldb-js-XXXXXX');
GLib.setenv('XDG_DATA_HOME', directory, true);
GLib.setenv('XDG_RUNTIME_DIR', directory, true);
let made = 0;
const newPath = () => `${directory}/${++made}`;
const newDatabase = () => Ldb.open(newPath(), {create: true});

function testOpen() {
    const path = newPath();
    fails(Ldb.Error.NOT_FOUND, () => Ldb.open(path));
    const db = Ldb.open(path, {create: true, cache_size: 16 * 1024 * 1024});
    equal(db.get_options().cache_size, 16 * 1024 * 1024);
    db.close();
    fails(Ldb.Error.EXISTS, () => Ldb.open(path, {exclusive: true}));
    const reader = Ldb.open(path, {readOnly: true});
    fails(Ldb.Error.READ_ONLY, () => reader.put('a', 'b'));
    reader.close();
    fails(Ldb.Error.INVALID_ARGUMENT, () => Ldb.open(path, {cache_size: 1}));
    // A cancellable reaches the opening, and is no property of Ldb.Options.
    const cancellable = new Gio.Cancellable();
    Ldb.open(path, {cancellable, cache_size: 16 * 1024 * 1024}).close();
    cancellable.cancel();
    const cancelled = error => error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    equal(cancelled(fails(GLib.Error, () => Ldb.open(path, {cancellable}))), true);
    // Text as a key, also where the library wants bytes.
    const words = newDatabase();
    const batch = new Ldb.Batch();
    batch.put_variant(null, 'größe', new GLib.Variant('i', 5));
    words.write_batch(batch);
    equal(words.get_variant(encoder.encode('größe')).unpack(), 5);
    words.close();
}

function testValues() {
    const db = newDatabase();
    const store = db.open_store('s', Ldb.OpenFlags.CREATE);
    for (const place of [db, store]) {
        equal(place.put(encoder.encode('k'), new Uint8Array([0, 255])), true);
        equal(place.get('k'), new Uint8Array([0, 255]));
        equal(place.get('k', null), new Uint8Array([0, 255]));
        equal(place.get('absent'), null);
        place.put('text', 'Grüße');
        equal(text(place.get('text')), 'Grüße');
        equal(place.get_string('text'), 'Grüße');
        place.put('empty', '');
        equal(place.get('empty'), new Uint8Array());
        equal(place.get_many(['k', 'none', encoder.encode('empty')]),
            [new Uint8Array([0, 255]), null, new Uint8Array()]);
        equal(place.contains('k'), true);
        equal(place.delete('k'), true);
        equal(place.contains('k', null), false);
    }
    const snapshot = db.create_snapshot();
    db.put('text', 'new');
    equal(text(snapshot.get(null, 'text')), 'Grüße');
    equal(text(snapshot.get(store, 'text')), 'Grüße');
    equal(snapshot.get_many(null, ['text', 'none']).map(text), ['Grüße', null]);
    equal([snapshot.contains(null, 'text'), snapshot.contains(store, 'none')], [true, false]);
    equal(snapshot.get_variant(null, 'none'), null);
    snapshot.close();
    fails(Ldb.Error.CLOSED, () => snapshot.get(null, 'text'));
    const transaction = db.begin();
    transaction.put(null, 'text', 'newer');
    equal(text(transaction.get(null, 'text')), 'newer');
    equal([transaction.contains(null, 'text'), transaction.contains(store, 'none')], [true, false]);
    transaction.commit();
    const record = Ldb.Record.new(new GLib.Bytes('k'), new GLib.Bytes('v'));
    equal([text(record.get_key()), text(record.get_value())], ['k', 'v']);
    fails(Ldb.Error.INVALID_ARGUMENT, () => db.get(''));
    fails(Error, () => db.get(1));
    db.close();
}

function testIteration() {
    const db = newDatabase();
    const store = db.open_store('s', Ldb.OpenFlags.CREATE);
    const keys = ['a', 'b', 'ba', 'bb', 'c'];
    for (const key of keys) {
        db.put(key, key + key);
        store.put(key, key);
    }
    const pairs = cursor => [...cursor].map(([key, value]) => `${text(key)}=${text(value)}`);
    equal(pairs(db.scan()), ['a=aa', 'b=bb', 'ba=baba', 'bb=bbbb', 'c=cc']);
    equal(pairs(db.scan({prefix: 'b', reverse: true, limit: 2})), ['bb=bbbb', 'ba=baba']);
    equal(pairs(db.scan({start: 'b', end: encoder.encode('bb')})), ['b=bb', 'ba=baba']);
    equal(pairs(db.scan('b', 'bb', Ldb.ScanFlags.REVERSE)), ['ba=baba', 'b=bb']);
    equal([...db.scan({keysOnly: true})].map(text), keys);
    equal(pairs(store.scan({prefix: 'bb'})), ['bb=bb']);
    const transaction = db.begin();
    transaction.put(store, 'bc', '1');
    equal(pairs(transaction.scan({store, prefix: 'bc'})), ['bc=1']);
    equal(pairs(transaction.scan(store, 'bc', 'bd')), ['bc=1']);
    equal(pairs(transaction.scan({prefix: 'c'})), ['c=cc']);
    transaction.rollback();
    const snapshot = db.create_snapshot();
    equal(pairs(snapshot.scan({prefix: 'c'})), ['c=cc']);
    snapshot.close();

    const cursor = db.scan();
    for (const [key] of cursor) {
        if (text(key) === 'b')
            break;
    }
    fails(Ldb.Error.CLOSED, () => cursor.next()); // leaving the loop closed it
    equal(db.get_stats().snapshots, 0);
    const byHand = db.scan();
    equal(byHand.next(), true);
    equal([text(byHand.get_key()), text(byHand.get_value())], ['a', 'aa']);
    equal(byHand.seek('ba'), true);
    equal(pairs(byHand), ['bb=bbbb', 'c=cc']);
    equal(text(db.scan().read(1)[0].get_value()), 'aa');
    fails(TypeError, () => db.scan({prefix: 'a', start: 'b'}));
    fails(TypeError, () => db.scan({prefixes: 'a'}));
    db.close();
}

// What GJS would take for something else.
function testWrongArguments() {
    const path = newPath();
    const db = Ldb.open(path, {create: true});
    const transaction = db.begin();
    db.put('a', '1');
    for (const wrong of [new Uint16Array([97]), new Float64Array([97]), new DataView(new ArrayBuffer(1)), [97, 300], [-1],
        [1.5], ['a'], [null], [undefined], [true], [new Date()], [[97]], () => 97]) {
        for (const use of [() => db.put('a', wrong), () => db.put(wrong, 'x'), () => db.get(wrong), () => db.delete(wrong),
            () => db.contains(wrong), () => db.scan(wrong), () => db.scan({prefix: wrong}),
            () => transaction.get(null, wrong), () => transaction.scan(null, wrong), () => db.watch_key(wrong, 0)])
            fails(TypeError, use);
    }
    fails(TypeError, () => db.put_async('a', new Uint16Array([97])));
    fails(TypeError, () => db.get_many([new Uint16Array([97])]));
    fails(TypeError, () => db.get_many_async([new Uint16Array([97])]));
    fails(TypeError, () => db.get_many_async(['\ud800']));
    // What is no number would be 0: everything from the beginning.
    for (const wrong of ['abc', '1', NaN, 1.5, undefined, null, {}]) {
        for (const use of [() => db.create_feed(wrong), () => db.watch_all().replay(wrong), () => db.watch_all().replay_async(wrong)])
            fails(TypeError, use);
    }
    fails(TypeError, () => db.watch_all().replay());
    fails(TypeError, () => db.scan().set_limit(1.5));
    class Unregistered {}
    for (const wrong of [Unregistered, () => 1, []]) {
        fails(TypeError, () => Ldb.ListModel.new_prefix(db, null, 'a', 0, wrong));
        fails(TypeError, () => Ldb.ListModel.new(db, null, 'a', 'b', 0, wrong));
        fails(TypeError, () => Ldb.ListModel.new_mapped(db, null, 'a', 'b', 0, wrong, entry => entry));
    }
    equal(db.create_feed(0n).get_position(), 0);
    equal(db.get_string('a'), '1');
    db.put([97], [0, 255]);
    equal(db.get('a'), new Uint8Array([0, 255]));
    // Different halves of surrogate pairs would be one key.
    for (const half of ['\ud800', 'a\udfffb', '\udc00\ud800', '\ud83d x']) {
        const calls = [
            () => db.put(half, 'v'), () => db.put('k', half), () => db.get(half), () => db.delete(half),
            () => db.contains(half), () => db.get_many([half]), () => db.scan(half), () => db.scan({prefix: half}),
            () => db.put_string(half, 'v'), () => db.get_string(half), () => db.put_document(half, {a: 1}),
            () => db.get_document(half), () => db.delete_prefix(half), () => db.delete_range(half, null),
            () => db.watch_key(half), () => db.changes({prefix: half}), () => db.watch_entry(half),
            () => db.open_store(half, Ldb.OpenFlags.CREATE), () => db.put_async(half, 'v'),
            () => db.get_async(half), () => db.put_string_async(half, 'v'), () => db.begin().put(null, half, 'v'),
            () => db.begin().get(null, half), () => Ldb.Batch.new().put(null, half, 'v'),
            () => db.create_snapshot().get(null, half), () => db.scan().seek(half),
        ];
        for (const call of calls)
            equal(fails(TypeError, call).message.includes('surrogate'), true);
    }
    db.put('\ud83d\ude00', 'whole');
    equal(text(db.get('\u{1f600}')), 'whole');
    db.delete('\u{1f600}');
    // Text for C ends at a zero character.
    for (const use of [() => db.get_string('a\0b'), () => db.put_string('a', '1\0'), () => db.delete_string('a\0'),
        () => db.open_store('s\0', Ldb.OpenFlags.CREATE), () => db.drop_store('s\0'), () => db.get_string_async('a\0'),
        () => Ldb.open(`${path}\0x`), () => Ldb.open(`${path}-new\0`, {create: true}), () => db.backup(`${path}\0`, 0, null)])
        fails(TypeError, use);
    equal(GLib.file_test(`${path}-new`, GLib.FileTest.EXISTS), false);
    db.put('a\0b', '1\0');
    equal([text(db.get('a\0b')), db.list_stores()], ['1\0', ['default']]);
    for (const limit of [0, -1, 1.5, 'x', NaN, Infinity])
        fails(RangeError, () => db.scan({limit}));
    equal([...db.scan({limit: null})].length, 2);
    db.close();
}

function testDocuments() {
    const db = newDatabase();
    const store = db.open_store('s', Ldb.OpenFlags.CREATE);
    const document = {
        name: 'Alice', age: 30, half: 0.5, zero: -0, yes: true, nothing: null, bytes: new Uint8Array([0]),
        list: [1, 'a', [], {}], deeper: {deeper: {city: 'Zürich'}}, '': '',
        large: 2 ** 53, safe: Number.MAX_SAFE_INTEGER, big: 2n ** 63n, negative: -(2n ** 63n),
    };
    const back = {...document};
    for (const place of [db, store]) {
        place.put_document('user:1', document);
        equal(place.get_document('user:1'), back);
    }
    equal(typeof db.get_document('user:1').safe, 'number');
    equal(typeof db.get_document('user:1').big, 'bigint');
    equal(db.get_document('absent'), null);
    const transaction = db.begin();
    transaction.put_document(store, 'user:2', {a: 1, left: undefined});
    equal(transaction.get_document(store, 'user:2'), {a: 1});
    transaction.commit();
    const batch = new Ldb.Batch();
    batch.put_document(null, 'user:3', {a: 2});
    db.write_batch(batch);
    const snapshot = db.create_snapshot();
    equal(snapshot.get_document(null, 'user:3'), {a: 2});

    // The same as the variants of other languages.
    equal(db.get_variant('user:3').print(true), '{\'a\': <int64 2>}');
    db.put_variant('c', new GLib.Variant('a{sv}', {
        n: new GLib.Variant('y', 7), pair: new GLib.Variant('(si)', ['x', 1]),
        map: new GLib.Variant('a{is}', {1: 'one'})}));
    equal(db.get_document('c'), {n: 7, pair: ['x', 1], map: {1: 'one'}});
    // One integer above 2^53 that is no number.
    db.put_variant('n', GLib.Variant.parse(null, '{"n": <uint64 9007199254740993>}', null, null));
    equal(db.get_document('n'), {n: 9007199254740993n});
    equal(Ldb.from_variant(Ldb.to_variant({a: [1n]})), {a: [1]});

    db.put('plain', 'text');
    fails(Ldb.Error.WRONG_TYPE, () => db.get_document('plain'));
    db.put_variant('number', new GLib.Variant('i', 5));
    fails(Ldb.Error.WRONG_TYPE, () => db.get_document('number'));
    for (const wrong of ['text', 5, null, undefined, [1], new Uint8Array([1]), {f: () => 1},
        {s: Symbol('x')}, {t: 'a\0b'}])
        fails(TypeError, () => db.put_document('k', wrong));
    fails(RangeError, () => db.put_document('k', {n: 2n ** 64n}));
    // What would be lost, or would fall together, is refused; what is not there is null, as in JSON.
    for (const lost of [new Date(0), new Map(), new Set(), /x/, new Float64Array(1), Promise.resolve(), new class A {}(),
        () => 1, Symbol('s'), '\ud800', 'a\udc00b', 'a\0b']) {
        fails(TypeError, () => db.put_document('k', {n: lost}));
        fails(TypeError, () => db.put_document('k', {n: [lost]}));
    }
    for (const name of ['a\0b', '\ud800'])
        fails(TypeError, () => db.put_document('k', {[name]: 1}));
    db.put_document('k', {n: [1, , undefined, '\u{1f600}'], o: Object.create(null)});
    equal(db.get_document('k'), {n: [1, null, null, '\u{1f600}'], o: {}});
    fails(TypeError, () => Ldb.open(db.path, {chache_size: 1}));
    fails(TypeError, () => Ldb.open(db.path, {copy: 1}));
    const circle = {};
    circle.itself = circle;
    fails(RangeError, () => db.put_document('k', circle));
    let deep = {};
    for (let level = 0; level < 40; level++)
        deep = {deep};
    db.put_document('k', deep);
    equal(db.get_document('k'), deep);
    equal(db.contains('x'), false);
    db.close();
}

// Nothing that the API counts can exceed what a number holds exactly.
function testNumbers() {
    let found = 0;
    for (const name of ['Database', 'Store', 'Snapshot', 'Transaction', 'Cursor', 'Batch', 'Loader', 'Options']) {
        for (const property of GObject.Object.list_properties.call(Ldb[name])) {
            if (property.value_type !== GObject.TYPE_UINT64)
                continue;
            found++;
            const object = name === 'Options' ? new Ldb.Options() : null;
            if (object === null || !(property.flags & GObject.ParamFlags.WRITABLE))
                continue;
            // The greatest number that is not exact is refused, or cut to what is.
            object[property.name] = Number.MAX_SAFE_INTEGER;
            equal(object[property.name] <= Number.MAX_SAFE_INTEGER, true);
        }
    }
    equal(found > 3, true);
}

function testRun() {
    const db = newDatabase();
    let calls = 0;
    const countUp = transaction => {
        const value = Number(transaction.get_string(null, 'counter') ?? 0);
        if (++calls < 3)
            db.put('counter', '10');
        transaction.put(null, 'counter', `${value + 1}`);
        return value + 1;
    };
    equal(db.run(countUp), 11);
    equal([calls, db.get_string('counter')], [3, '11']);
    calls = 0;
    fails(Ldb.Error.CONFLICT, () => db.run(countUp, {retries: 0}));
    equal(calls, 1);
    const own = fails(RangeError, () => db.run(transaction => {
        transaction.put(null, 'never', 'x');
        throw new RangeError('own');
    }));
    equal([own.message, db.get('never')], ['own', null]);
    equal(db.run(transaction => transaction.rollback()), true);
    equal(db.run(transaction => transaction.commit(Ldb.SyncMode.FULL)), true);
    equal(fails(TypeError, () => db.run(async transaction => {
        await null;
        transaction.put(null, 'later', 'x');
    })).message.includes('run_async'), true);
    db.close();

    const quick = Ldb.open(newPath(), {create: true, transaction_timeout: 50});
    fails(Ldb.Error.TIMED_OUT, () => quick.run(() => GLib.usleep(200000)));
    quick.close();
}

// What a database tells of its storage, and an inspector of it; `call` as below.
async function lookAround(db, call) {
    const node = (await call(db, 'load_storage_map_async')).get_root();
    const segments = [];
    const gather = one => {
        if (one.kind === Ldb.StorageKind.SEGMENT)
            segments.push(one);
        [...one].forEach(gather);
    };
    gather(node);
    equal(segments.length > 0, true);
    equal((await call(db, 'list_pages_async', segments[0].number, 0, 10, false)).length > 0, true);
    equal((await call(db, 'read_page_async', segments[0].number, 0)).get_decoded().length > 0, true);
    const place = (await call(db, 'locate_key_async', null, 'a')).find(its => its.decides);
    equal((await call(db, 'trace_get_async', null, 'a')).duration > 0, true);
    const [record] = (await db.read_page_async(place.segment, place.page)).get_records();
    equal(record.key instanceof GLib.Bytes && record.value instanceof GLib.Bytes, true); // fields stay as they are
    equal(segments[0].get_smallest() instanceof Uint8Array, true);
    equal((await call(db, 'measure_sizes_async', null, null, null, 0, 1)).get_biggest().length, 1);
    const folder = Gio.File.new_for_path(db.path);
    folder.set_attribute_uint32('unix::mode', 0o755, Gio.FileQueryInfoFlags.NONE, null);
    const issue = (await call(db, 'examine_health_async')).find_issue('exposed');
    equal(issue.get_key(), null);
    equal(await call(db, 'apply_remedy_async', issue), true);
    equal(folder.query_info('unix::mode', Gio.FileQueryInfoFlags.NONE, null).get_attribute_uint32('unix::mode') & 0o777,
        0o700);
    equal(JSON.parse(await call(db, 'generate_report_async', Ldb.ReportFormat.JSON, Ldb.ReportFlags.NONE))
        .read_only, false);

    db.inspectable = db.control_allowed = true;
    const [running] = Ldb.RunningList.new();
    equal(running.path, db.path);
    const inspector = await call(Ldb.Inspector, 'open_async', running);
    equal((await call(inspector, 'get_stats_async')).sequence, db.get_sequence());
    equal(Object.keys(await call(inspector, 'get_options_async')).includes('cache-size'), true);
    equal((await call(inspector, 'list_stores_async')).includes('s'), true);
    const snapshot = await call(inspector, 'open_snapshot_async');
    equal(text(await call(inspector, 'get_async', snapshot, null, 'a')), '1');
    equal(text(inspector.get(snapshot, null, 'a')), '1');
    equal(inspector.get(snapshot, null, 'nowhere'), null);
    equal((await call(inspector, 'read_async', snapshot, null, null, null, Ldb.ScanFlags.NONE, 1, 9)).length, 1);
    equal(await call(inspector, 'close_snapshot_async', snapshot), true);
    equal((await call(inspector, 'list_slow_operations_async', 0)).length, db.list_slow_operations(0).length);
    equal(await call(inspector, 'list_transactions_async'), []);
    equal((await call(inspector, 'list_snapshots_async')).every(held => held.holders > 0), true);
    equal((await call(inspector, 'list_hot_keys_async', Ldb.HotKeyKind.CONFLICT)).length, 2);
    const watched = db.watch_key('a', Ldb.WatchFlags.NONE);
    equal((await call(inspector, 'list_watches_async')).map(watch => watch.kind), [Ldb.WatchKind.KEY]);
    equal(await call(inspector, 'list_deliveries_async', 0), []);
    watched.close();
    equal((await call(inspector, 'trace_get_async', null, 'a')).found, true);
    equal(await call(db, 'set_memory_budget_async', 20 << 20), true);
    equal((await call(inspector, 'get_metrics_async')).get_value('commits'), db.get_metrics().get_value('commits'));
    const map = await call(inspector, 'load_storage_map_async');
    equal(map.get_sequence(), db.get_sequence());
    const segment = [...map.get_stores()].flatMap(store => [...store])[0].get_number();
    equal((await call(inspector, 'list_pages_async', segment, 0, 1, true)).length, 1);
    equal((await call(inspector, 'read_page_async', segment, 0)).get_page().number, 0);
    equal((await call(inspector, 'locate_key_async', null, 'a')).length > 0, true);
    equal(Array.isArray(JSON.parse(await call(inspector, 'generate_report_async', Ldb.ReportFormat.JSON,
        Ldb.ReportFlags.NONE)).health.issues), true);
    equal((await call(inspector, 'measure_sizes_async', null, null, null, 0, 0)).share, 1);
    const subscription = await call(inspector, 'subscribe_async', null, null, Ldb.WatchFlags.NONE, 0);
    equal(await call(inspector, 'unsubscribe_async', subscription), true);
    equal(await call(inspector, 'request_control_async'), true);
    for (const name of ['flush_async', 'sync_async', 'checkpoint_async', 'compact_async'])
        equal(await call(inspector, name), true);
    equal(await call(inspector, 'set_memory_budget_async', 30 << 20), true);
    equal(db.get_stats().memory_budget, 30 << 20);
    equal(await call(inspector, 'evict_cache_async', 0.5), true);
    equal(await call(inspector, 'follow_events_async', true), true);
    equal(await call(inspector, 'follow_events_async', false), true);
    equal((await call(inspector, 'list_events_async', 0))[0].number, db.list_events(0)[0].number);
    folder.set_attribute_uint32('unix::mode', 0o755, Gio.FileQueryInfoFlags.NONE, null);
    const found = (await call(inspector, 'examine_health_async')).find_issue('exposed');
    equal(await call(inspector, 'apply_remedy_async', found), true);
    const open = db.begin(Ldb.TransactionFlags.NONE);
    open.put_string(null, 'own', '1');
    const keys = await call(inspector, 'list_transaction_keys_async', open.get_id());
    equal(keys.map(key => [key.access, text(key.key.toArray())]), [[Ldb.KeyAccess.PUT, 'own']]);
    equal(await call(inspector, 'abort_transaction_async', open.get_id()), true);
    const steps = [];
    const hear = (...step) => steps.push(step);
    equal((await call(inspector, 'check_async', Ldb.CheckFlags.NONE, hear)).fault_count, 0);
    equal(steps.length > 0 && steps.every(([done, total]) => done <= total), true);
    equal((await call(inspector, 'backup_async', `${db.path}.copied`, Ldb.BackupFlags.NONE)).files > 0, true);
    const put = new GLib.Variant('a(sayaaybaay)', [['', encoder.encode('z'), [encoder.encode('1')], false, []]]);
    equal(await call(inspector, 'commit_async', put), db.get_sequence());
    equal(text(db.get('z')), '1');
    inspector.close();
    db.inspectable = false;
}

// Each asynchronous call there is, awaited; `called` gathers their names.
async function testEveryAsync() {
    const called = new Set();
    const call = (target, name, ...args) => {
        const type = typeof target === 'function' ? target.$gtype.name : target.constructor.$gtype.name;
        called.add(`${type}.${name}`);
        const promise = target[name](...args);
        if (!(promise instanceof Promise))
            throw new Error(`${type}.${name} returned no promise`);
        return promise;
    };
    const path = newPath();
    let db = await call(Ldb.Database, 'create_async', path);
    await call(db, 'close_async');
    db = await call(Ldb.Database, 'open_async', path);
    const cancellable = new Gio.Cancellable();
    (await Ldb.open_async(path, {cancellable})).close();
    cancellable.cancel();
    const error = await failsLater(GLib.Error, Ldb.open_async(path, {cancellable}));
    equal(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED), true);
    await (await call(Ldb.Database, 'open_default_async', 'org.example.Js')).close_async();
    const store = await call(db, 'open_store_async', 's', Ldb.OpenFlags.CREATE);
    for (const place of [db, store]) {
        equal(await call(place, 'put_async', 'a', '1'), true);
        equal(await call(place, 'put_bytes_async', new GLib.Bytes('b'), new GLib.Bytes('2')), true);
        equal(await call(place, 'put_string_async', 'c', '3'), true);
        equal(await call(place, 'put_variant_async', 'd', new GLib.Variant('i', 4)), true);
        equal(await place.put_document_async('e', {e: 5}), true);
        equal(text(await call(place, 'get_async', 'a')), '1');
        equal(await place.get_async('absent'), null);
        equal(text(toArray(await call(place, 'get_bytes_async', new GLib.Bytes('b')))), '2');
        equal(await call(place, 'get_string_async', 'c'), '3');
        equal((await call(place, 'get_variant_async', 'd')).unpack(), 4);
        equal(await place.get_document_async('e'), {e: 5});
        equal((await place.get_many_async(['a', 'x', encoder.encode('a')])).map(text), ['1', null, '1']);
        equal((await call(place, 'get_many_async', ['a', 'x'].map(key => new GLib.Bytes(key)))).map(text),
            ['1', null]);
        equal(await call(place, 'contains_async', 'a'), true);
        equal(await call(place, 'delete_async', 'a'), true);
        equal(await call(place, 'delete_bytes_async', new GLib.Bytes('b')), true);
        equal(await call(place, 'delete_string_async', 'c'), true);
        equal(await call(place, 'delete_range_async', 'd', 'e'), true);
        equal(await call(place, 'delete_prefix_async', 'e'), true);
        equal([...place.scan()], []);
        place.put('a', '1');
        place.put('b', '2');
    }
    equal(await call(db, 'list_stores_async'), ['default', 's']);
    const snapshot = db.create_snapshot();
    equal(text(await call(snapshot, 'get_async', null, 'a')), '1');
    equal((await call(snapshot, 'get_many_async', store, [new GLib.Bytes('b')])).map(text), ['2']);
    equal(await call(snapshot, 'get_string_async', null, 'a'), '1');
    equal(await call(snapshot, 'get_variant_async', null, 'none'), null);
    equal(await call(snapshot, 'contains_async', store, 'a'), true);
    snapshot.close();
    const cursor = db.scan();
    for (const name of ['next_async', 'last_async', 'previous_async', 'first_async'])
        equal(await call(cursor, name), true);
    equal(await call(cursor, 'seek_async', 'b'), true);
    equal(text(await call(cursor, 'get_value_async')), '2');
    equal(await call(cursor, 'read_async', 5), []);
    cursor.close();
    const seen = [];
    for await (const [key, value] of db.scan())
        seen.push(`${text(key)}${text(value)}`);
    for await (const key of db.scan({keysOnly: true, reverse: true})) {
        seen.push(text(key));
        break;
    }
    equal(seen, ['a1', 'b2', 'b']);
    equal(db.get_stats().snapshots, 0);
    const transaction = db.begin();
    transaction.put(null, 't', '1');
    equal(text(await call(transaction, 'get_async', null, 't')), '1');
    equal(await call(transaction, 'get_string_async', null, 't'), '1');
    equal(await call(transaction, 'get_variant_async', null, 'none'), null);
    equal(await call(transaction, 'contains_async', null, 't'), true);
    equal(await call(transaction, 'commit_async'), true);
    equal(await call(db, 'run_transaction_async', Ldb.TransactionFlags.NONE,
        inside => inside.put(null, 'u', '1')), true);
    equal(await db.run_async(async inside => {
        inside.put(null, 'v', await inside.get_async(null, 'u'));
        return 7;
    }), 7);
    equal(text(db.get('v')), '1');
    const batch = new Ldb.Batch();
    batch.put(null, 'w', '1');
    equal(await call(db, 'write_batch_async', batch), true);
    const loader = db.create_loader();
    equal(await call(loader, 'put_many_async', null,
        [Ldb.Record.new(new GLib.Bytes('x'), new GLib.Bytes('1'))]), true);
    equal(await call(loader, 'commit_async'), true);
    equal(text(db.get('x')), '1');
    const feed = await call(db, 'create_feed_async', db.get_sequence());
    const waiting = call(feed, 'wait_async');
    db.put('y', '1');
    equal(await waiting, true);
    const commit = await call(feed, 'read_commit_async');
    equal(commit.list().map(change => change.dup_key_string()), ['y']);
    equal(feed.get_position(), db.get_sequence());
    for (const made of [() => db.watch_all(1 << 16), () => db.changes({flags: 1 << 16}),
        () => db.begin(4), () => db.scan(null, null, 4)])
        equal(fails(Error, made).message.includes('not a valid value for flags'), true); // GJS says so
    const watch = db.watch_all(Ldb.WatchFlags.NONE);
    equal(await call(watch, 'replay_async', db.get_sequence() - 1), true);
    watch.close();
    const rows = Ldb.ListModel.new(db, null, null, null, Ldb.ListFlags.NONE, Ldb.Entry);
    equal(await call(rows, 'find_async', 'y'), rows.get_n_items() - 1);
    rows.close();
    for (const name of ['sync_async', 'flush_async', 'checkpoint_async'])
        equal(await call(db, name), true);
    const steps = [];
    const tell = (done, total, step) => steps.push([done <= total, typeof step]);
    equal(await call(db, 'compact_async', tell), true);
    equal(await call(db, 'wait_settled_async', 300000), true);
    equal((await call(db, 'backup_async', `${path}.backup`, Ldb.BackupFlags.VERIFY, tell)).files > 0, true);
    equal(steps.length > 0 && steps.every(step => step[0] && step[1] === 'string'), true);
    equal((await call(db, 'check_async', Ldb.CheckFlags.DEEP)).fault_count, 0);
    await lookAround(db, call);
    equal(await call(db, 'drop_store_async', 's'), true);
    equal(await call(Ldb.Database, 'restore_async', `${path}.backup`, `${path}.restored`), true);
    equal((await call(Ldb.Database, 'check_path_async', `${path}.restored`)).fault_count, 0);
    equal((await call(Ldb.Database, 'repair_async', `${path}.restored`, `${path}.repaired`)).lost_pages, 0);
    const reading = await Ldb.open_async(`${path}.repaired`, {readOnly: true});
    equal(await call(reading, 'take_over_async'), true);
    equal(reading.read_only, false);
    await reading.close_async();
    await db.close_async();
    await failsLater(Ldb.Error.CLOSED, db.get_async('a'));
    equal(await call(Ldb.Database, 'destroy_async', path), true);

    const left = [];
    for (const name of Object.keys(Ldb)) {
        for (const owner of [Ldb[name], Ldb[name]?.prototype]) {
            if (typeof owner !== 'object' && typeof owner !== 'function' || owner.$gtype === undefined &&
                owner.constructor?.$gtype === undefined || name.endsWith('Class'))
                continue;
            for (const method of Object.getOwnPropertyNames(owner)) {
                if (method.endsWith('_async') && !/^_|document|^run_async|^init_async/.test(method) &&
                    !called.has(`Ldb${name}.${method}`))
                    left.push(`${name}.${method}`);
            }
        }
    }
    equal(left, []);
    equal(called.size > 50, true);
}

function toArray(bytes) {
    return bytes.toArray();
}

async function testPromises() {
    const db = newDatabase();
    // Many at once.
    await Promise.all([...Array(1000).keys()].map(number => db.put_async(`${number}`, 'x')));
    equal((await Promise.all([...Array(1000).keys()].map(number => db.get_async(`${number}`))))
        .every(value => text(value) === 'x'), true);
    // A callback is called as ever, and a second promisify harms nothing.
    equal(text(await new Promise(resolve =>
        db.get_async('1', null, (source, result) => resolve(source.get_finish(result))))), 'x');
    Gio._promisify(Ldb.Database.prototype, 'get_async', 'get_finish');
    equal(text(await db.get_async('1', null)), 'x');
    equal(text(await db.get_async('1')), 'x');
    // Cancelling.
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    const error = await failsLater(GLib.Error, db.put_async('k', 'v', cancellable));
    equal(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED), true);
    equal(db.contains('k'), false);
    // Errors tell where the promise was made.
    equal((await failsLater(Ldb.Error.INVALID_ARGUMENT, db.put_async('', ''))).stack.includes('testPromises'),
        true);
    // Conflicts are tried again, without blocking.
    let calls = 0;
    equal(await db.run_async(async transaction => {
        const value = Number(text(await transaction.get_async(null, 'n')) ?? 0);
        if (++calls < 3)
            await db.put_async('n', '10');
        transaction.put(null, 'n', `${value + 1}`);
        return value + 1;
    }), 11);
    equal([calls, db.get_string('n')], [3, '11']);
    await failsLater(RangeError, db.run_async(async () => {
        await db.sync_async();
        throw new RangeError('own');
    }));
    await db.close_async();
}

async function testWatching() {
    const db = newDatabase();
    const told = [];
    const following = db.changes({prefix: 'user:'});
    db.put('other', 'x');
    db.put('user:1', 'Ada');
    await db.sync_async(); // the loop turns before anybody listens
    for await (const changes of following) {
        const snapshot = changes.get_snapshot();
        equal(snapshot.get_sequence(), changes.get_sequence());
        equal(text(snapshot.get(null, 'user:1')), text([...changes].at(-1).get_value()));
        for (const change of changes)
            told.push(`${change.get_kind()} ${text(change.get_key())} ${text(change.get_value())}`);
        if (told.length === 1)
            await db.delete_async('user:1');
        else
            break;
    }
    equal(told, ['0 user:1 Ada', '1 user:1 null']);
    equal(following.watch.is_closed(), true); // leaving the loop closed it
    for (const wrong of [{key: 'a', prefix: 'b'}, {prefix: 'a', end: 'b'}, {prefixes: 'a'}])
        fails(TypeError, () => db.changes(wrong));
    const once = db.changes({key: 'once'});
    const first = once.next();
    equal((await failsLater(Error, once.next())).message.includes('already'), true);
    db.put('once', '1');
    equal([...(await first).value].map(change => text(change.get_value())), ['1']);
    once.close();
    const range = db.changes({start: 'a', end: 'b'});
    setTimeout(() => range.close());
    for await (const changes of range)
        throw new Error(`${changes.get_n_changes()} changes of nothing`);
    const again = newDatabase();
    const shop = newDatabase();
    const closing = again.changes();
    setTimeout(() => again.close());
    for await (const changes of closing)
        throw new Error(`${changes.get_n_changes()} changes of a database that was closed`);
    const store = shop.open_store('gone', Ldb.OpenFlags.CREATE);
    store.put('k', '1');
    const dropped = store.changes();
    setTimeout(() => shop.drop_store('gone'));
    const kinds = [];
    for await (const changes of dropped)
        kinds.push(...[...changes].map(change => change.get_kind()));
    equal(kinds, [Ldb.ChangeKind.DELETE_RANGE]); // and then it ended by itself
    fails(Ldb.Error.NOT_FOUND, () => store.put('k', '1'));
    fails(Ldb.Error.NOT_FOUND, () => store.changes());
    shop.close();
    const feed = db.create_feed(0);
    equal([...feed].map(commit => [...commit].map(change => text(change.get_key())).join()),
        ['other', 'user:1', 'user:1', 'once']);
    db.put('late', '1');
    for await (const commit of feed) {
        equal([...commit].map(change => text(change.get_key())), ['late']);
        break;
    }
    feed.close();
    const entry = db.watch_entry('late');
    await new Promise(resolve => {
        entry.connect('notify::value', resolve);
        db.put('late', '2');
    });
    equal([text(entry.get_key()), text(entry.get_value())], ['late', '2']);
    entry.close();
    db.close();
}

// Handlers that throw are reported, and the rest goes on.
async function testThrowing() {
    const script = `${GLib.dir_make_tmp('throwing-XXXXXX')}/throwing.js`;
    GLib.file_set_contents(script, `
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';
const db = Ldb.open('${newPath()}', {create: true});
const loop = new GLib.MainLoop(null, false);
let calls = 0, told = 0;
const throwing = db.watch_all(0), quiet = db.watch_all(0);
throwing.connect('changed', () => {
    calls++;
    throw new Error('of the handler');
});
quiet.connect('changed', () => {
    if (calls < 3)
        db.put('k', \`\${++told}\`);
    else
        loop.quit();
});
db.put('k', 'first');
loop.run();
const rows = Ldb.ListModel.new_mapped(db, null, null, null, Ldb.ListFlags.BLOCKING, Gio.SimpleAction, () => {
    throw new Error('of the function');
});
const row = rows.get_item(0);
print(\`\${calls >= 3} \${row instanceof Gio.SimpleAction}\`);
rows.close();
db.close();
`);
    const launcher = new Gio.SubprocessLauncher({
        flags: Gio.SubprocessFlags.STDERR_PIPE | Gio.SubprocessFlags.STDOUT_PIPE});
    launcher.unsetenv('G_DEBUG');
    const child = launcher.spawnv(['gjs', '-m', script]);
    const [, out, err] = child.communicate_utf8(null, null);
    equal(out, 'true true\n');
    equal(child.get_successful(), true);
    equal([err.match(/of the handler/g).length >= 3, err.includes('of the function')], [true, true]);
    remove(GLib.path_get_dirname(script));
}

async function testLists() {
    const db = newDatabase();
    db.put('n:1', 'one');
    db.put('n:3', 'three');
    const rows = Ldb.ListModel.new_prefix(db, null, 'n:', Ldb.ListFlags.REVERSE, Ldb.Entry);
    equal([...rows].map(row => `${text(row.get_key())} ${row.text}`), ['n:3 three', 'n:1 one']);
    equal([rows.find('n:1'), await rows.find_async('n:3'), rows.find('n:2')], [1, 0, -1]);
    const signal = await new Promise(resolve => {
        rows.connect('items-changed', (_, ...change) => resolve(change));
        db.put('n:2', 'two');
    });
    equal(signal, [1, 0, 1]);
    equal([...rows].map(row => row.text), ['three', 'two', 'one']);
    const lengths = Ldb.ListModel.new_mapped(db, null, null, null, Ldb.ListFlags.BLOCKING,
        Gio.SimpleAction, entry => new Gio.SimpleAction({name: `${entry.text.length}`}));
    equal([...lengths].map(row => row.name), ['3', '3', '5']);
    lengths.close();
    rows.close();
    equal([...rows], []);
    db.close();
}

// A file that is newer than the library says so.
// The GLib.Bytes that the library returns are Uint8Array here, but where a name says so.
function testBytes() {
    const isBytes = type => GIRepository.type_info_get_tag(type) === GIRepository.TypeTag.INTERFACE &&
        GIRepository.type_info_get_interface(type).get_name() === 'Bytes';
    const repository = GIRepository.Repository.get_default();
    const looked = [];
    for (let i = 0; i < repository.get_n_infos('Ldb'); i++) {
        const info = repository.get_info('Ldb', i);
        const kind = {[GIRepository.InfoType.OBJECT]: 'object', [GIRepository.InfoType.STRUCT]: 'struct'}[info.get_type()];
        if (kind === undefined || info.get_name().endsWith('Class'))
            continue;
        const {prototype} = Ldb[info.get_name()];
        for (let k = 0; k < GIRepository[`${kind}_info_get_n_methods`](info); k++) {
            const method = GIRepository[`${kind}_info_get_method`](info, k);
            if (!isBytes(GIRepository.callable_info_get_return_type(method)) || method.get_name().includes('bytes'))
                continue;
            looked.push(`${info.get_name()}.${method.get_name()}`);
            equal(prototype[method.get_name()].toString().includes('native'), false);
        }
    }
    for (const name of ['Database.get', 'Database.get_finish', 'Inspector.get', 'PageContents.get_stored',
        'StorageNode.get_smallest'])
        equal([name, looked.includes(name)].join(), `${name},true`);
}

function testVersionMismatch() {
    const [, source] = GLib.file_get_contents(`${GLib.getenv('GJS_PATH')}/overrides/Ldb.js`);
    const version = /VERSION = '([^']*)'/.exec(text(source))[1];
    equal([version, version], [GLib.getenv('PROJECT_VERSION'), Ldb.get_version()]);
    for (const other of ['0.1.1', '0.2.0', '1.0.0']) {
        const path = newPath();
        GLib.mkdir_with_parents(`${path}/overrides`, 0o700);
        GLib.file_set_contents(`${path}/overrides/Ldb.js`,
            text(source).replace(`VERSION = '${version}'`, `VERSION = '${other}'`));
        const launcher = new Gio.SubprocessLauncher({
            flags: Gio.SubprocessFlags.STDERR_PIPE | Gio.SubprocessFlags.STDOUT_SILENCE});
        launcher.setenv('GJS_PATH', path, true);
        launcher.unsetenv('G_DEBUG');
        const child = launcher.spawnv(['gjs', '-c', 'imports.gi.versions.Ldb = "1"; imports.gi.Ldb.open']);
        const [, , printed] = child.communicate_utf8(null, null);
        equal(child.get_successful(), false);
        equal(printed.includes(`Version mismatch: the JavaScript module of Lightning DB is ${other}, ` +
            `but the native library is ${version}.`), true);
    }
}

function remove(path) {
    const file = Gio.File.new_for_path(path);
    if (GLib.file_test(path, GLib.FileTest.IS_DIR)) {
        const children = file.enumerate_children('standard::name', Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, null);
        for (let info = children.next_file(null); info !== null; info = children.next_file(null))
            remove(GLib.build_filenamev([path, info.get_name()]));
    }
    file.delete(null);
}

let status = 0;
for (const test of [testOpen, testValues, testIteration, testWrongArguments, testDocuments, testNumbers, testRun,
    testEveryAsync, testPromises, testWatching, testThrowing, testLists, testBytes, testVersionMismatch]) {
    try {
        await test();
        print(`ok ${test.name}`);
    } catch (error) {
        printerr(`not ok ${test.name}: ${error}\n${error.stack}`);
        status = 1;
    }
}
remove(directory);
System.exit(status);
