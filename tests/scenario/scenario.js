// SPDX-License-Identifier: MIT
// The story of story.txt in JavaScript: gjs -m scenario.js DIRECTORY sync | async

import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';
import System from 'system';

const [directory, form] = ARGV;
const asynchronously = form === 'async';
const text = value => value === null ? '(none)' : new TextDecoder().decode(value);
const yes = what => what ? 'yes' : 'no';
let message = '';

// Makes a call in its synchronous or asynchronous form.
function call(target, name, ...args) {
    return asynchronously ? target[`${name}_async`](...args) : target[name](...args);
}

async function errorOf(target, name, ...args) {
    try {
        await call(target, name, ...args);
    } catch (error) {
        ({message} = error);
        return Object.keys(Ldb.Error).find(
            code => typeof Ldb.Error[code] === 'number' && error.matches(Ldb.Error, Ldb.Error[code]));
    }
    return 'no error';
}

async function keysOf(cursor) {
    const keys = [];
    // eslint-disable-next-line no-await-in-loop
    while (await call(cursor, 'next'))
        keys.push(text(cursor.get_key()));
    return keys.join(' ');
}

async function readAndWrite(db) {
    print('# Reading and writing');
    await call(db, 'put', 'k', 'v\0w');
    const found = await call(db, 'get', 'k');
    print('k =', [...found].map(byte => byte.toString(16).padStart(2, '0')).join(' '));
    print('absent =', text(await call(db, 'get', 'absent')));
    print('contains k:', yes(await call(db, 'contains', 'k')));
    await call(db, 'delete', 'k');
    await call(db, 'delete', 'k');
    print('deleted twice, contains k:', yes(await call(db, 'contains', 'k')));
    await call(db, 'put_variant', 'user', new GLib.Variant('a{sv}', {
        name: new GLib.Variant('s', 'Alice'), age: new GLib.Variant('i', 30)}));
    const user = (await call(db, 'get_variant', 'user', null)).recursiveUnpack();
    print(`user: ${user.name}, ${user.age}`);
    print('user as a string:', await errorOf(db, 'get_variant', 'user', new GLib.VariantType('s')));
    await call(db, 'delete_string', 'user');
}

async function batchAndMany(db) {
    print('# A batch');
    const before = db.get_sequence();
    const batch = new Ldb.Batch();
    for (const name of ['apple', 'banana', 'cherry', 'date', 'elder'])
        batch.put_string(null, name, name);
    await call(db, 'write_batch', batch, Ldb.SyncMode.DEFAULT);
    print(`${batch.get_count()} operations, ${db.get_sequence() - before} commit`);
    print('# Many at once');
    const keys = ['cherry', 'nothing', 'apple'].map(key => new GLib.Bytes(key));
    print((await call(db, 'get_many', keys)).map(text).join(' '));
}

async function scan(db) {
    print('# Scans');
    const cursor = db.scan();
    print(await keysOf(cursor));
    await call(cursor, 'previous');
    print('back from the end:', text(cursor.get_key()), '=', text(await call(cursor, 'get_value')));
    await call(cursor, 'first');
    print('first:', text(cursor.get_key()));
    const down = db.scan({start: 'b', end: 'date', reverse: true});
    print('from date downwards:', await keysOf(down));
    await call(down, 'seek', 'bz');
    print('nearest below bz:', text(down.get_key()));
    print('two keys:', await keysOf(db.scan({keysOnly: true, limit: 2})));
    const records = await call(db.scan({start: 'b'}), 'read', 2);
    print('records:', records.map(record => text(record.get_key())).join(' '));
}

async function conflictAndRetry(db) {
    print('# Conflict');
    const one = db.begin();
    const two = db.begin();
    one.put(null, 'apple', 'green');
    two.put(null, 'apple', 'red');
    print('inside:', text(one.get(null, 'apple')));
    print('outside:', text(db.get('apple')));
    await call(one, 'commit', Ldb.SyncMode.DEFAULT);
    print('the first:', one.get_commit_sequence() === db.get_sequence() ? 'committed' : '?');
    const code = await errorOf(two, 'commit', Ldb.SyncMode.DEFAULT);
    print(`the second: ${code}, ${message.includes('apple') ? 'apple' : '?'}`);
    print('# Retries');
    let calls = 0;
    await call(db, 'run_transaction', Ldb.TransactionFlags.NONE, transaction => {
        const value = Number(transaction.get_string(null, 'counter') ?? 0);
        if (++calls < 3)
            db.put('counter', '10');
        return transaction.put(null, 'counter', `${value + 1}`);
    });
    print(`${calls} calls, counter ${text(db.get('counter'))}`);
    await call(db, 'delete', 'counter');
}

async function saveAndGoBack(db) {
    print('# Savepoint');
    const transaction = db.begin(Ldb.TransactionFlags.SERIALIZABLE);
    transaction.put(null, 'fig', '1');
    const savepoint = transaction.savepoint();
    transaction.delete_range(null, 'a', 'd');
    print('inside:', await keysOf(transaction.scan()));
    transaction.rollback_to(savepoint);
    print('after going back, downwards:', await keysOf(transaction.scan({reverse: true})));
    await call(transaction, 'commit', Ldb.SyncMode.FULL);
    print('durable:', yes(db.get_durable_sequence() >= transaction.get_commit_sequence()));
}

