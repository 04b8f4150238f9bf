// SPDX-License-Identifier: MIT
// Many records at once: batches, reading many, ranges, bulk loads: gjs -m batch_operations.js DIRECTORY
import Ldb from 'gi://Ldb?version=1';

function count(db, prefix) {
    return [...db.scan({prefix, keysOnly: true})].length;
}

const db = Ldb.open(`${ARGV[0]}/batch.db`, {create: true});
const before = db.get_sequence();
const batch = new Ldb.Batch();
for (let number = 0; number < 1000; number++)
    batch.put(null, `item:${String(number).padStart(4, '0')}`, `${number}`);
db.write_batch(batch);
print(count(db, 'item:'), 'records in', db.get_sequence() - before, 'commit');

const values = db.get_many(['item:0000', 'item:0500', 'item:none']);
print(...values.map(value => value === null ? '(none)' : new TextDecoder().decode(value)));

db.delete_range('item:0500', 'item:1000');
print(count(db, 'item:'), 'left');

// Records in any order, which appear all at once; faster than writing when there are very many.
const loader = db.create_loader();
for (let number = 9999; number >= 0; number--)
    loader.put(null, `loaded:${String(number).padStart(5, '0')}`, 'x');
loader.commit();
print(count(db, 'loaded:'), 'loaded');
db.close();
