// SPDX-License-Identifier: MIT
// Lightning DB for GJS: what `import Ldb from 'gi://Ldb?version=1'` gives beyond the introspected API.
//
//     const db = Ldb.open('notes.db', {create: true});
//     db.put('k', new Uint8Array([1, 2, 3]));
//     db.put_document('user:1', {name: 'Alice', age: 30});
//     for (const [key, value] of db.scan({prefix: 'user:'}))
//         …
//     const value = await db.get_async('k');
//
// Every asynchronous call without a callback returns a promise; values come as Uint8Array; arguments
// at the end that are null or no flags may be left out; text is taken as its UTF-8. Calls that are
// written as the reference manual has them work, too. docs/guides/javascript.md explains it.

const {Gio, GLib} = imports.gi;

const VERSION = '0.1.0'; // this file needs, at least
const READ_AT_ONCE = 256; // records that an asynchronous loop reads at a time
const DEEPEST = 40; // documents in documents: three of the 128 levels GVariant allows for each

// Functions that are written out here; the rest is completed from introspection.
const written = new WeakSet();

function own(work) {
    written.add(work);
    return work;
}

function checkVersion(Ldb) {
    const wrong = Ldb.check_version(...VERSION.split('.').map(Number));
    if (wrong !== null) {
        throw new Error(`Version mismatch: the JavaScript module of Lightning DB is ${VERSION}, ` +
            `but the native library is ${Ldb.get_version()}. ${wrong}`);
    }
}

// ---- values ----

function toArray(bytes) {
    return bytes === null ? null : bytes.toArray();
}

// Halves of surrogate pairs, which have no UTF-8: all of them become the same character in it.
const HALVES = /\p{Surrogate}/u;

// Text is cut off at a zero character.
function checkText(text) {
    if (text.includes('\0'))
        throw new TypeError('text in a document has no zero characters; store it as bytes');
    if (HALVES.test(text))
        throw new TypeError('text in a document has no halves of surrogate pairs; store it as bytes');
    return text;
}

// A GLib.Variant of what JavaScript has.
function toVariant(value, depth = 0) {
    if (depth > DEEPEST)
        throw new RangeError(`a document may hold others ${DEEPEST} deep; this one goes deeper`);
    if (value instanceof GLib.Variant)
        return value;
    if (value === null)
        return new GLib.Variant('mv', null);
    switch (typeof value) {
    case 'boolean':
        return GLib.Variant.new_boolean(value);
    case 'number':
        // -0 is no integer: it would come back as 0.
        return Number.isSafeInteger(value) && !Object.is(value, -0)
            ? GLib.Variant.new_int64(value) : GLib.Variant.new_double(value);
    case 'bigint':
        return bigToVariant(value);
    case 'string':
        return GLib.Variant.new_string(checkText(value));
    }
    if (value instanceof Uint8Array)
        return GLib.Variant.new_from_bytes(new GLib.VariantType('ay'), new GLib.Bytes(value), true);
    // What is not there becomes null, as in JSON.
    if (Array.isArray(value))
        return new GLib.Variant('av', Array.from(value, item => toVariant(item ?? null, depth + 1)));
    // A Date or a Map has no properties of its own: it would be lost.
    if (isOptions(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === null)) {
        const entries = Object.entries(value).filter(([, item]) => item !== undefined);
        return new GLib.Variant('a{sv}', Object.fromEntries(
            entries.map(([key, item]) => [checkText(key), toVariant(item, depth + 1)])));
    }
    throw new TypeError(`a document holds no ${typeof value === 'object' ? value.constructor.name : typeof value}`);
}

function bigToVariant(value) {
    if (BigInt.asIntN(64, value) === value)
        return GLib.Variant.parse(new GLib.VariantType('x'), `${value}`, null, null);
    if (BigInt.asUintN(64, value) === value)
        return GLib.Variant.parse(new GLib.VariantType('t'), `${value}`, null, null);
    throw new RangeError(`${value} does not fit into 64 bits`);
}

