# SPDX-License-Identifier: MIT
"""What type checkers make of the API: test_types.py runs mypy over this. A line that ends in a comment
“# wrong” has to be complained about, no other line. (Without stubs of PyGObject, GObject and so every
class of ours might have any member.)"""

from typing import Optional

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


def mapping(path: str) -> None:
    with Ldb.open(path, create=True, cache_size=1 << 25) as db:
        db[b"k"] = b"v"
        db["user:1"] = {"name": "Alice", "age": 30}
        db["k"] = 1  # wrong
        db[1]  # wrong
        name: str = db["user:1"]["name"]
        print(name, "k" in db, db.get("x", b""))
        for key, value in db.scan(prefix="user:"):
            print(key, value)
        keys: list[bytes] = list(db.keys(prefix=b"user:", reverse=True, limit=3))
        texts: list[str] = list(db.keys())  # wrong
        pairs: list[tuple[bytes, object]] = list(db.items(start="a", stop="b"))
        del db["a":"b"]  # type: ignore[misc] # mypy before 1.16 knows integers in slices only
        found, data = db.lookup("k")
        size: int = len(data) if found else 0
        print(keys, texts, pairs, size, db.get_sequence() + 1)
        db.put("k", 7)  # wrong
        db.nothing_like_this  # wrong if GObject is known
        sequence: str = db.get_sequence()  # wrong
        print(sequence)


def transactions(db: Ldb.Database, store: Ldb.Store) -> int:
    with db.begin(Ldb.TransactionFlags.SERIALIZABLE) as transaction:
        transaction["a"] = b"1"
        transaction.for_store(store)["b"] = "2"
        transaction.get(store, "b")
        transaction.put(None, "c", "3")
        transaction.commit(Ldb.SyncMode.FULL)
        transaction.commit("full")  # wrong
    with db.begin() as transaction, db.batch() as batch, db.create_snapshot() as snapshot:
        batch["a"] = transaction["a"]
        batch["a"]  # wrong if GObject is known
        snapshot["a"] = b""  # wrong if GObject is known
    try:
        return db.run(lambda transaction: 7)
    except Ldb.ConflictError as error:
        text: str = error.message
        raise Ldb.NotFoundError(text) from error


async def waiting(db: Ldb.Database) -> Optional[str]:
    await db.put_async("k", "v")
    value: bytes = await db.get_async("k")
    text: Optional[str] = await db.get_string_async("k")
    wrong: int = await db.get_string_async("k")  # wrong
    report: Ldb.CheckReport = await db.check_async(Ldb.CheckFlags.DEEP)
    async for key, found in db.scan():
        print(key, found, report.fault_count + 1, value, wrong)
    store = await db.open_store_async("s", Ldb.OpenFlags.CREATE)
    store["a"] = b""
    db.get_async("k", None, lambda source, result, *data: None)
    async with db.begin() as transaction:
        transaction["a"] = b""
    opened = await Ldb.open_async("path", create=True, cancellable=None)
    taken: bool = await opened.take_over_async()
    assert taken
    opened.close()
    return text
