#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The introspected API by itself, without the override: as any language with introspection has it."""

import json
import os
import sys
import tempfile
import unittest

import gi

sys.modules["gi.overrides.Ldb"] = None  # also where one is installed
gi.require_version("Ldb", "1")
from gi.repository import Gio, GLib, Ldb  # noqa: E402


def text(data):
    """The bytes of a GLib.Bytes, or None."""
    return None if data is None else data.get_data()


def keys_of(cursor):
    keys = []
    while cursor.next(None):
        keys.append(cursor.get_key().get_data().decode())
    return " ".join(keys)


class Waiter:
    """Runs the main loop until an asynchronous call has its result."""

    def __init__(self):
        self.loop = GLib.MainLoop()
        self.result = None

    def __call__(self, source, result, *data):
        self.result = result
        self.loop.quit()

    def wait(self):
        self.loop.run()
        return self.result


def call(method, finish, *arguments):
    done = Waiter()
    method(*arguments, None, done)
    return finish(done.wait())


class Scenario(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ldb-python-")
        self.path = os.path.join(self.directory.name, "database")

    def tearDown(self):
        self.directory.cleanup()

    def assert_fails(self, code, function, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            function(*arguments)
        error = caught.exception
        self.assertTrue(error.matches(Ldb.Error.quark(), code), error)
        return error.message

    def put_fruit(self, db):
        batch = Ldb.Batch.new()
        for name in ["apple", "banana", "cherry", "date", "elder"]:
            batch.put_string(None, name, name)
        self.assertEqual(batch.get_count(), 5)
        db.write_batch(batch, Ldb.SyncMode.DEFAULT, None)
        self.assertEqual(batch.get_sequence(), db.get_sequence())

    def test_no_override(self):
        self.assertFalse(hasattr(Ldb, "spawn"))

    def test_sync(self):
        db = Ldb.Database.create(self.path, None, None)
        db.put(b"k", b"v\0w", None)
        self.assertEqual(text(db.get(b"k", None)), b"v\0w")
        self.assertIsNone(db.get(b"absent", None))
        self.assertTrue(db.contains(b"k", None))
        db.delete(b"k", None)
        self.assertFalse(db.contains(b"k", None))
        db.put_variant(b"user", GLib.Variant("a{sv}", {"age": GLib.Variant("i", 30)}), None)
        self.assertEqual(db.get_variant(b"user", None, None).unpack(), {"age": 30})
        self.assert_fails(
            Ldb.Error.WRONG_TYPE, db.get_variant, b"user", GLib.VariantType("s"), None
        )
        db.delete_string("user", None)

        self.put_fruit(db)
        keys = [GLib.Bytes(key) for key in (b"cherry", b"nothing", b"apple")]
        self.assertEqual(
            [text(value) for value in db.get_many(keys, None)], [b"cherry", None, b"apple"]
        )
        self.scan(db)
        self.transactions(db)
        self.snapshots(db)
        self.stores(db)
        db.delete_range(b"b", b"e", None)
        self.outcome(db)
        self.assertTrue(db.compact(None, None, None))
        self.outcome(db)
        self.copy(db)
        db.close(None)
        self.assertIn(
            "open it again", self.assert_fails(Ldb.Error.CLOSED, db.get, b"apple", None)
        )
        again = Ldb.Database.open(self.path, Ldb.OpenFlags.NONE, None, None)
        self.outcome(again)
        again.close(None)
        Ldb.Database.destroy(self.path, None)
        self.assertFalse(os.path.exists(self.path))

    def scan(self, db):
        cursor = db.scan(None, None, Ldb.ScanFlags.NONE)
        self.assertEqual(keys_of(cursor), "apple banana cherry date elder")
        self.assertTrue(cursor.previous(None))
        self.assertEqual(text(cursor.get_key()), b"elder")
        self.assertEqual(text(cursor.get_value(None)), b"elder")
        down = db.scan(b"b", b"date", Ldb.ScanFlags.REVERSE)
        self.assertEqual(keys_of(down), "cherry banana")
        self.assertTrue(down.seek(b"bz", None))
        self.assertEqual(text(down.get_key()), b"banana")
        limited = db.scan_prefix(b"", Ldb.ScanFlags.KEYS_ONLY)
        limited.props.limit = 2
        records = limited.read(100, None)
        self.assertEqual([text(r.get_key()) for r in records], [b"apple", b"banana"])
        self.assertIsNone(records[0].get_value())

    def transactions(self, db):
        one = db.begin(Ldb.TransactionFlags.NONE)
        two = db.begin(Ldb.TransactionFlags.NONE)
        one.put_string(None, "apple", "green")
        two.put_string(None, "apple", "red")
        self.assertEqual(one.get_string(None, "apple", None), "green")
        self.assertEqual(db.get_string("apple", None), "apple")
        one.commit(Ldb.SyncMode.DEFAULT, None)
        self.assertEqual(one.get_commit_sequence(), db.get_sequence())
        self.assertIn(
            "apple", self.assert_fails(Ldb.Error.CONFLICT, two.commit, Ldb.SyncMode.DEFAULT, None)
        )

        calls = []

        def count_up(transaction, *data):
            calls.append(transaction.get_id())
            value = int(transaction.get_string(None, "counter", None) or 0)
            if len(calls) < 3:
                db.put_string("counter", "10", None)
            transaction.put_string(None, "counter", str(value + 1))
            return True

        self.assertTrue(
            db.run_transaction(Ldb.TransactionFlags.NONE, count_up, None, None)
        )
        self.assertEqual(len(calls), 3)
        self.assertEqual(db.get_string("counter", None), "11")
        db.delete_string("counter", None)

        transaction = db.begin(Ldb.TransactionFlags.SERIALIZABLE)
        transaction.put_string(None, "fig", "1")
        savepoint = transaction.savepoint()
        transaction.delete_range(None, b"a", b"d")
        inside = transaction.scan(None, None, None, Ldb.ScanFlags.NONE)
        self.assertEqual(keys_of(inside), "date elder fig")
        transaction.rollback_to(savepoint)
        transaction.commit(Ldb.SyncMode.FULL, None)
        self.assertGreaterEqual(db.get_durable_sequence(), transaction.get_commit_sequence())

    def snapshots(self, db):
        snapshot = db.create_snapshot()
        db.put_string("fig", "2", None)
        self.assertEqual(snapshot.get_string(None, "fig", None), "1")
        snapshot.close()
        self.assert_fails(Ldb.Error.CLOSED, snapshot.get, None, b"fig", None)

    def stores(self, db):
        people = db.open_store("people", Ldb.OpenFlags.CREATE, None)
        people.put_string("ada", "London", None)
        self.assertIsNone(db.get_string("ada", None))
        self.assertEqual(db.list_stores(None), ["default", "people"])
        batch = Ldb.Batch.new()
        batch.put_string(people, "bob", "Paris")
        batch.put_string(None, "grape", "3")
        db.write_batch(batch, Ldb.SyncMode.DEFAULT, None)
        self.assertEqual(keys_of(people.scan(None, None, Ldb.ScanFlags.NONE)), "ada bob")
        db.delete_prefix(b"gr", None)

    def outcome(self, db):
        self.assertEqual(
            keys_of(db.scan(None, None, Ldb.ScanFlags.NONE)), "apple elder fig"
        )
        self.assertEqual(db.get_string("apple", None), "green")
        people = db.open_store("people", Ldb.OpenFlags.NONE, None)
        self.assertEqual(people.get_string("bob", None), "Paris")

    def copy(self, db):
        steps = []

        def progress(done, total, step, *data):
            steps.append(step)

        backup = os.path.join(self.directory.name, "backup")
        restored = os.path.join(self.directory.name, "restored")
        result = db.backup(backup, Ldb.BackupFlags.VERIFY, progress, None, None)
        self.assertEqual(result.sequence, db.get_sequence())
        report = db.check(Ldb.CheckFlags.DEEP, None, None, None)
        self.assertEqual(report.fault_count, 0)
        self.assertEqual(report.get_faults(), [])
        Ldb.Database.restore(backup, restored, None, None, None)
        copy = Ldb.Database.open(restored, Ldb.OpenFlags.NONE, None, None)
        self.outcome(copy)
        copy.close(None)

    def test_async(self):
        waiter = Waiter()
        Ldb.Database.open_async(self.path, Ldb.OpenFlags.CREATE, None, None, waiter)
        db = Ldb.Database.open_finish(waiter.wait())

        self.assertTrue(call(db.put_async, db.put_finish, b"k", b"v"))
        self.assertEqual(text(call(db.get_async, db.get_finish, b"k")), b"v")
        self.assertIsNone(call(db.get_async, db.get_finish, b"absent"))
        self.put_fruit(db)
        cursor = db.scan_prefix(b"", Ldb.ScanFlags.NONE)
        records = call(cursor.read_async, cursor.read_finish, 3)
        self.assertEqual([text(r.get_key()) for r in records], [b"apple", b"banana", b"cherry"])
        transaction = db.begin(Ldb.TransactionFlags.NONE)
        transaction.put_string(None, "k", "w")
        self.assertTrue(
            call(transaction.commit_async, transaction.commit_finish, Ldb.SyncMode.DEFAULT)
        )
        self.assertEqual(call(db.get_string_async, db.get_string_finish, "k"), "w")
        done = Waiter()
        db.run_transaction_async(
            Ldb.TransactionFlags.NONE,
            lambda t, *data: t.put_string(None, "k", "x"),
            (),
            None,
            done,
        )
        self.assertTrue(db.run_transaction_finish(done.wait()))
        self.assertEqual(db.get_string("k", None), "x")
        steps = []
        self.assertTrue(call(db.compact_async, db.compact_finish, lambda *step: steps.append(step)))
        backup = self.path + ".backup"
        call(db.backup_async, db.backup_finish, backup, Ldb.BackupFlags.NONE,
             lambda *step: steps.append(step))
        self.assertGreater(len(steps), 0)
        self.assertTrue(all(len(step) == 3 and step[0] <= step[1] for step in steps), steps)
        report = call(db.check_async, db.check_finish, Ldb.CheckFlags.NONE, None)
        self.assertEqual(report.fault_count, 0)
        restored = self.path + ".restored"
        self.assertTrue(
            call(Ldb.Database.restore_async, Ldb.Database.restore_finish, backup, restored, None)
        )
        report = call(Ldb.Database.check_path_async, Ldb.Database.check_path_finish, restored,
                      Ldb.CheckFlags.DEEP, None)
        self.assertEqual(report.fault_count, 0)
        report = call(Ldb.Database.repair_async, Ldb.Database.repair_finish, restored,
                      self.path + ".repaired", lambda *step: steps.append(step))
        self.assertEqual(report.lost_pages, 0)
        self.assertTrue(call(db.close_async, db.close_finish))

    def test_load(self):
        db = Ldb.Database.create(self.path, None, None)
        loader = db.create_loader()
        loader.put(None, b"b", b"2")
        loader.put_many(
            None, [Ldb.Record.new(GLib.Bytes(b"a"), GLib.Bytes(b"1"))], None
        )
        self.assertIsNone(db.get(b"a", None))
        loader.commit(None)
        self.assertEqual(keys_of(db.scan(None, None, Ldb.ScanFlags.NONE)), "a b")
        stats = db.get_stats()
        self.assertEqual(stats.memory_budget, 64 << 20)
        db.close(None)

    def test_storage(self):
        db = Ldb.Database.create(self.path, None, None)
        batch = Ldb.Batch.new()
        for i in range(2000):
            batch.put_string(None, f"key-{i:05}", "v" * (i % 100))
        db.write_batch(batch, Ldb.SyncMode.DEFAULT, None)
        db.put(b"large", b"x" * 30000, None)
        db.checkpoint(None)
        storage = db.load_storage_map(None)
        root = storage.get_root()
        self.assertEqual(root.props.bytes, sum(part.props.bytes for part in root))
        self.assertEqual(root.get_item_type(), Ldb.StorageNode.__gtype__)
        segments = [segment for level in root if level.get_kind() == Ldb.StorageKind.LEVEL
                    for run in level for segment in run]
        self.assertEqual(sum(one.get_figures().records for one in segments), root.props.records)
        self.assertGreater(root.get_fill(), 0.5)
        self.assertEqual([store.get_name() for store in storage.get_stores()],
                         ["catalogue", "default"])
        self.assertEqual(storage.get_faults(), [])
        written = json.loads(storage.to_json())
        self.assertEqual(written["database"]["bytes"], root.props.bytes)
        self.assertEqual({part["kind"] for part in written["database"]["parts"]},
                         {"group", "level"})
        place = next(place for place in db.locate_key(None, b"key-00077", None) if place.decides)
        self.assertEqual((place.verdict, place.value_size), (Ldb.LocationVerdict.FOUND, 77))
        contents = db.read_page(place.segment, place.page, None)
        record = contents.get_records()[place.slot]
        self.assertEqual(record.key.get_data(), b"key-00077")
        self.assertEqual(record.value.get_data(), b"v" * 77)
        self.assertEqual(contents.get_decoded().get_size(), contents.get_page().used_size)
        self.assertEqual([field.name for field in contents.get_fields()][:3],
                         ["kind", "flags", "count"])
        pages = call(db.list_pages_async, db.list_pages_finish, place.segment, 0, 1000, True)
        self.assertEqual([page.number for page in pages], list(range(len(pages))))
        self.assertTrue(all(page.fault is None for page in pages))
        steps = []
        sizes = call(db.measure_sizes_async, db.measure_sizes_finish, None, None, None, 0, 2,
                     lambda *step: steps.append(step))
        self.assertEqual(sizes.records, 2001)
        self.assertEqual([(big.key.get_data(), big.size) for big in sizes.get_biggest()],
                         [(b"large", 30000), (b"key-00099", 99)])
        self.assertEqual(sum(one.count for one in sizes.list_value_buckets()), 2001)
        self.assertTrue(steps and all(done <= total for done, total, step in steps))
        report = call(db.generate_report_async, db.generate_report_finish, Ldb.ReportFormat.JSON,
                      Ldb.ReportFlags.KEYS)
        report = json.loads(report)
        self.assertEqual(report["sizes"][0]["biggest"][0], {"key": "large", "size": 30000})
        self.assertEqual({field.get_name() for field in Ldb.Stats.__info__.get_fields()},
                         set(report["stats"]))
        timed = {timing["name"]: timing for timing in report["timings"]}
        self.assertGreater(timed["flush"]["count"], 0)  # each is timed
        self.assertTrue(all(0 <= one["p50"] <= one["p99"] for one in report["timings"]))
        db.close(None)
        with self.assertRaises(GLib.Error):
            db.load_storage_map(None)

    def test_options_and_registry(self):
        opened = []
        registry = Ldb.Registry.new()
        registry.connect("database-opened", lambda registry, db: opened.append(db.get_path()))
        options = Ldb.Options(cache_size=32 << 20)
        options.props.wal_sync_mode = Ldb.SyncMode.FULL
        db = Ldb.Database(path=self.path, flags=Ldb.OpenFlags.CREATE, options=options)
        db.init(None)
        self.assertEqual(db.get_options().get_cache_size(), 32 << 20)
        self.assertEqual([other.get_path() for other in Ldb.Database.list_open()], [self.path])
        while not opened:
            GLib.MainContext.default().iteration(True)
        self.assertEqual(opened, [self.path])
        cancelled = Gio.Cancellable()
        cancelled.cancel()
        with self.assertRaises(GLib.Error) as caught:
            db.put(b"k", b"v", cancelled)
        self.assertTrue(
            Ldb.Error.matches_io(caught.exception, Gio.IOErrorEnum.CANCELLED)
        )
        db.close(None)


if __name__ == "__main__":
    unittest.main()