// What a variant means in JavaScript. Integers that a number cannot hold are BigInt.
function fromVariant(variant) {
    const type = variant.get_type_string();
    const children = () => [...Array(variant.n_children()).keys()].map(
        index => variant.get_child_value(index));
    switch (type[0]) {
    case 'v':
        return fromVariant(variant.get_variant());
    case 'm':
        return variant.n_children() === 0 ? null : fromVariant(variant.get_child_value(0));
    case 'x':
    case 't': {
        const integer = BigInt(variant.print(false));
        const number = Number(integer);
        return Number.isSafeInteger(number) ? number : integer;
    }
    case '(':
        return children().map(fromVariant);
    case 'a':
        if (type === 'ay')
            return variant.get_data_as_bytes().toArray();
        if (type[1] !== '{')
            return children().map(fromVariant);
        return Object.fromEntries(children().map(entry => [
            fromVariant(entry.get_child_value(0)), fromVariant(entry.get_child_value(1))]));
    default:
        return variant.unpack();
    }
}

// ---- calls ----

// Methods whose arguments are text or paths for C, where text ends at a zero character: GJS cuts it off there.
const TAKES_TEXT = new RegExp('(_string|_store)(_async)?$|' +
    '^(open|create|destroy|open_default|backup|restore|repair|check_path|load_from_file)(_async)?$');
// Methods that take keys and no function.
const TAKES_KEYS = /^(get|put|delete|contains|lookup|scan|watch|find|seek|lock_key)(?!.*_async$)/;
// Methods whose first argument is the number of a commit; those that take fractions, and arrays of numbers.
const TAKES_COMMIT = /^(replay|create_feed)(_async)?$/;
const TAKES_FRACTION = /^(evict_cache|get_.*percentile)/;
const TAKES_NUMBERS = /^list_counts_at_most$/;

// What is cut to a byte each, or made one.
function isNoBytes(value) {
    return ArrayBuffer.isView(value) ? !(value instanceof Uint8Array)
        : Array.isArray(value) && value.some(item => !isBoxed(item) && item !== (item & 255));
}

// Of many keys and of records there are arrays, too.
function isBoxed(item) {
    return typeof item === 'object' && item?.constructor?.$gtype !== undefined;
}

// What is no number, or none at all, would be commit 0.
function checkCommit(name, commit) {
    if (!Number.isInteger(commit) && typeof commit !== 'bigint')
        throw new TypeError(`${name}() takes the number of a commit, not ${typeof commit === 'string' ? `“${commit}”` : commit}`);
}

// What GJS would take for something else without a word.
function checkArguments(name, args) {
    if (TAKES_COMMIT.test(name))
        checkCommit(name, args[0]);
    for (const arg of args) {
        if (typeof arg === 'number' && !Number.isInteger(arg) && !TAKES_FRACTION.test(name))
            throw new TypeError(`${name}() takes whole numbers, not ${arg}`);
        if (typeof arg === 'string' && arg.includes('\0') && TAKES_TEXT.test(name))
            throw new TypeError(`${name}() takes text without zero characters; use Uint8Array for keys and values`);
        if (typeof arg === 'string' && HALVES.test(arg)) {
            throw new TypeError(`${name}() takes text without halves of surrogate pairs, which are no characters; ` +
                'use Uint8Array for keys and values');
        }
        if (isNoBytes(arg) && !TAKES_NUMBERS.test(name))
            throw new TypeError(`${name}() takes bytes as Uint8Array, not ${arg.constructor.name}`);
        if (typeof arg === 'function' && TAKES_KEYS.test(name))
            throw new TypeError(`${name}() takes no function`);
    }
}

// Lets trailing arguments be left out; null means none, no flags, an open bound.
function relax(owner, name) {
    const original = owner[name];
    const wanted = original.length;
    if (wanted === 0)
        return;
    owner[name] = function (...args) {
        checkArguments(name, args);
        while (args.length < wanted)
            args.push(null);
        return original.apply(this, args);
    };
}

// Makes a call without a callback return a promise.
function promisify(owner, name, finish) {
    const wanted = owner[name].length;
    Gio._promisify(owner, name, finish);
    const promised = owner[name];
    owner[name] = function (...args) {
        if (name === 'get_many_async')
            takeKeys(name, args);
        checkArguments(name, args);
        if (args.length < wanted) {
            while (args.length < wanted - 1)
                args.push(null);
        }
        return promised.apply(this, args);
    };
}

