// SPDX-License-Identifier: MIT
// What a get and a put cost in GJS, beside calls that do nothing: gjs -m calls.js DIRECTORY SECONDS
import BenchmarkNoop from 'gi://BenchmarkNoop?version=1';
import GLib from 'gi://GLib';
import Ldb from 'gi://Ldb?version=1';

const CHUNK = 2000; // calls between two looks at the clock

function get(database, keys) {
    for (const key of keys) {
        if (database.get(key, null).toArray().length !== 100)
            throw new Error('the value is wrong');
    }
}

function put(database, keys, value) {
    for (const key of keys)
        database.put(key, value, null);
}

function median(numbers) {
    return numbers.sort((one, other) => one - other)[numbers.length >> 1];
}

const [directory, seconds] = ARGV;
const database = Ldb.Database.open(directory, Ldb.OpenFlags.CREATE, null, null);
const noop = BenchmarkNoop.Noop.new();
const encoder = new TextEncoder();
const records = [...Array(1000).keys()].map(
    number => encoder.encode(String(number).padStart(16, '0')));
const value = encoder.encode('7'.padStart(100, '0'));
put(database, records, value);
const keys = [...Array(CHUNK).keys()].map(number => records[number * 7 % 1000]);

const kinds = [['get', get, database], ['no-op get', get, noop],
    ['put', put, database], ['no-op put', put, noop]];
const costs = new Map(kinds.map(([row]) => [row, []]));
const end = GLib.get_monotonic_time() + Number(seconds) * 1e6;
while (costs.get('get').length < 3 || GLib.get_monotonic_time() < end) {
    for (const [row, call, target] of kinds) {
        const begun = GLib.get_monotonic_time();
        call(target, keys, value);
        costs.get(row).push((GLib.get_monotonic_time() - begun) * 1000 / CHUNK);
    }
}
for (const [row, its] of costs)
    print(JSON.stringify({row, nanoseconds: Math.round(median(its) * 10) / 10}));
database.close(null);
