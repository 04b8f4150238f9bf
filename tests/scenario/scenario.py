#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The story of story.txt in Python: scenario.py DIRECTORY sync | async | glib"""

import asyncio
import sys
from typing import Any, Optional

import gi

gi.require_version("Ldb", "1")
from gi.repository import GLib, Ldb  # noqa: E402


class Teller:
    """Makes each call in its synchronous or asynchronous form."""

    def __init__(self, asynchronously: bool) -> None:
        self.asynchronously = asynchronously

    async def call(self, target: Any, name: str, *arguments: Any) -> Any:
        if self.asynchronously:
            return await getattr(target, name + "_async")(*arguments)
        return getattr(target, name)(*arguments)

    async def error(self, target: Any, name: str, *arguments: Any) -> str:
        try:
            await self.call(target, name, *arguments)
        except Ldb.DatabaseError as error:
            self.message = error.message
            return next(code for code in dir(Ldb.Error)
                        if code.isupper() and int(getattr(Ldb.Error, code)) == error.code)
        return "no error"


def text(value: Optional[bytes]) -> str:
    return "(none)" if value is None else value.decode()


def yes(what: object) -> str:
    return "yes" if what else "no"


async def keys_of(teller: Teller, cursor: Ldb.Cursor) -> str:
    keys = []
    while await teller.call(cursor, "next"):
        keys.append(text(cursor.key))
    return " ".join(keys)


async def read_and_write(teller: Teller, db: Ldb.Database) -> None:
    print("# Reading and writing")
    await teller.call(db, "put", b"k", b"v\0w")
    print("k =", (await teller.call(db, "get", b"k")).hex(" "))
    print("absent =", text(await teller.call(db, "get", b"absent")))
    print("contains k:", yes(await teller.call(db, "contains", b"k")))
    await teller.call(db, "delete", b"k")
    await teller.call(db, "delete", b"k")
    print("deleted twice, contains k:", yes(await teller.call(db, "contains", b"k")))
    user = {"name": GLib.Variant("s", "Alice"), "age": GLib.Variant("i", 30)}
    await teller.call(db, "put_variant", b"user", GLib.Variant("a{sv}", user))
    found = (await teller.call(db, "get_variant", b"user", None)).unpack()
    print(f"user: {found['name']}, {found['age']}")
    print("user as a string:",
          await teller.error(db, "get_variant", b"user", GLib.VariantType.new("s")))
    await teller.call(db, "delete_string", "user")


async def batch_and_many(teller: Teller, db: Ldb.Database) -> None:
    print("# A batch")
    before = db.get_sequence()
    batch = Ldb.Batch.new()
    for name in ("apple", "banana", "cherry", "date", "elder"):
        batch[name] = name
    await teller.call(db, "write_batch", batch, Ldb.SyncMode.DEFAULT)
    print(f"{batch.get_count()} operations, {db.get_sequence() - before} commit")
    print("# Many at once")
    print(" ".join(map(text, await teller.call(db, "get_many", ["cherry", "nothing", "apple"]))))


async def scan(teller: Teller, db: Ldb.Database) -> None:
    print("# Scans")
    cursor = db.scan()
    print(await keys_of(teller, cursor))
    await teller.call(cursor, "previous")
    print("back from the end:", text(cursor.key), "=", text(await teller.call(cursor, "get_value")))
    await teller.call(cursor, "first")
    print("first:", text(cursor.key))
    down = db.scan("b", "date", reverse=True)
    print("from date downwards:", await keys_of(teller, down))
    await teller.call(down, "seek", b"bz")
    print("nearest below bz:", text(down.key))
    print("two keys:", await keys_of(teller, db.scan(keys_only=True, limit=2)))
    records = await teller.call(db.scan(start="b"), "read", 2)
    print("records:", " ".join(text(record.key) for record in records))