function complete(owner) {
    for (const name of Object.getOwnPropertyNames(owner)) {
        const {value} = Object.getOwnPropertyDescriptor(owner, name);
        if (typeof value !== 'function' || written.has(value) || name.startsWith('_'))
            continue;
        const finish = `${name.replace(/_async$/, '')}_finish`;
        if (name.endsWith('_async') && owner[finish] !== undefined)
            promisify(owner, name, finish);
        else if (!['constructor', 'toString', 'connect', 'emit', 'new'].includes(name))
            relax(owner, name);
    }
}

// ---- what is written out ----

// Reads that return Uint8Array. `ofStores`: the library's own methods take a store first.
function read(Ldb, prototype, ofStores) {
    const {lookup, scan, scan_prefix: scanPrefix, get_many: getMany} = prototype;
    if (ofStores) {
        prototype.get = own(function (store, key, cancellable = null) {
            checkArguments('get', [key]);
            const [found, value] = lookup.call(this, store, key, cancellable);
            return found ? value : null;
        });
        prototype.scan = own(function (store = null, start = null, end = null, flags = 0) {
            if (isOptions(store))
                return scanOptions(Ldb, this, [store.store ?? null], scan, scanPrefix, store);
            checkArguments('scan', [start, end]);
            return scan.call(this, store, start, end, flags);
        });
    } else {
        prototype.get = own(function (key, cancellable = null) {
            checkArguments('get', [key]);
            const [found, value] = lookup.call(this, key, cancellable);
            return found ? value : null;
        });
        prototype.scan = own(function (start = null, end = null, flags = 0) {
            if (isOptions(start))
                return scanOptions(Ldb, this, [], scan, scanPrefix, start);
            checkArguments('scan', [start, end]);
            return scan.call(this, start, end, flags);
        });
    }
    for (const name of ['get_finish', 'get_many_finish'].filter(its => its in prototype)) {
        const finish = prototype[name];
        prototype[name] = own(function (result) {
            const found = finish.call(this, result);
            return Array.isArray(found) ? found.map(toArray) : toArray(found);
        });
    }
    if (getMany !== undefined) {
        prototype.get_many = own(function (...args) {
            const keys = ofStores ? 1 : 0;
            checkArguments('get_many', args[keys]);
            args[keys] = args[keys].map(toBytes);
            return getMany.call(this, ...args, ...args.length === keys + 1 ? [null] : []).map(toArray);
        });
    }
    prototype.get_document = own(function (...args) {
        return toDocument(Ldb, this.get(...args));
    });
    prototype.get_document_async = own(async function (...args) {
        return toDocument(Ldb, await this.get_async(...args));
    });
}

// Makes the array of keys among the arguments one of bytes.
function takeKeys(name, args) {
    const at = args.findIndex(arg => Array.isArray(arg));
    if (at >= 0) {
        checkArguments(name, args[at]);
        args[at] = args[at].map(toBytes);
    }
}

function toBytes(key) {
    return key instanceof GLib.Bytes ? key : new GLib.Bytes(
        typeof key === 'string' ? new TextEncoder().encode(key) : key);
}

