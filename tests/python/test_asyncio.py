#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`await`, under asyncio alone and under GLib's main loop."""

import asyncio
import contextlib
import gc
import io
import json
import os
import selectors
import tempfile
import threading
import time
import unittest
import weakref

import gi

gi.require_version("Ldb", "1")
from gi.repository import Gio, GLib, Ldb  # noqa: E402


def introspected_pairs():
    """Every class of the library with its asynchronous calls."""
    for cls in (Ldb.Database, Ldb.Store, Ldb.Snapshot, Ldb.Transaction, Ldb.Cursor, Ldb.Loader,
                Ldb.Feed, Ldb.Watch, Ldb.ListModel, Ldb.Inspector):
        for info in cls.__info__.get_methods():
            if info.__name__.endswith("_async") and "with_closure" not in info.__name__:
                yield cls, info


def on_glib(coroutine):
    """Runs a coroutine on GLib's main loop; what it came to."""
    loop = GLib.MainLoop()
    outcome = Ldb.spawn(coroutine)
    outcome.add_done_callback(lambda outcome: loop.quit())
    if not outcome.done():
        loop.run()
    return outcome.result()


class WithDatabase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ldb-python-")
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "database")
        self.db = Ldb.open(self.path, create=True)
        self.addCleanup(self.db.close)


