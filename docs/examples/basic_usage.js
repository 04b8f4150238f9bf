// SPDX-License-Identifier: MIT
// Opening, writing, reading, scanning, deleting: gjs -m basic_usage.js DIRECTORY
import Ldb from 'gi://Ldb?version=1';

const text = value => new TextDecoder().decode(value);

const db = Ldb.open(`${ARGV[0]}/basic.db`, {create: true});
db.put('greeting', 'hello');
print('greeting:', db.get_string('greeting'));

// What is not there is null.
print('missing:', db.get('missing') ?? '(none)');

db.put('user:1', 'Ada');
db.put('user:2', 'Bo');
db.put('user:3', 'Cy');

// Keys are ordered, so those with a common beginning lie together.
for (const [key, value] of db.scan({prefix: 'user:'}))
    print(text(key), text(value));

// Backwards, and only the first.
for (const key of db.scan({prefix: 'user:', reverse: true, limit: 1, keysOnly: true}))
    print('last user:', text(key));

db.delete('user:2');
print('after deleting user:2:', [...db.scan({prefix: 'user:', keysOnly: true})].length, 'users');
db.close();
