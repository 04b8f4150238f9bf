#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How fast each kind of work is, in this language on this machine: final_benchmark.py DIRECTORY

What was done goes to the standard output, how fast it was to the standard error.
"""

import contextlib
import sys
import time
from typing import Iterator

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402

RECORDS = 10_000
RECORDS_A_BATCH = 100
STEP = 7919  # a prime: by steps of it each record is met once, out of order
VALUE = b"v" * 100


@contextlib.contextmanager
def measured(name: str, count: int) -> Iterator[None]:
    begin = time.monotonic()
    yield
    print(f"{name:8} {count / (time.monotonic() - begin):10.0f} a second", file=sys.stderr)


def use(db: Ldb.Database) -> None:
    with measured("put", RECORDS):
        for number in range(RECORDS):
            db[f"single:{number:05}"] = VALUE
    print(RECORDS, "put one by one")

    with measured("batch", RECORDS):
        for start in range(0, RECORDS, RECORDS_A_BATCH):
            with db.batch() as batch:
                for number in range(start, start + RECORDS_A_BATCH):
                    batch[f"batch:{number:05}"] = VALUE
    print(RECORDS, "put in batches of", RECORDS_A_BATCH)

    with measured("get", RECORDS):
        found = sum(db[f"single:{number * STEP % RECORDS:05}"] == VALUE for number in range(RECORDS))
    print(found, "got, out of order")

    with measured("scan", 2 * RECORDS):
        found = sum(value == VALUE for key, value in db.scan())
    print(found, "scanned")

    with measured("delete", RECORDS):
        for number in range(RECORDS):
            del db[f"single:{number:05}"]
    print(RECORDS, "deleted one by one")


with Ldb.open(f"{sys.argv[1]}/benchmark.db", create=True) as database:
    use(database)
