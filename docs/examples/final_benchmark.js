// SPDX-License-Identifier: MIT
// How fast each kind of work is, in this language on this machine: gjs -m final_benchmark.js DIRECTORY
//
// What was done goes to the standard output, how fast it was to the standard error.
import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';

const RECORDS = 10000;
const RECORDS_A_BATCH = 100;
const STEP = 7919; // a prime: by steps of it each record is met once, out of order
const VALUE = 'v'.repeat(100);

const decoder = new TextDecoder();
const key = (prefix, number) => `${prefix}:${String(number).padStart(5, '0')}`;

function measure(name, count, work) {
    const begin = GLib.get_monotonic_time();
    print(work());
    const seconds = (GLib.get_monotonic_time() - begin) / 1e6;
    printerr(name.padEnd(8), (count / seconds).toFixed(0).padStart(10), 'a second');
}

const db = Ldb.open(`${ARGV[0]}/benchmark.db`, {create: true});

measure('put', RECORDS, () => {
    for (let number = 0; number < RECORDS; number++)
        db.put(key('single', number), VALUE);
    return `${RECORDS} put one by one`;
});

measure('batch', RECORDS, () => {
    const batch = new Ldb.Batch();
    for (let number = 0; number < RECORDS; number++) {
        batch.put(null, key('batch', number), VALUE);
        if ((number + 1) % RECORDS_A_BATCH === 0) {
            db.write_batch(batch);
            batch.clear();
        }
    }
    return `${RECORDS} put in batches of ${RECORDS_A_BATCH}`;
});

measure('get', RECORDS, () => {
    let found = 0;
    for (let number = 0; number < RECORDS; number++)
        found += db.get_string(key('single', number * STEP % RECORDS)) === VALUE;
    return `${found} got, out of order`;
});

measure('scan', 2 * RECORDS, () => {
    let found = 0;
    for (const [, value] of db.scan())
        found += decoder.decode(value) === VALUE;
    return `${found} scanned`;
});

measure('delete', RECORDS, () => {
    for (let number = 0; number < RECORDS; number++)
        db.delete(key('single', number));
    return `${RECORDS} deleted one by one`;
});

db.close();