async def conflict_and_retry(teller: Teller, db: Ldb.Database) -> None:
    print("# Conflict")
    one, two = db.begin(), db.begin()
    one["apple"] = "green"
    two["apple"] = "red"
    print("inside:", text(one["apple"]))
    print("outside:", text(db["apple"]))
    await teller.call(one, "commit", Ldb.SyncMode.DEFAULT)
    print("the first:", "committed" if one.get_commit_sequence() == db.get_sequence() else "?")
    code = await teller.error(two, "commit", Ldb.SyncMode.DEFAULT)
    print(f"the second: {code},", "apple" if "apple" in teller.message else "?")
    print("# Retries")
    calls = 0

    def count_up(transaction: Ldb.Transaction, *data: object) -> bool:
        nonlocal calls
        calls += 1
        value = int(transaction.get("counter", b"0"))
        if calls < 3:
            db["counter"] = "10"
        transaction["counter"] = str(value + 1)
        return True

    await teller.call(db, "run_transaction", Ldb.TransactionFlags.NONE, count_up)
    print(f"{calls} calls, counter {text(db['counter'])}")
    await teller.call(db, "delete", "counter")


async def save_and_go_back(teller: Teller, db: Ldb.Database) -> None:
    print("# Savepoint")
    transaction = db.begin(Ldb.TransactionFlags.SERIALIZABLE)
    transaction["fig"] = "1"
    savepoint = transaction.savepoint()
    del transaction["a":"d"]  # type: ignore[misc]
    print("inside:", await keys_of(teller, transaction.scan()))
    transaction.rollback_to(savepoint)
    print("after going back, downwards:", await keys_of(teller, transaction.scan(reverse=True)))
    await teller.call(transaction, "commit", Ldb.SyncMode.FULL)
    print("durable:", yes(db.get_durable_sequence() >= transaction.get_commit_sequence()))


async def look_back(teller: Teller, db: Ldb.Database) -> None:
    print("# Snapshot")
    snapshot = db.create_snapshot()
    await teller.call(db, "put_string", "fig", "2")
    await teller.call(db, "put_string", "grape", "2")
    then = text(await teller.call(snapshot, "get", None, b"fig"))
    print(f"then {then}, now {await teller.call(db, 'get_string', 'fig')}")
    both = await teller.call(snapshot, "get_many", None, ["fig", "grape"])
    print("fig, of two keys" if [value is not None for value in both] == [True, False] else "?")
    snapshot.close()
    print("closed:", await teller.error(snapshot, "get", None, b"fig"))


async def use_stores(teller: Teller, db: Ldb.Database) -> None:
    print("# Stores")
    people = await teller.call(db, "open_store", "people", Ldb.OpenFlags.CREATE)
    places = await teller.call(db, "open_store", "places", Ldb.OpenFlags.CREATE)
    transaction = db.begin()
    transaction.put(people, "ada", "London")
    transaction.put(places, "London", "ada")
    await teller.call(transaction, "commit", Ldb.SyncMode.DEFAULT)
    print("ada lives in", await teller.call(people, "get_string", "ada"))
    print("in the default store:", text(await teller.call(db, "get", "ada")))
    print(" ".join(await teller.call(db, "list_stores")))
    await teller.call(people, "put", "bob", "Paris")
    print(await keys_of(teller, people.scan()))
    batch = Ldb.Batch.new()
    batch.put(people, "paris", "bob")
    batch.delete(people, "ada")
    await teller.call(db, "write_batch", batch, Ldb.SyncMode.DEFAULT)
    print(await keys_of(teller, people.scan()))
    await teller.call(db, "drop_store", "places")
    print("places is dropped:", await teller.error(db, "open_store", "places", Ldb.OpenFlags.NONE))


async def delete_ranges(teller: Teller, db: Ldb.Database) -> None:
    print("# Ranges")
    await teller.call(db, "delete_range", "b", "e")
    await teller.call(db, "delete_prefix", "gr")
    print(await keys_of(teller, db.scan()))