function isOptions(value) {
    return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

const SCAN_OPTIONS = ['store', 'prefix', 'start', 'end', 'reverse', 'keysOnly', 'limit'];

function scanOptions(Ldb, self, before, scan, scanPrefix, options) {
    for (const name of Object.keys(options)) {
        if (!SCAN_OPTIONS.includes(name))
            throw new TypeError(`scan() has no option “${name}”, but ${SCAN_OPTIONS.join(', ')}`);
    }
    const {prefix = null, start = null, end = null, reverse, keysOnly, limit = null} = options;
    const flags = (reverse ? Ldb.ScanFlags.REVERSE : 0) | (keysOnly ? Ldb.ScanFlags.KEYS_ONLY : 0);
    if (prefix !== null && (start !== null || end !== null))
        throw new TypeError('give a prefix, or a start and an end, not both');
    if (limit !== null && !(Number.isSafeInteger(limit) && limit > 0))
        throw new RangeError(`scan() has a limit of 1 or more, not ${limit}`);
    checkArguments('scan', [prefix, start, end]);
    const cursor = prefix !== null
        ? scanPrefix.call(self, ...before, prefix, flags)
        : scan.call(self, ...before, start, end, flags);
    if (limit !== null)
        cursor.set_limit(limit);
    return cursor;
}

function toDocument(Ldb, value) {
    if (value === null)
        return null;
    const variant = GLib.Variant.new_from_bytes(new GLib.VariantType('v'), new GLib.Bytes(value), false);
    const inner = variant.is_normal_form() ? variant.get_variant() : null;
    if (inner === null || inner.get_type_string() !== 'a{sv}') {
        throw new GLib.Error(Ldb.Error, Ldb.Error.WRONG_TYPE,
            'The value is no document; read it with get() or get_variant().');
    }
    return fromVariant(inner);
}

function toDocumentVariant(object) {
    if (!isOptions(object))
        throw new TypeError('a document is an object like {name: \'Alice\'}');
    return toVariant(object);
}

// Writes that take documents; the document is the last argument before a cancellable.
function write(prototype, ofStores) {
    const at = ofStores ? 2 : 1;
    prototype.put_document = own(function (...args) {
        args[at] = toDocumentVariant(args[at]);
        return this.put_variant(...args);
    });
    if (prototype.put_variant_async !== undefined) {
        prototype.put_document_async = own(function (...args) {
            args[at] = toDocumentVariant(args[at]);
            return this.put_variant_async(...args);
        });
    }
}

function iterate(Ldb, prototype) {
    const {fetch} = prototype;

    // What is ahead; the cursor is closed when the loop ends.
    prototype[Symbol.iterator] = function* () {
        const keysOnly = this.get_flags() & Ldb.ScanFlags.KEYS_ONLY;
        try {
            for (;;) {
                const [found, key, value] = fetch.call(this, null);
                if (!found)
                    return;
                yield keysOnly ? key : [key, value];
            }
        } finally {
            this.close();
        }
    };
    prototype[Symbol.asyncIterator] = async function* () {
        const keysOnly = this.get_flags() & Ldb.ScanFlags.KEYS_ONLY;
        try {
            for (;;) {
                // eslint-disable-next-line no-await-in-loop
                const records = await this.read_async(READ_AT_ONCE);
                if (records.length === 0)
                    return;
                for (const record of records)
                    yield keysOnly ? record.get_key() : [record.get_key(), record.get_value()];
            }
        } finally {
            this.close();
        }
    };
    for (const name of ['get_key', 'get_value', 'get_value_finish'])
        asArray(prototype, name);
}

function asArray(prototype, name) {
    const original = prototype[name];
    const wanted = original.length;
    prototype[name] = own(function (...args) {
        checkArguments(name, args);
        while (args.length < wanted)
            args.push(null);
        return toArray(original.apply(this, args));
    });
}

// Where bytes come from beside reads. Only what says so in its name, get_bytes(), gives GLib.Bytes, and the
// fields of boxed types, which GJS defines for good.
const BYTES = {
    Record: ['get_key', 'get_value'],
    Entry: ['get_key', 'get_value'],
    Change: ['get_key', 'get_end', 'get_value', 'get_old_value'],
    Inspector: ['get', 'get_finish'],
    PageContents: ['get_stored', 'get_decoded'],
    StorageNode: ['get_smallest', 'get_largest'],
    HealthIssue: ['get_key'],
};

// Verdicts are iterated, and verdicts and events are plain objects to JSON.stringify().
function diagnose(Ldb) {
    Ldb.Health.prototype[Symbol.iterator] = function () {
        return this.get_issues()[Symbol.iterator]();
    };
    Ldb.Health.prototype.toJSON = function () {
        return JSON.parse(this.to_json());
    };
    Object.defineProperty(Ldb.HealthIssue.prototype, 'figures', {
        get() {
            return this.get_evidence().recursiveUnpack();
        },
    });
    Ldb.Event.prototype.toJSON = function () {
        const {number, time, last, times, size, size_read, duration, message} = this;
        const kind = Object.keys(Ldb.EventKind).find(name => Ldb.EventKind[name] === this.kind);
        return {number, kind: kind.toLowerCase(), time, last, times, size, size_read, duration, message};
    };
}

const CHANGES_OPTIONS = ['key', 'prefix', 'start', 'end', 'flags'];

// What is committed from now on, for `for await`, each time with its snapshot. What is committed while the
// loop's body runs gathers, in bounds, and comes with the next turn. Leaving the loop closes the watch.
class Changes {
    constructor(watch) {
        this.watch = watch;
        this._arrived = null; // paused then, so that there is one at most
        this._arrive = () => {};
        this._awaited = false;
        watch.connect('changed', (_, changes) => {
            watch.pause();
            changes.get_snapshot(); // so that it has one still when the loop's body asks
            this._arrived = changes;
            this._arrive();
        });
        watch.connect('notify::closed', () => this._arrive());
    }

    [Symbol.asyncIterator]() {
        return this;
    }

    async next() {
        if (this._awaited)
            throw new Error('somebody waits for these changes already; make other changes()');
        this._awaited = true;
        try {
            while (this._arrived === null) {
                if (this.watch.is_closed())
                    return {done: true, value: undefined};
                this.watch.resume();
                // eslint-disable-next-line no-await-in-loop
                await new Promise(resolve => {
                    this._arrive = resolve;
                });
            }
        } finally {
            this._awaited = false;
        }
        const value = this._arrived;
        this._arrived = null;
        return {done: false, value};
    }

    async return() { // eslint-disable-line require-await
        this.close();
        return {done: true, value: undefined};
    }

    close() {
        this.watch.close();
        this._arrive();
    }
}

function watchChanges(Ldb, prototype) {
    prototype.changes = own(function (options = {}) {
        for (const name of Object.keys(options)) {
            if (!CHANGES_OPTIONS.includes(name))
                throw new TypeError(`changes() has no option “${name}”, but ${CHANGES_OPTIONS.join(', ')}`);
        }
        const {key, prefix, start, end, flags = Ldb.WatchFlags.VALUES} = options;
        const ranged = start !== undefined || end !== undefined;
        if ((key !== undefined) + (prefix !== undefined) + ranged > 1)
            throw new TypeError('give a key, a prefix, or a start and an end');
        if (key !== undefined)
            return new Changes(this.watch_key(key, flags));
        if (prefix !== undefined)
            return new Changes(this.watch_prefix(prefix, flags));
        return new Changes(ranged ? this.watch_range(start ?? null, end ?? null, flags) : this.watch_all(flags));
    });
}

// Each commit since a feed's position: up to the newest one in a `for`, for ever in a `for await`.
function feed(prototype) {
    prototype[Symbol.iterator] = function* () {
        for (let commit = this.read_commit(null); commit !== null; commit = this.read_commit(null))
            yield commit;
    };
    prototype[Symbol.asyncIterator] = async function* () {
        for (;;) {
            /* eslint-disable no-await-in-loop */
            const commit = await this.read_commit_async(null);
            if (commit === null)
                await this.wait_async(null);
            else
                yield commit;
            /* eslint-enable no-await-in-loop */
        }
    };
}

// A class that was not registered is no type to GJS, and rows would be entries.
function checkRowType(owner, name, at) {
    const {[name]: make} = owner;
    owner[name] = function (...args) {
        const type = args[at];
        if (Array.isArray(type) || (typeof type === 'function' && type.$gtype === undefined)) {
            throw new TypeError(`ListModel.${name}() takes a class of rows that GObject.registerClass() returned, ` +
                `not ${type.name || 'another object'}`);
        }
        return make.apply(this, args);
    };
}

function backOff(attempt) {
    return 10 * (attempt + 1) * (0.5 + Math.random()); // milliseconds
}

function sleep(milliseconds) {
    return new Promise(resolve => GLib.timeout_add(GLib.PRIORITY_DEFAULT, Math.ceil(milliseconds), () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
}

// Notes that a transaction was ended from here, and has not ended by itself.
function noteEnd(prototype, name, ...defaults) {
    const original = prototype[name];
    prototype[name] = own(function (...args) {
        args.push(...defaults.slice(args.length));
        const result = original.apply(this, args);
        this._settled = true;
        return result;
    });
}

function isConflict(Ldb, error) {
    return error instanceof GLib.Error && error.matches(Ldb.Error, Ldb.Error.CONFLICT);
}

// Transactions in which a function runs, and runs again after a conflict. What the function throws
// rolls back and is thrown; what it returns is returned.
function run(Ldb, prototype) {
    prototype.run = own(function (work, {flags = 0, sync = 0, retries = this.max_retries} = {}) {
        for (let attempt = 0; ; attempt++) {
            const transaction = this.begin(flags);
            try {
                const result = work(transaction);
                if (result instanceof Promise) {
                    result.catch(() => {}); // it fails, as its transaction has ended
                    throw new TypeError('run() takes a function; for an asynchronous one there is run_async()');
                }
                if (!transaction._settled)
                    transaction.commit(sync);
                return result;
            } catch (error) {
                if (transaction.is_active())
                    transaction.rollback();
                if (attempt >= retries || !isConflict(Ldb, error))
                    throw error;
            }
            GLib.usleep(backOff(attempt) * 1000);
        }
    });
    prototype.run_async = own(async function (work, {flags = 0, sync = 0, retries = this.max_retries} = {}) {
        for (let attempt = 0; ; attempt++) {
            const transaction = this.begin(flags);
            /* eslint-disable no-await-in-loop */
            try {
                const result = await work(transaction);
                if (!transaction._settled)
                    await transaction.commit_async(sync);
                return result;
            } catch (error) {
                if (transaction.is_active())
                    transaction.rollback();
                if (attempt >= retries || !isConflict(Ldb, error))
                    throw error;
            }
            await sleep(backOff(attempt));
            /* eslint-enable no-await-in-loop */
        }
    });
}

const OPENING = ['create', 'exclusive', 'readOnly', 'static', 'wait'];

function openFlags(Ldb, settings) {
    const {CREATE, EXCLUSIVE, READ_ONLY, STATIC, WAIT} = Ldb.OpenFlags;
    const flags = [CREATE, CREATE | EXCLUSIVE, READ_ONLY, STATIC, WAIT];
    return OPENING.reduce((all, name, i) => all | (settings[name] ? flags[i] : 0), 0);
}

function openOptions(Ldb, {options = null, cancellable: _cancellable, ...settings}) {
    for (const name of OPENING)
        delete settings[name];
    if (Object.keys(settings).length === 0)
        return options;
    const own = options === null ? new Ldb.Options() : options.copy();
    for (const name of Object.keys(settings)) {
        if (!(name in own) || typeof own[name] === 'function')
            throw new TypeError(`open() has no option “${name}”, and Ldb.Options has no such property`);
    }
    return Object.assign(own, settings);
}

function _init() {
    const Ldb = this;
    checkVersion(Ldb);

    for (const name of ['Database', 'Store'])
        read(Ldb, Ldb[name].prototype, false);
    for (const name of ['Snapshot', 'Transaction'])
        read(Ldb, Ldb[name].prototype, true);
    for (const name of ['Database', 'Store'])
        write(Ldb[name].prototype, false);
    for (const name of ['Transaction', 'Batch'])
        write(Ldb[name].prototype, true);
    iterate(Ldb, Ldb.Cursor.prototype);
    for (const [name, getters] of Object.entries(BYTES))
        getters.forEach(getter => asArray(Ldb[name].prototype, getter));
    for (const name of ['Database', 'Store'])
        watchChanges(Ldb, Ldb[name].prototype);
    feed(Ldb.Feed.prototype);
    for (const name of ['ListModel', 'RunningList', 'StorageNode']) {
        Ldb[name].prototype[Symbol.iterator] = function* () {
            for (let i = 0, row; (row = this.get_item(i)) !== null; i++)
                yield row;
        };
    }
    Ldb.ChangeSet.prototype[Symbol.iterator] = function () {
        return this.list()[Symbol.iterator]();
    };
    diagnose(Ldb);
    noteEnd(Ldb.Transaction.prototype, 'commit', 0, null);
    noteEnd(Ldb.Transaction.prototype, 'commit_finish');
    noteEnd(Ldb.Transaction.prototype, 'rollback');
    run(Ldb, Ldb.Database.prototype);

    for (const name of Object.keys(Ldb)) {
        const type = Ldb[name];
        if (typeof type === 'function' && type.prototype !== undefined && type.$gtype !== undefined &&
            !name.endsWith('Class')) {
            complete(type.prototype);
            complete(type);
        }
    }

    for (const [name, at] of Object.entries({new: 5, new_prefix: 4, new_mapped: 5, new_prefix_mapped: 4}))
        checkRowType(Ldb.ListModel, name, at);

    Ldb.open = (path, options = {}) => Ldb.Database.open(
        path, openFlags(Ldb, options), openOptions(Ldb, options), options.cancellable ?? null);
    Ldb.open_async = (path, options = {}) => Ldb.Database.open_async(
        path, openFlags(Ldb, options), openOptions(Ldb, options), options.cancellable ?? null);
    Ldb.to_variant = value => toVariant(value);
    Ldb.from_variant = fromVariant;
}
