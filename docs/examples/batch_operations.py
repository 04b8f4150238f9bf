#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many records at once: batches, reading many, ranges, bulk loads: batch_operations.py DIRECTORY"""

import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


def count(db: Ldb.Database, prefix: str) -> int:
    return sum(1 for key in db.keys(prefix=prefix))


with Ldb.open(f"{sys.argv[1]}/batch.db", create=True) as db:
    before = db.get_sequence()
    with db.batch() as batch:
        for number in range(1000):
            batch[f"item:{number:04}"] = str(number)
    print(count(db, "item:"), "records in", db.get_sequence() - before, "commit")

    values = db.get_many(["item:0000", "item:0500", "item:none"])
    print(*("(none)" if value is None else value.decode() for value in values))

    db.delete_range("item:0500", "item:1000")  # or: del db["item:0500":"item:1000"]
    print(count(db, "item:"), "left")

    # Records in any order, which appear all at once; faster than writing when there are very many.
    with db.create_loader() as loader:
        for number in reversed(range(10000)):
            loader[f"loaded:{number:05}"] = b"x"
    print(count(db, "loaded:"), "loaded")