async def load(teller: Teller, db: Ldb.Database) -> None:
    print("# Bulk load")
    store = await teller.call(db, "open_store", "loaded", Ldb.OpenFlags.CREATE)
    loader = db.create_loader()
    loader.put(store, "b", "2")
    await teller.call(loader, "put_many", store, [Ldb.Record.new("a", "1")])
    count = loader.get_count()
    await teller.call(loader, "commit")
    print(f"loaded {count}: {await keys_of(teller, store.scan())}")
    await teller.call(db, "drop_store", "loaded")


async def outcome(teller: Teller, db: Ldb.Database) -> str:
    people = await teller.call(db, "open_store", "people", Ldb.OpenFlags.NONE)
    return ", ".join([await keys_of(teller, db.scan()), await teller.call(db, "get_string", "apple"),
                      await teller.call(people, "get_string", "bob")])


async def look_after(teller: Teller, db: Ldb.Database, path: str) -> None:
    print("# Upkeep")
    steps = []

    def progress(done: int, total: int, step: str, *data: object) -> None:
        steps.append(step)

    await teller.call(db, "sync")
    await teller.call(db, "flush")
    await teller.call(db, "compact", progress)
    await teller.call(db, "checkpoint")
    print(await outcome(teller, db))
    result = await teller.call(db, "backup", path + ".backup", Ldb.BackupFlags.VERIFY, progress)
    print("told of progress:", yes(steps))
    print("backup of the newest commit:", yes(result.sequence == db.get_sequence()))
    print("faults:", (await teller.call(db, "check", Ldb.CheckFlags.DEEP)).fault_count)
    restored = path + ".restored"
    await teller.call(Ldb.Database, "restore", path + ".backup", restored)
    copy = await teller.call(Ldb.Database, "open", restored, Ldb.OpenFlags.NONE)
    print("restored:", await outcome(teller, copy))
    await teller.call(copy, "close")
    report = await teller.call(Ldb.Database, "repair", restored, path + ".repaired")
    print("lost pages:", report.lost_pages)


async def take_over(teller: Teller, path: str) -> None:
    print("# Taking over")
    db = await teller.call(Ldb.Database, "open", path, Ldb.OpenFlags.READ_ONLY)
    told: list[bool] = []
    db.connect("notify::read-only", lambda db, pspec: told.append(db.props.read_only))
    snapshot = db.create_snapshot()
    code = await teller.error(db, "put_string", "apple", "yellow")
    print(f"to read: {yes(db.is_read_only())}, {code}")
    await teller.call(db, "take_over")
    print(f"to write: {yes(db.is_read_only())}, told: {yes(told == [False])}")
    await teller.call(db, "put_string", "apple", "yellow")
    print(await outcome(teller, db))
    print("then:", await teller.call(snapshot, "get_string", None, "apple"))
    await teller.call(db, "close")


async def tell(teller: Teller, path: str) -> None:
    db = await teller.call(Ldb.Database, "create", path)
    for chapter in (read_and_write, batch_and_many, scan, conflict_and_retry, save_and_go_back,
                    look_back, use_stores, delete_ranges, load):
        await chapter(teller, db)
    await look_after(teller, db, path)
    print("# Closing")
    await teller.call(db, "close")
    print("closed:", await teller.error(db, "get", b"apple"))
    again = await teller.call(Ldb.Database, "open", path, Ldb.OpenFlags.NONE)
    print("again:", await outcome(teller, again))
    await teller.call(again, "close")
    await take_over(teller, path)
    await teller.call(Ldb.Database, "destroy", path)
    print("destroyed:", await teller.error(Ldb.Database, "open", path, Ldb.OpenFlags.NONE))


def main() -> None:
    path, form = sys.argv[1] + "/database", sys.argv[2]
    if form == "sync":
        try:
            tell(Teller(False), path).send(None)  # it never waits
        except StopIteration:
            pass
    elif form == "async":
        asyncio.run(tell(Teller(True), path))
    else:
        loop = GLib.MainLoop()
        outcome = Ldb.spawn(tell(Teller(True), path))
        outcome.add_done_callback(lambda outcome: loop.quit())
        loop.run()
        outcome.result()


main()
