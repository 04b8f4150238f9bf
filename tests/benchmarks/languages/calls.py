#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a get and a put cost in Python, beside calls that do nothing: calls.py DIRECTORY SECONDS"""

import json
import sys
import time
from statistics import median

import gi

gi.require_version("Ldb", "1")
gi.require_version("BenchmarkNoop", "1")
from gi.repository import BenchmarkNoop, Ldb  # noqa: E402

CHUNK = 2000  # calls between two looks at the clock


def get(database, keys, value):
    for key in keys:
        if len(database.get(key, None).get_data()) != 100:
            raise RuntimeError("the value is wrong")


def put(database, keys, value):
    for key in keys:
        database.put(key, value, None)


def main():
    database = Ldb.Database.open(sys.argv[1], Ldb.OpenFlags.CREATE, None, None)
    noop = BenchmarkNoop.Noop.new()
    keys = [b"%016d" % number for number in range(1000)]
    value = b"%0100d" % 7
    put(database, keys, value)
    keys = [keys[number * 7 % 1000] for number in range(CHUNK)]
    kinds = {"get": (get, database), "no-op get": (get, noop),
             "put": (put, database), "no-op put": (put, noop)}
    costs = {row: [] for row in kinds}
    end = time.monotonic() + float(sys.argv[2])
    while len(costs["get"]) < 3 or time.monotonic() < end:
        for row, (call, target) in kinds.items():
            begun = time.perf_counter_ns()
            call(target, keys, value)
            costs[row].append((time.perf_counter_ns() - begun) / CHUNK)
    for row, its in costs.items():
        print(json.dumps({"row": row, "nanoseconds": round(median(its), 1)}))
    database.close(None)


main()