class Everything(WithDatabase):
    """Each asynchronous call there is, awaited, under both loops."""

    async def story(self, name):
        called = set()

        def call(target, method, *arguments):
            called.add((getattr(target, "__name__", type(target).__name__), method))
            return getattr(target, method)(*arguments)

        path = f"{self.path}-{name}"
        db = await call(Ldb.Database, "create_async", path)
        await call(db, "close_async")
        db = await call(Ldb.Database, "open_async", path)
        own = await call(Ldb.Database, "open_default_async", f"org.example.{name}")
        await own.close_async()
        for method, arguments, expected in (
                ("put_async", ("a", "1"), True),
                ("put_bytes_async", ("b", b"2"), True),
                ("put_string_async", ("c", "3"), True),
                ("put_variant_async", ("d", GLib.Variant("i", 4)), True),
                ("get_async", ("a",), b"1"),
                ("get_async", ("x",), None),
                ("get_string_async", ("c",), "3"),
                ("contains_async", (b"a",), True),
                ("get_many_async", (["a", "x"],), [b"1", None]),
                ("delete_async", ("a",), True),
                ("delete_bytes_async", (b"b",), True),
                ("delete_string_async", ("c",), True)):
            for target in (db, await call(db, "open_store_async", "s", Ldb.OpenFlags.CREATE)):
                self.assertEqual(await call(target, method, *arguments), expected)
                if method == "put_bytes_async":
                    self.assertEqual((await call(target, "get_bytes_async", b"b")).get_data(), b"2")
                if method == "put_variant_async":
                    found = await call(target, "get_variant_async", "d")
                    self.assertEqual(found.unpack(), 4)
        store = await db.open_store_async("s")
        for target in (db, store):
            await call(target, "delete_range_async", "d", "e")
            await call(target, "put_async", "user:1", "1")
            await call(target, "delete_prefix_async", "user:")
            self.assertEqual(list(target), [])
        self.assertEqual(await call(db, "list_stores_async"), ["default", "s"])

        await db.put_async("doc", "")
        db["doc"] = {"a": 1}
        db["e"] = b"5"
        snapshot = db.create_snapshot()
        self.assertEqual(await call(snapshot, "get_async", None, "doc"), {"a": 1})
        self.assertEqual(await call(snapshot, "get_many_async", None, ["doc", "x"]), [{"a": 1}, None])
        self.assertEqual(await db.get_async("doc"), {"a": 1})
        self.assertEqual(await call(snapshot, "get_string_async", None, "x"), None)
        self.assertEqual(await call(snapshot, "get_variant_async", None, "x"), None)
        self.assertTrue(await call(snapshot, "contains_async", None, "doc"))
        snapshot.close()
        cursor = db.scan()
        for method, arguments in (("next_async", ()), ("last_async", ()), ("previous_async", ()),
                                  ("first_async", ()), ("seek_async", ("e",))):
            self.assertTrue(await call(cursor, method, *arguments))
        self.assertEqual(await call(cursor, "get_value_async"), b"5")
        self.assertEqual(await call(cursor, "read_async", 5), [])
        found = []
        async for key, value in db.scan():
            found.append((key, value))
        self.assertEqual(found, [(b"doc", {"a": 1}), (b"e", b"5")])
        self.assertEqual([key async for key in db.scan(keys_only=True, reverse=True)],
                         [b"e", b"doc"])

        async with db.begin() as transaction:
            transaction["t"] = b"1"
            self.assertEqual(await call(transaction, "get_async", None, "t"), b"1")
            self.assertEqual(await call(transaction, "get_string_async", None, "t"), "1")
            self.assertIsNone(await call(transaction, "get_variant_async", None, "none"))
            self.assertTrue(await call(transaction, "contains_async", None, "t"))
        with db.begin() as transaction:
            transaction["t"] = b"2"
            await call(transaction, "commit_async")
        with db.begin() as transaction:  # nothing to write, and committed all the same
            await transaction.commit_async(Ldb.SyncMode.FULL)
        with self.assertRaises(ZeroDivisionError):
            async with db.begin() as transaction:
                transaction["t"] = b"3"
                1 / 0
        await call(db, "run_transaction_async", Ldb.TransactionFlags.NONE,
                   lambda transaction, *data: transaction.put(None, b"u", b"1"))
        self.assertEqual((db["t"], db["u"]), (b"2", b"1"))
        batch = Ldb.Batch.new()
        batch["v"] = b"1"
        await call(db, "write_batch_async", batch)
        async with db.batch(Ldb.SyncMode.FULL) as batch:
            batch["w"] = b"1"
        loader = db.create_loader()
        record = Ldb.Record.new(b"x", b"1")
        await call(loader, "put_many_async", None, [record])
        await call(loader, "commit_async")
        self.assertEqual([db[key] for key in "vwx"], [b"1"] * 3)

        feed = await call(db, "create_feed_async", db.get_sequence())
        waiting = call(feed, "wait_async")
        db.put("y", "1")
        self.assertTrue(await waiting)
        commit = await call(feed, "read_commit_async")
        self.assertEqual([change.dup_key_string() for change in commit.list()], ["y"])
        self.assertEqual(feed.get_position(), db.get_sequence())
        watch = db.watch_all(Ldb.WatchFlags.NONE)
        self.assertTrue(await call(watch, "replay_async", db.get_sequence() - 1))
        watch.close()
        rows = Ldb.ListModel.new(db, None, None, None, Ldb.ListFlags.NONE, Ldb.Entry)
        self.assertEqual(await call(rows, "find_async", "y"), len(rows) - 1)
        rows.close()

        steps = []
        for method in ("sync_async", "flush_async", "checkpoint_async"):
            self.assertTrue(await call(db, method))
        await call(db, "compact_async", lambda *step: steps.append(step))
        await call(db, "wait_settled_async", 300000)
        await call(db, "backup_async", path + ".backup", Ldb.BackupFlags.VERIFY,
                   lambda *step: steps.append(step))
        self.assertTrue(steps and all(len(step) == 3 for step in steps))
        self.assertEqual((await call(db, "check_async", Ldb.CheckFlags.DEEP)).fault_count, 0)
        await self.look_around(db, call)
        await call(db, "drop_store_async", "s")
        await call(Ldb.Database, "restore_async", path + ".backup", path + ".restored")
        self.assertEqual(
            (await call(Ldb.Database, "check_path_async", path + ".restored")).fault_count, 0)
        report = await call(Ldb.Database, "repair_async", path + ".restored", path + ".repaired")
        self.assertEqual(report.lost_pages, 0)
        with Ldb.open(path + ".repaired", read_only=True) as reading:
            self.assertTrue(await call(reading, "take_over_async"))
            reading["taken"] = b"over"
        await db.close_async()
        with self.assertRaises(Ldb.ClosedError):
            await db.get_async("e")
        await call(Ldb.Database, "destroy_async", path)
        return called

    async def look_around(self, db, call):
        """What a database tells of its storage, and an inspector of it."""
        found = [(await call(db, "load_storage_map_async")).get_root()]
        for node in found:
            found.extend(node)
        segment = next(node for node in found if node.get_kind() == Ldb.StorageKind.SEGMENT)
        pages = await call(db, "list_pages_async", segment.props.number, 0, 10, False)
        self.assertEqual(pages[0].number, 0)
        contents = await call(db, "read_page_async", segment.props.number, 0)
        self.assertGreater(len(contents.get_decoded()), 0)
        self.assertTrue(await call(db, "locate_key_async", None, "e"))
        self.assertGreater((await call(db, "trace_get_async", None, "e")).duration, 0)
        sizes = await call(db, "measure_sizes_async", None, None, None, 0, 1)
        self.assertEqual(len(sizes.get_biggest()), 1)
        os.chmod(db.get_path(), 0o755)
        issue = (await call(db, "examine_health_async")).find_issue("exposed")
        self.assertIsNone(issue.get_key())
        self.assertTrue(await call(db, "apply_remedy_async", issue))
        self.assertEqual(os.stat(db.get_path()).st_mode & 0o777, 0o700)
        report = await call(db, "generate_report_async", Ldb.ReportFormat.JSON,
                            Ldb.ReportFlags.NONE)
        self.assertFalse(json.loads(report)["read_only"])

        db.props.inspectable = db.props.control_allowed = True
        running = Ldb.RunningList.new().find(db.props.path)
        inspector = await call(Ldb.Inspector, "open_async", running)
        self.assertEqual((await call(inspector, "get_stats_async")).sequence, db.get_sequence())
        self.assertIn("cache-size", await call(inspector, "get_options_async"))
        self.assertIn("s", await call(inspector, "list_stores_async"))
        snapshot = await call(inspector, "open_snapshot_async")
        value = await call(inspector, "get_async", snapshot, None, b"e")
        self.assertEqual(value, b"5")
        records = await call(inspector, "read_async", snapshot, None, None, None,
                             Ldb.ScanFlags.NONE, 1, 9)
        self.assertEqual(len(records), 1)
        self.assertTrue(await call(inspector, "close_snapshot_async", snapshot))
        before = len(db.list_slow_operations(0))  # a crowded machine makes some at any time
        seen = len(await call(inspector, "list_slow_operations_async", 0))
        self.assertTrue(before <= seen <= len(db.list_slow_operations(0)))
        self.assertEqual(await call(inspector, "list_transactions_async"), [])
        self.assertTrue(all(held.holders > 0 for held in await call(inspector, "list_snapshots_async")))
        self.assertEqual(tuple(await call(inspector, "list_hot_keys_async", Ldb.HotKeyKind.CONFLICT)),
                         tuple(db.list_hot_keys(Ldb.HotKeyKind.CONFLICT)))
        watched = db.watch_key(b"e", Ldb.WatchFlags.NONE)
        self.assertEqual([watch.kind for watch in await call(inspector, "list_watches_async")], [Ldb.WatchKind.KEY])
        self.assertEqual(await call(inspector, "list_deliveries_async", 0), [])
        watched.close()
        self.assertTrue((await call(inspector, "trace_get_async", None, b"e")).found)
        self.assertTrue(await call(db, "set_memory_budget_async", 20 << 20))
        self.assertEqual(db.get_stats().memory_budget, 20 << 20)
        metrics = await call(inspector, "get_metrics_async")
        self.assertEqual(metrics.get_value("commits"), db.get_metrics().get_value("commits"))
        storage = await call(inspector, "load_storage_map_async")
        self.assertEqual(storage.get_sequence(), db.get_sequence())
        segment = next(part.get_number() for store in storage.get_stores() for part in store)
        self.assertEqual(len(await call(inspector, "list_pages_async", segment, 0, 1, True)), 1)
        self.assertEqual((await call(inspector, "read_page_async", segment, 0)).get_page().number, 0)
        self.assertTrue(await call(inspector, "locate_key_async", None, b"e"))
        report = await call(inspector, "generate_report_async", Ldb.ReportFormat.JSON, Ldb.ReportFlags.NONE)
        self.assertEqual(json.loads(report)["path"], db.props.path)
        self.assertEqual((await call(inspector, "measure_sizes_async", None, None, None, 0, 0)).share, 1)
        subscription = await call(inspector, "subscribe_async", None, None, Ldb.WatchFlags.NONE, 0)
        self.assertTrue(await call(inspector, "unsubscribe_async", subscription))
        self.assertTrue(await call(inspector, "request_control_async"))
        self.assertTrue(await call(inspector, "set_memory_budget_async", 30 << 20))
        self.assertEqual(db.get_stats().memory_budget, 30 << 20)
        for method in ("request_control_async", "flush_async", "sync_async", "checkpoint_async",
                       "compact_async"):
            self.assertTrue(await call(inspector, method))
        self.assertTrue(await call(inspector, "evict_cache_async", 0.5))
        self.assertTrue(await call(inspector, "follow_events_async", True))
        self.assertTrue(await call(inspector, "follow_events_async", False))
        self.assertEqual([event.number for event in await call(inspector, "list_events_async", 0)][:1],
                         [event.number for event in db.list_events(0)][:1])
        os.chmod(db.get_path(), 0o755)
        issue = (await call(inspector, "examine_health_async")).find_issue("exposed")
        self.assertTrue(await call(inspector, "apply_remedy_async", issue))
        self.assertEqual(os.stat(db.get_path()).st_mode & 0o777, 0o700)
        transaction = db.begin(Ldb.TransactionFlags.NONE)
        transaction["own"] = b"1"
        keys = await call(inspector, "list_transaction_keys_async", transaction.get_id())
        self.assertEqual([(key.access, key.key) for key in keys], [(Ldb.KeyAccess.PUT, b"own")])
        self.assertTrue(await call(inspector, "abort_transaction_async", transaction.get_id()))
        steps = []
        report = await call(inspector, "check_async", Ldb.CheckFlags.NONE, lambda *step: steps.append(step))
        self.assertEqual(report.fault_count, 0)
        self.assertTrue(all(done <= total for done, total, step in steps))
        self.assertTrue(steps)
        result = await call(inspector, "backup_async", db.props.path + ".copied",
                            Ldb.BackupFlags.NONE)
        self.assertGreater(result.files, 0)
        put = GLib.Variant("a(sayaaybaay)", [("", b"z", [b"1"], False, [])])
        self.assertEqual(await call(inspector, "commit_async", put), db.get_sequence())
        self.assertEqual(db["z"], b"1")
        inspector.close()
        db.props.inspectable = False

    def check(self, called):
        left_out = {(cls.__name__, info.__name__) for cls, info in introspected_pairs()} - called
        self.assertEqual(left_out - {("Database", "new_async"), ("Database", "init_async")}, set())

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        data = tempfile.TemporaryDirectory(prefix="ldb-python-")  # GLib asks for it once
        cls.addClassCleanup(data.cleanup)
        os.environ["XDG_DATA_HOME"] = data.name
        os.environ["XDG_RUNTIME_DIR"] = data.name

    def test_asyncio(self):
        self.check(asyncio.run(self.story("asyncio")))

    def test_glib(self):
        self.check(on_glib(self.story("glib")))


