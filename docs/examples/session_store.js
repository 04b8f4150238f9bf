// SPDX-License-Identifier: MIT
// Sessions that expire: gjs -m session_store.js DIRECTORY
//
// Each session is kept under its token, and once more in a store that is ordered by expiry. What has
// expired lies at that store's beginning: one scan finds it, one batch deletes it.
import Ldb from 'gi://Ldb?version=1';

class SessionStore {
    constructor(db, lifetime) {
        this._db = db;
        this._lifetime = lifetime; // seconds
        this._sessions = db.open_store('sessions', Ldb.OpenFlags.CREATE);
        this._expiry = db.open_store('expiry', Ldb.OpenFlags.CREATE);
    }

    // Makes or renews a session.
    save(token, session, now) {
        const expires = now + this._lifetime;
        this._db.run(transaction => {
            const before = transaction.get_document(this._sessions, token);
            if (before !== null)
                transaction.delete(this._expiry, this._entry(before.expires, token));
            transaction.put_document(this._sessions, token, {...session, expires});
            transaction.put(this._expiry, this._entry(expires, token), '');
        });
    }

    get(token, now) {
        const session = this._sessions.get_document(token);
        return session !== null && session.expires > now ? session : null;
    }

    // Deletes what has expired; how many sessions that were.
    purge(now) {
        const batch = new Ldb.Batch();
        let count = 0;
        for (const key of this._expiry.scan({end: this._entry(now + 1, ''), keysOnly: true})) {
            const entry = new TextDecoder().decode(key);
            batch.delete(this._expiry, key);
            batch.delete(this._sessions, entry.slice(entry.indexOf(':') + 1));
            count++;
        }
        this._db.write_batch(batch);
        return count;
    }

    _entry(expires, token) {
        return `${String(expires).padStart(12, '0')}:${token}`;
    }
}

const db = Ldb.open(`${ARGV[0]}/sessions.db`, {create: true});
const store = new SessionStore(db, 3600);
store.save('t1', {user: 'ada'}, 1000);
store.save('t2', {user: 'bo'}, 2000);
store.save('t1', {user: 'ada', page: 7}, 3000); // renewed
print(JSON.stringify(store.get('t1', 4000)));
print(store.get('t2', 5600));
print('purged:', store.purge(5600));
print('left:', [...db.open_store('sessions').scan()].length, [...db.open_store('expiry').scan()].length);
db.close();
