# SPDX-License-Identifier: MIT
"""A program with a database that others may look into: application.py FOLDER

It does what it is told on its standard input, a line each, and answers with a line when that is done:

  put N           writes N records
  get N           looks N records up
  sync N          writes N records, each of them durable when it answers
  slow N          operations count as slow from N microseconds on
  flush N         writes N records, and what is in memory to a run
  compact N       merges all runs
  conflict N      N transactions are refused, because others were quicker
  begin N         begins a transaction that writes N records and stays open
  serialize N     likewise one that is serializable, and reads N records
  commit 0        commits the last of these that is open
  hold 0          holds a snapshot; release 0 gives it back
  fill N          writes N records, many at a time
  key NAME        writes a key of a name, or another value to it
  forget NAME     deletes it
  watch PREFIX    watches the keys with a prefix
  list PREFIX     shows these keys in a list
  told N          runs its main loop until its watches were told of changes N times in all
  expect KEY=TEXT checks that a key has this value, or (KEY) that there is none
  forms 0         writes a record of each form, and one to a store “other”
  odd 0           writes records that take more to show than they look like
  control N       inspectors may change things, or (0) may not
  share N         inspectors may look from now on, or (0) may not
"""

import struct
import sys
import zlib

import gi

gi.require_version("Ldb", "1")
from gi.repository import GLib, Ldb  # noqa: E402


def picture(width, height, rows):
    """A gray PNG that says it is so large, and has so many rows."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(bytes(width + 1) * rows)) + chunk(b"IEND", b"")


class Application:
    def __init__(self, folder):
        self.database = Ldb.Database.open(folder, Ldb.OpenFlags.CREATE, Ldb.Options(transaction_timeout=600000))
        self.written = 0
        self.open, self.snapshot = [], None
        self.watches, self.times_told = [], 0

    def put(self, count):
        for _ in range(count):
            self.database[f"key{self.written:08}"] = f"value {self.written}"
            self.written += 1

    def get(self, count):
        for i in range(count):
            self.database.get(f"key{i % max(self.written, 1):08}".encode())

    def sync(self, count):
        for _ in range(count):
            batch = Ldb.Batch()
            batch.put_string(None, f"key{self.written:08}", f"value {self.written}")
            self.database.write_batch(batch, Ldb.SyncMode.FULL)
            self.written += 1

    def fill(self, count):
        end = self.written + int(count)
        while self.written < end:
            batch = range(self.written, min(self.written + 10000, end))
            self.database.update((f"key{i:08}", f"value {i}") for i in batch)
            self.written = batch.stop

    def key(self, name):
        self.written += 1
        self.database[name] = f"value {self.written}"

    def forget(self, name):
        del self.database[name]

    def watch(self, prefix):
        self.watches.append(self.database.watch_prefix(prefix.encode(), Ldb.WatchFlags.NONE))
        self.watches[-1].connect("changed", self.on_changed)

    def list(self, prefix):
        rows = Ldb.ListModel.new_prefix(self.database, None, prefix.encode(), Ldb.ListFlags.NONE, Ldb.Entry)
        rows.connect("items-changed", self.on_changed)
        self.watches.append(rows)
        while rows.props.pending:
            GLib.MainContext.default().iteration(True)
        self.times_told = 0

    def on_changed(self, *_):
        self.times_told += 1

    def told(self, times):
        while self.times_told < times:
            GLib.MainContext.default().iteration(True)

    def expect(self, record):
        key, equals, value = record.partition("=")
        found = self.database.get(key.encode())
        assert found == (value.encode() if equals else None), found

    def forms(self, _):
        self.database["user:ada:name"] = "Ada"
        self.database["user:ada:card"] = '{"phone": [1, 2]}'
        self.database["user:bob"] = {"age": 7, "tags": ["a", "b"]}
        self.database["binary"] = bytes(range(20))
        self.database["large"] = "x" * 300000
        self.database.open_store("other", Ldb.OpenFlags.CREATE)["k"] = "v"

    def odd(self, _):
        self.database["odd:deep"] = "[" * 199 + "1," * 500000 + "1" + "]" * 199
        self.database["odd:dump"] = bytes(range(256)) * 1024
        self.database["odd:line"] = "x" * 65000
        self.database["odd:marks"] = "a" + "\u0300" * 30000
        self.database["odd:picture:huge"] = picture(100000, 100000, 1)
        self.database["odd:picture:wide"] = picture(40000, 1, 1)

    def slow(self, microseconds):
        self.database.set_slow_threshold(microseconds)

    def share(self, allowed):
        self.database.props.inspectable = bool(allowed)

    def flush(self, count):
        self.put(count)
        self.database.flush()

    def compact(self, _):
        self.database.compact()

    def conflict(self, count):
        for _ in range(count):
            transaction = self.database.begin(Ldb.TransactionFlags.NONE)
            transaction.put_string(None, "contested", "by the transaction")
            self.database["contested"] = "by another"
            try:
                transaction.commit(Ldb.SyncMode.DEFAULT)
            except Ldb.ConflictError:
                continue
            raise AssertionError("there was no conflict")

    def begin(self, count):
        self.open.append(self.database.begin(Ldb.TransactionFlags.NONE))
        for i in range(count):
            self.open[-1].put_string(None, f"open{i:08}", f"value {i}")

    def serialize(self, count):
        self.open.append(self.database.begin(Ldb.TransactionFlags.SERIALIZABLE))
        for i in range(count):
            self.open[-1].get(None, f"key{i:08}".encode(), None)

    def commit(self, _):
        self.open.pop().commit(Ldb.SyncMode.DEFAULT)

    def hold(self, _):
        self.snapshot = self.database.create_snapshot()

    def release(self, _):
        self.snapshot = None

    def control(self, allowed):
        self.database.props.control_allowed = bool(allowed)


application = Application(sys.argv[1])
print("open", flush=True)
for line in sys.stdin:
    command, argument = line.rstrip("\n").split(" ", 1)
    getattr(application, command)(int(argument) if argument.isdecimal() else argument)
    print("done", flush=True)
application.database.close()
