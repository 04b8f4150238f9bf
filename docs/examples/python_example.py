#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What Python gets: mappings, documents, ranges, errors as classes, await: python_example.py DIRECTORY"""

import asyncio
import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


def mapping(db: Ldb.Database) -> None:
    db[b"k"] = b"v"
    print(db["k"], "k" in db, db.get("x", b"nothing"))
    try:
        db["x"]
    except KeyError as error:
        print("KeyError:", error)
    print(db.setdefault("counter", b"0"), db.pop("counter"), "counter" in db)


def documents(db: Ldb.Database) -> None:
    db["user:1"] = {"name": "Alice", "age": 30, "tags": ["admin", None], "photo": b"\xff\xd8"}
    user = db["user:1"]
    user["age"] += 1
    db["user:1"] = user
    print(db["user:1"])
    # C and Vala read it as a GVariant, JavaScript as an object.
    variant = db.get_variant("user:1")
    print("nothing" if variant is None else variant.lookup_value("age", None).unpack())


def ranges(db: Ldb.Database) -> None:
    for number in range(1, 6):
        db[f"log:{number}"] = f"line {number}"
    print(list(db.keys(prefix="log:", reverse=True, limit=2)))
    print([value for _, value in db["log:2":"log:4"]])  # type: ignore[misc]
    del db["log:":"log:4"]  # type: ignore[misc]
    print(list(db.keys(prefix="log:")))


def errors(db: Ldb.Database) -> None:
    try:
        db["k" * 70000] = b""
    except Ldb.KeyTooLargeError as error:
        print("KeyTooLargeError:", error)


async def waiting(db: Ldb.Database) -> None:
    await asyncio.gather(*(db.put_async(f"async:{number}", "x") for number in range(100)))
    print(len([key async for key, value in db.scan(prefix="async:")]), await db.get_async("async:7"))

    async def count_up(transaction: Ldb.Transaction) -> int:
        value = int(await transaction.get_async(None, "n") or 0) + 1
        transaction["n"] = str(value)
        return value

    # Three at once, and no count is lost: what conflicts is done again.
    counts = await asyncio.gather(*(db.run_async(count_up, retries=100) for _ in range(3)))
    print(sorted(counts))


with Ldb.open(f"{sys.argv[1]}/example.db", create=True) as database:
    mapping(database)
    documents(database)
    ranges(database)
    errors(database)
    asyncio.run(waiting(database))