async function lookBack(db) {
    print('# Snapshot');
    const snapshot = db.create_snapshot();
    await call(db, 'put_string', 'fig', '2');
    await call(db, 'put_string', 'grape', '2');
    const then = text(await call(snapshot, 'get', null, 'fig'));
    print(`then ${then}, now ${await call(db, 'get_string', 'fig')}`);
    const both = await call(snapshot, 'get_many', null, ['fig', 'grape'].map(key => new GLib.Bytes(key)));
    print(both[0] !== null && both[1] === null ? 'fig, of two keys' : '?');
    snapshot.close();
    print('closed:', await errorOf(snapshot, 'get', null, 'fig'));
}

async function useStores(db) {
    print('# Stores');
    const people = await call(db, 'open_store', 'people', Ldb.OpenFlags.CREATE);
    const places = await call(db, 'open_store', 'places', Ldb.OpenFlags.CREATE);
    const transaction = db.begin();
    transaction.put(people, 'ada', 'London');
    transaction.put(places, 'London', 'ada');
    await call(transaction, 'commit', Ldb.SyncMode.DEFAULT);
    print('ada lives in', await call(people, 'get_string', 'ada'));
    print('in the default store:', text(await call(db, 'get', 'ada')));
    print((await call(db, 'list_stores')).join(' '));
    await call(people, 'put', 'bob', 'Paris');
    print(await keysOf(people.scan()));
    const batch = new Ldb.Batch();
    batch.put(people, 'paris', 'bob');
    batch.delete(people, 'ada');
    await call(db, 'write_batch', batch, Ldb.SyncMode.DEFAULT);
    print(await keysOf(people.scan()));
    await call(db, 'drop_store', 'places');
    print('places is dropped:', await errorOf(db, 'open_store', 'places', Ldb.OpenFlags.NONE));
}

async function deleteRanges(db) {
    print('# Ranges');
    await call(db, 'delete_range', 'b', 'e');
    await call(db, 'delete_prefix', 'gr');
    print(await keysOf(db.scan()));
}

async function load(db) {
    print('# Bulk load');
    const store = await call(db, 'open_store', 'loaded', Ldb.OpenFlags.CREATE);
    const loader = db.create_loader();
    loader.put(store, 'b', '2');
    await call(loader, 'put_many', store, [Ldb.Record.new(new GLib.Bytes('a'), new GLib.Bytes('1'))]);
    const count = loader.get_count();
    await call(loader, 'commit');
    print(`loaded ${count}: ${await keysOf(store.scan())}`);
    await call(db, 'drop_store', 'loaded');
}

async function outcome(db) {
    const people = await call(db, 'open_store', 'people', Ldb.OpenFlags.NONE);
    return [await keysOf(db.scan()), await call(db, 'get_string', 'apple'),
        await call(people, 'get_string', 'bob')].join(', ');
}

async function lookAfter(db, path) {
    print('# Upkeep');
    let told = 0;
    const progress = (done, total) => {
        told += done <= total;
    };
    await call(db, 'sync');
    await call(db, 'flush');
    await call(db, 'compact', progress);
    await call(db, 'checkpoint');
    print(await outcome(db));
    const result = await call(db, 'backup', `${path}.backup`, Ldb.BackupFlags.VERIFY, progress);
    print('told of progress:', yes(told));
    print('backup of the newest commit:', yes(result.sequence === db.get_sequence()));
    print('faults:', (await call(db, 'check', Ldb.CheckFlags.DEEP)).fault_count);
    const restored = `${path}.restored`;
    await call(Ldb.Database, 'restore', `${path}.backup`, restored);
    const copy = await call(Ldb.Database, 'open', restored, Ldb.OpenFlags.NONE);
    print('restored:', await outcome(copy));
    await call(copy, 'close');
    print('lost pages:', (await call(Ldb.Database, 'repair', restored, `${path}.repaired`)).lost_pages);
}

async function takeOver(path) {
    print('# Taking over');
    const db = await call(Ldb.Database, 'open', path, Ldb.OpenFlags.READ_ONLY);
    let told = false;
    db.connect('notify::read-only', () => (told = !db.read_only));
    const snapshot = db.create_snapshot();
    const code = await errorOf(db, 'put_string', 'apple', 'yellow');
    print(`to read: ${yes(db.is_read_only())}, ${code}`);
    await call(db, 'take_over');
    print(`to write: ${yes(db.is_read_only())}, told: ${yes(told)}`);
    await call(db, 'put_string', 'apple', 'yellow');
    print(await outcome(db));
    print(`then: ${await call(snapshot, 'get_string', null, 'apple')}`);
    await call(db, 'close');
}

async function tell(path) {
    const db = await call(Ldb.Database, 'create', path);
    for (const chapter of [readAndWrite, batchAndMany, scan, conflictAndRetry, saveAndGoBack, lookBack,
        useStores, deleteRanges, load])
        await chapter(db); // eslint-disable-line no-await-in-loop
    await lookAfter(db, path);
    print('# Closing');
    await call(db, 'close');
    print('closed:', await errorOf(db, 'get', 'apple'));
    const again = await call(Ldb.Database, 'open', path, Ldb.OpenFlags.NONE);
    print('again:', await outcome(again));
    await call(again, 'close');
    await takeOver(path);
    await call(Ldb.Database, 'destroy', path);
    print('destroyed:', await errorOf(Ldb.Database, 'open', path, Ldb.OpenFlags.NONE));
}

try {
    await tell(`${directory}/database`);
} catch (error) {
    printerr(`${error}\n${error.stack}`);
    System.exit(1);
}