class Asyncio(WithDatabase):
    def test_many_at_once(self):
        async def work():
            await asyncio.gather(*(self.db.put_async(f"{number:04}", str(number))
                                   for number in range(1000)))
            values = await asyncio.gather(*(self.db.get_async(f"{number:04}")
                                            for number in range(1000)))
            self.assertEqual(values, [b"%d" % number for number in range(1000)])

        asyncio.run(work())
        asyncio.run(work())  # another loop in the same thread

    def test_errors(self):
        async def work():
            with self.assertRaises(Ldb.InvalidArgumentError):
                await self.db.put_async(b"", b"")
            with self.assertRaises(Ldb.NotFoundError):
                await Ldb.open_async(self.path + ".none")
            with self.assertRaises(TypeError):
                await self.db.get_async(1)
            with self.assertRaises(TypeError):
                await self.db.get_async("a", None, None, None, None)

        asyncio.run(work())

    def test_a_callback_is_called_as_ever(self):
        async def work():
            done = asyncio.get_running_loop().create_future()

            def callback(source, result, *data):
                done.set_result((source.put_finish(result), data))

            self.assertIsNone(self.db.put_async("a", b"1", None, callback, 7))
            await self.db.sync_async()  # turns GLib's main context
            self.assertEqual(await done, (True, (7,)))

        asyncio.run(work())

    def test_retries(self):
        async def work():
            calls = []

            async def count_up(transaction):
                calls.append(transaction)
                value = int(transaction.get("counter", b"0"))
                if len(calls) < 3:
                    await self.db.put_async("counter", "10")
                transaction["counter"] = str(value + 1)
                return value + 1

            self.assertEqual(await self.db.run_async(count_up), 11)
            self.assertEqual(len(calls), 3)
            calls.clear()
            with self.assertRaises(Ldb.ConflictError):
                await self.db.run_async(count_up, retries=0)

        asyncio.run(work())
        del self.db["counter"]
        on_glib(work())

    def test_cancelled_before_it_began(self):
        async def work():
            cancelled = Gio.Cancellable()
            cancelled.cancel()
            with self.assertRaises(GLib.Error) as caught:
                await self.db.put_async("a", "1", cancelled)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
            self.assertNotIn("a", self.db)

        asyncio.run(work())
        on_glib(work())

    def fill(self):
        with self.db.create_loader() as loader:
            for number in range(200000):
                loader.put(None, b"%08d" % number, b"x" * 50)

    def test_cancelling_a_task_ends_the_operation(self):
        """When the task has ended, so has the operation: the cursor is free again."""
        self.fill()

        async def work():
            for pause in (0, 0.0001, 0.001, 0.01):
                cursor = self.db.scan()
                task = asyncio.ensure_future(self.read(cursor))
                await asyncio.sleep(pause)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                cursor.first()

        asyncio.run(work())

    async def read(self, cursor):
        return await cursor.read_async(200000)

    def test_timeout(self):
        self.fill()

        async def work():
            backup = self.path + ".backup"
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(self.db.backup_async(backup), 0)
            with self.assertRaises(asyncio.TimeoutError):
                async with asyncio.timeout(0.0001):
                    while True:
                        await self.db.check_async(Ldb.CheckFlags.DEEP)
            self.assertEqual(len(await self.db.scan(limit=3).read_async(5)), 3)

        asyncio.run(work())

    def test_what_was_committed_is_reported(self):
        """Cancelling too late does not hide a commit from whoever holds the operation."""
        async def work():
            for number in range(200):
                key = f"{number}"
                operation = self.db.put_async(key, "1")
                if number % 2:
                    await asyncio.sleep(0)
                operation.cancel()
                try:
                    committed = await operation
                except asyncio.CancelledError:
                    committed = False
                self.assertEqual(key in self.db, committed)

        asyncio.run(work())

    def test_threads(self):
        """Each thread with asyncio has its results in itself, also beside a GLib main loop."""
        failures = []

        async def work(name):
            thread = threading.get_ident()
            for number in range(50):
                await self.db.put_async(f"{name}-{number}", "1")
                if threading.get_ident() != thread or f"{name}-{number}" not in self.db:
                    failures.append(name)

        def run(name):
            asyncio.run(work(name))
            asyncio.run(work(name + "-again"))

        threads = [threading.Thread(target=run, args=(f"{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        asyncio.run(work("main"))
        loop = GLib.MainLoop()

        def wait():
            for thread in threads:
                thread.join()
            run("beside")
            GLib.idle_add(loop.quit)

        waiting = threading.Thread(target=wait)
        waiting.start()
        loop.run()
        waiting.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(list(self.db)), 50 * 9)

    def test_the_context_is_given_back(self):
        """When asyncio's loop has ended GLib's may run in another thread, and in this one again."""
        async def work(key):
            GLib.timeout_add_seconds(3600, lambda: GLib.SOURCE_REMOVE)  # something is waited for still
            loops.append(weakref.ref(asyncio.get_running_loop()))
            watch = self.db.watch_key(key)
            told = asyncio.get_running_loop().create_future()
            watch.connect("changed", lambda watch, changes: told.set_result(changes.get_sequence()))
            await self.db.put_async(key, "1")
            return await told

        def run_on_glib():
            context = GLib.MainContext.default()
            owned.append(context.acquire())
            if owned[-1]:
                loop = GLib.MainLoop()
                GLib.idle_add(loop.quit)
                loop.run()
                context.release()

        owned, loops = [], []
        for key in ("a", "b"):
            self.assertEqual(asyncio.run(work(key)), self.db.get_sequence())
            thread = threading.Thread(target=run_on_glib)
            thread.start()
            thread.join()
        gc.collect()
        self.assertEqual([its() for its in loops], [None, None])  # nothing keeps them
        loop = asyncio.new_event_loop()
        self.assertEqual(loop.run_until_complete(work("c")), self.db.get_sequence())
        thread = threading.Thread(target=loop.close)  # which cannot give back what is this one's
        thread.start()
        thread.join()
        self.assertEqual(asyncio.run(work("d")), self.db.get_sequence())
        run_on_glib()
        self.assertEqual(owned, [True] * 3)

    def test_asyncio_on_glib(self):
        """A loop of asyncio's that is itself turned by GLib's, now and then."""
        async def work():
            await self.db.put_async("a", "1")
            return await self.db.get_async("a")

        loop = asyncio.new_event_loop()
        main = GLib.MainLoop()
        task = loop.create_task(work())

        def turn():
            loop.call_soon(loop.stop)
            loop.run_forever()
            if task.done():
                main.quit()
            return not task.done()

        GLib.timeout_add(1, turn)
        main.run()
        loop.close()
        self.assertEqual(task.result(), b"1")

    def test_in_a_handler(self):
        """asyncio.run() in a handler of GLib's, as of a click, ends, however it was called."""
        main = GLib.MainLoop()
        results = []

        async def work(name):
            await self.db.put_async(name, "1")
            with self.db.changes(prefix=name) as following:
                await self.db.put_async(name, "2")
                async for changes in following:
                    return changes.get_change(0).value

        def run(name):
            results.append(asyncio.run(work(name)))
            main.quit()

        def begin_signal():
            watch = self.db.watch_key("watched", Ldb.WatchFlags.NONE)
            watch.connect("changed", lambda *data: run("in a signal"))
            self.addCleanup(watch.close)
            self.db["watched"] = "1"

        for begin in (begin_signal, lambda: GLib.idle_add(run, "in a source"),
                      lambda: self.db.get_async("a", None, lambda *data: run("in a callback"))):
            begin()
            guard = GLib.timeout_add_seconds(60, main.quit)
            main.run()
            GLib.source_remove(guard)
        self.assertEqual(results, [b"2"] * 3)

    def test_idle_costs_nothing(self):
        """Between calls neither loop turns."""
        counts = []

        class Counting(selectors.DefaultSelector):
            def select(self, timeout=None):
                counts.append(timeout)
                return super().select(timeout)

        async def work():
            await self.db.put_async("a", "1")
            await asyncio.sleep(0.05)
            counts.clear()
            await asyncio.sleep(0.5)
            return len(counts)

        loop = asyncio.SelectorEventLoop(Counting())
        self.assertLess(loop.run_until_complete(work()), 10)
        loop.close()

    def test_a_loop_that_ends_early(self):
        """What was under way when its loop was closed is not heard of again, and harms nothing."""
        async def work():
            for number in range(20):
                self.db.put_async(f"{number}", "1")

        asyncio.run(work())
        asyncio.run(asyncio.wait_for(self.more(), 5))
        self.db.sync()

    async def more(self):
        await self.db.put_async("more", "1")
        self.assertEqual(await self.db.get_async("more"), b"1")


class Watching(WithDatabase):
    """Watches and feeds, under both loops."""

    async def follow(self):
        told = []
        flags = Ldb.WatchFlags.VALUES | Ldb.WatchFlags.OLD_VALUES
        with self.db.changes(prefix="user:", flags=flags) as following:
            await self.db.put_async("other", "x")
            await self.db.put_async("user:1", "Ada")
            await self.db.sync_async()  # the loop turns before anybody listens
            async for changes in following:
                self.assertEqual(len(changes), len(list(changes)))
                snapshot = changes.get_snapshot()
                self.assertEqual(snapshot.get_sequence(), changes.get_sequence())
                self.assertEqual(snapshot.get("user:1"), list(changes)[-1].value)
                told += [(change.kind, change.key, change.value, change.old_value)
                         for change in changes]
                if len(told) == 1:
                    self.db["user:1"] = {"name": "Ada"}
                elif len(told) == 2:
                    del self.db["user:1"]
                else:
                    break
        self.assertEqual(told, [
            (Ldb.ChangeKind.PUT, b"user:1", b"Ada", None),
            (Ldb.ChangeKind.PUT, b"user:1", {"name": "Ada"}, b"Ada"),
            (Ldb.ChangeKind.DELETE, b"user:1", None, {"name": "Ada"})])
        self.assertTrue(following.watch.is_closed())
        for wrong in ({"key": "a", "prefix": "b"}, {"prefix": "a", "end": "b"}):
            with self.assertRaises(ValueError):
                self.db.changes(**wrong)
        store = await self.db.open_store_async("s", Ldb.OpenFlags.CREATE)
        with store.changes(key="k") as following, store.changes(start="k", end="l") as ranged:
            await store.put_async("k", "1")
            self.assertEqual([change.value for change in await following.__anext__()], [b"1"])
            self.assertEqual([change.key for change in await ranged.__anext__()], [b"k"])
            waiting = ranged.__anext__()
            waiting.send(None)
            with self.assertRaisesRegex(RuntimeError, "already"):
                await ranged.__anext__()
            waiting.close()

    async def pace(self):
        """What happens while the loop's body waits is told afterwards, once."""
        emissions = []
        following = self.db.changes()
        self.db["a"] = "1"
        async for changes in following:
            emissions.append(sorted(change.key for change in changes))
            if len(emissions) == 1:
                for number in range(50):
                    self.db["b"] = str(number)
                    await self.db.put_async("c", str(number))
            elif b"c" in emissions[-1]:
                following.close()
        self.assertEqual(emissions[0], [b"a"])
        self.assertEqual(sorted(set().union(*emissions)), [b"a", b"b", b"c"])
        self.assertLess(len(emissions), 4)

    async def end(self):
        """Waiting ends when it is closed, and when its database is."""
        async def wait(following):
            return [changes async for changes in following]

        async def close(what):
            await self.db.sync_async()
            what.close()

        async def drop():
            await self.db.drop_store_async("gone")

        def both(*coroutines):
            if asyncio.events._get_running_loop() is not None:
                return asyncio.gather(*coroutines)
            return self.each([Ldb.spawn(coroutine) for coroutine in coroutines])

        following = self.db.changes(key="nothing")
        self.assertEqual((await both(wait(following), close(following)))[0], [])
        with Ldb.open(self.path + ".other", create=True) as other:
            self.assertEqual((await both(wait(other.changes()), close(other)))[0], [])
        store = await self.db.open_store_async("gone", Ldb.OpenFlags.CREATE)
        store["k"] = "1"
        following, nothing = store.changes(), store.changes(key="nothing")
        told, none, _ = await both(wait(following), wait(nothing), drop())
        self.assertEqual([change.kind for changes in told for change in changes],
                         [Ldb.ChangeKind.DELETE_RANGE])
        self.assertEqual(none, [])
        for write in (lambda: store.put("k", "1"), lambda: store.delete_range(None, None)):
            with self.assertRaisesRegex(Ldb.NotFoundError, "dropped"):
                write()
        with self.assertRaisesRegex(Ldb.NotFoundError, "dropped"):
            store.changes()

    @staticmethod
    async def each(outcomes):
        return [await outcome for outcome in outcomes]

    async def feed(self):
        start = self.db.get_sequence()
        self.db["a"] = "1"
        with self.db.batch() as batch:
            batch["b"] = batch["c"] = "2"
        with self.db.create_feed(start) as feed:
            self.assertEqual([[change.key for change in commit] for commit in feed],
                             [[b"a"], [b"b", b"c"]])
            await self.db.put_async("d", "3")
            async for commit in feed:
                self.assertEqual([change.key for change in commit], [b"d"])
                break

    async def signals(self):
        """A handler that raises is reported, and the rest goes on."""
        told = []
        with self.db.watch_key("k") as watch:
            watch.connect("changed", lambda watch, changes: told.append(len(changes)))
            await self.db.put_async("k", "1")
            for _ in range(1000):
                if told:
                    break
                await asyncio.sleep(0.01)
        self.assertEqual(told, [1])

    async def rows(self):
        """A list follows while the loop turns, and is awaited."""
        self.db["n:1"], self.db["n:3"] = "one", "three"
        with Ldb.ListModel.new_prefix(self.db, None, "n:", Ldb.ListFlags.NONE, Ldb.Entry) as rows:
            signals = []
            rows.connect("items-changed", lambda rows, *change: signals.append(change))
            self.assertEqual(await rows.find_async("n:3"), 1)
            await self.db.put_async("n:2", "two")
            for _ in range(10000):
                if signals:
                    break
                await self.db.sync_async()
            self.assertEqual(signals, [(1, 0, 1)])
            self.assertEqual([row.get_key() for row in rows], [b"n:1", b"n:2", b"n:3"])
            self.assertEqual(await rows.find_async("n:9"), -1)
            with self.assertRaises(Ldb.InvalidArgumentError):
                await rows.find_async("")

    async def all_of_it(self):
        await self.rows()
        self.db.clear()
        await self.follow()
        await self.pace()
        await self.end()
        self.db.clear()
        await self.feed()

    def test_asyncio(self):
        asyncio.run(self.all_of_it())
        asyncio.run(self.signals())

    def test_glib(self):
        on_glib(self.all_of_it())

    def test_asyncio_in_a_thread(self):
        failures = []

        def run():
            try:
                asyncio.run(self.all_of_it())
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(failures, [])

    def test_a_handler_that_raises(self):
        told = []
        watch = self.db.watch_key("k")

        def wrong(watch, changes):
            raise ValueError("wrong")

        watch.connect("changed", wrong)
        watch.connect("changed", lambda watch, changes: told.append(changes.get_sequence()))
        printed = io.StringIO()
        with contextlib.redirect_stderr(printed):
            for number in range(2):
                self.db["k"] = str(number)
                while len(told) <= number:
                    GLib.MainContext.default().iteration(True)
        self.assertEqual(printed.getvalue().count("ValueError: wrong"), 2)
        self.assertEqual(told, [1, 2])

    def test_entry(self):
        with self.db.watch_entry("k") as entry:
            values = []
            entry.connect("notify::value", lambda entry, value: values.append(entry.get_value()))
            self.db["k"] = "1"
            while not values:
                GLib.MainContext.default().iteration(True)
            self.assertEqual((entry.get_key(), values), (b"k", [b"1"]))


class OnGLib(WithDatabase):
    def test_awaits_others_of_its_kind(self):
        async def inner(key):
            await self.db.put_async(key, "1")
            return key

        async def outer():
            tasks = [Ldb.spawn(inner(key)) for key in "abc"]
            return [await task for task in tasks]

        self.assertEqual(on_glib(outer()), ["a", "b", "c"])

    def test_not_what_asyncio_gives(self):
        async def wrong():
            await asyncio.sleep(0.001)

        class Other:
            def __await__(self):
                yield 7

        async def other():
            await Other()

        with self.assertRaises(RuntimeError):  # asyncio itself finds no loop
            on_glib(wrong())
        with self.assertRaisesRegex(TypeError, "nothing else"):
            on_glib(other())

    def test_cancel(self):
        ended = []

        async def work():
            try:
                while True:
                    await self.db.sync_async()
            finally:
                ended.append(1)

        outcome = Ldb.spawn(work())
        self.assertFalse(outcome.done())
        with self.assertRaises(asyncio.InvalidStateError):
            outcome.result()
        GLib.timeout_add(20, outcome.cancel)
        until = time.monotonic() + 300
        while not outcome.done() and time.monotonic() < until:
            GLib.MainContext.default().iteration(True)
        self.assertTrue(outcome.cancelled())
        self.assertEqual(ended, [1])
        self.assertFalse(outcome.cancel())
        with self.assertRaises(asyncio.CancelledError):
            outcome.result()

    def test_an_error_that_nobody_waits_for_is_printed(self):
        async def work():
            await self.db.get_async(b"a")
            raise ValueError("nobody waits for it")

        async def fail():
            await self.db.put_async(b"", "an empty key is none")

        gc.disable()  # at once, not when garbage is collected
        self.addCleanup(gc.enable)
        for coroutine, message in ((work(), "ValueError: nobody waits for it"),
                                   (fail(), "InvalidArgumentError")):
            printed = io.StringIO()
            with contextlib.redirect_stderr(printed):
                outcome = Ldb.spawn(coroutine)
                while not outcome.done():
                    GLib.MainContext.default().iteration(True)
                del outcome
            self.assertIn(message, printed.getvalue())
        printed = io.StringIO()
        with contextlib.redirect_stderr(printed):
            with self.assertRaises(ValueError):
                on_glib(work())
            gc.collect()
        self.assertEqual(printed.getvalue(), "")

    def test_a_context_of_one_s_own(self):
        """In a thread with its own main context, results come there."""
        results = []

        def run():
            context = GLib.MainContext.new()
            context.push_thread_default()

            async def work():
                await self.db.put_async("a", "1")
                results.append((threading.get_ident(), await self.db.get_async("a")))

            outcome = Ldb.spawn(work())
            while not outcome.done():
                context.iteration(True)
            context.pop_thread_default()
            results.append(threading.get_ident())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(results, [(results[1], b"1"), results[1]])


if __name__ == "__main__":
    unittest.main()
