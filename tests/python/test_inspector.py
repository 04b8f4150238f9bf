#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Running databases from Python: found in a list, looked into, followed; here in one's own process."""

import os
import sys
import tempfile
import unittest

RUNTIME = tempfile.TemporaryDirectory(prefix="ldb-run-")
os.environ["XDG_RUNTIME_DIR"] = RUNTIME.name

import gi  # noqa: E402

gi.require_version("Ldb", "1")
from gi.repository import Gio, GLib, Ldb  # noqa: E402


class Inspecting(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ldb-python-")
        self.path = os.path.join(self.directory.name, "database")
        self.db = Ldb.open(self.path, create=True)
        self.db.props.inspectable = True
        self.list = Ldb.RunningList.new()
        self.inspector = Ldb.Inspector.open(self.list.find(self.path), None)

    def tearDown(self):
        self.inspector.close()
        self.db.close()
        self.directory.cleanup()

    def test_list(self):
        self.assertIsInstance(self.list, Gio.ListModel)
        self.assertEqual(self.list.get_n_items(), 1)
        running = self.list.get_item(0)
        self.assertEqual(running.props.path, self.path)
        self.assertEqual(running.props.id, self.db.props.id)
        self.assertEqual(running.props.process_id, os.getpid())
        self.assertIsNone(self.list.find("/nowhere"))
        context = GLib.MainContext.default()
        self.db.props.inspectable = False
        while self.list.get_n_items() > 0:
            context.iteration(True)
        self.assertFalse(running.props.running)

    def test_look(self):
        self.db["a"] = b"1"
        self.db["b"] = b"2"
        self.assertEqual(self.inspector.get_stats(None).puts, 2)
        self.assertEqual(self.inspector.list_stores(None), ["default"])
        self.assertIn("cache-size", self.inspector.get_options(None))
        self.assertEqual(self.inspector.get(0, None, b"a", None), b"1")
        self.assertEqual(self.inspector.get(0, None, "a"), b"1")
        self.assertIsNone(self.inspector.get(0, None, b"x"))
        self.db["c"] = {"name": "Ada"}
        self.assertEqual(self.inspector.get(0, None, "c"), {"name": "Ada"})
        del self.db["c"]
        records = self.inspector.read(0, None, None, b"b", Ldb.ScanFlags.NONE, 10, 100, None)
        self.assertEqual([(record.get_key(), record.get_value())
                          for record in records], [(b"a", b"1")])

    def test_follow(self):
        told = []
        loop = GLib.MainLoop()

        def changed(_inspector, _subscription, changes):
            told.extend((change.get_kind(), change.get_key(), change.get_value())
                        for change in changes.list())
            loop.quit()

        self.inspector.connect("changed", changed)
        self.inspector.subscribe(None, b"a", Ldb.WatchFlags.VALUES, 0, None)
        self.db["b"] = b"no"
        self.db["a"] = b"yes"
        loop.run()
        self.assertEqual(told, [(Ldb.ChangeKind.PUT, b"a", b"yes")])

    def test_change(self):
        operations = GLib.Variant("a(sayaaybaay)", [("", b"a", [b"new"], True, [])])
        with self.assertRaises(GLib.Error) as caught:
            self.inspector.commit(operations, None)
        self.assertTrue(caught.exception.matches(Ldb.Error.quark(), Ldb.Error.PERMISSION_DENIED))
        self.db.props.control_allowed = True
        self.inspector.request_control(None)
        self.assertEqual(self.inspector.commit(operations, None), 1)
        self.assertEqual(self.db["a"], b"new")
        with self.assertRaises(GLib.Error) as caught:
            self.inspector.commit(operations, None)
        self.assertTrue(caught.exception.matches(Ldb.Error.quark(), Ldb.Error.CONFLICT))

    def test_without_blocking(self):
        loop = GLib.MainLoop()
        results = []

        def done(source, result):
            results.append(source.get_stats_finish(result))
            loop.quit()

        self.inspector.get_stats_async(None, done)
        loop.run()
        self.assertEqual(results[0].puts, 0)


if __name__ == "__main__":
    outcome = unittest.main(exit=False)
    RUNTIME.cleanup()
    sys.exit(not outcome.result.wasSuccessful())
