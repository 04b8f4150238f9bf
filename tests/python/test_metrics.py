#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Metrics from Python: properties that notify, figures by name."""

import os
import tempfile
import unittest

import gi

gi.require_version("Ldb", "1")
from gi.repository import GLib, Ldb  # noqa: E402


class Metrics(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ldb-python-")
        self.db = Ldb.open(os.path.join(self.directory.name, "database"), create=True)

    def tearDown(self):
        self.db.close()
        self.directory.cleanup()

    def test_properties(self):
        metrics = self.db.get_metrics()
        metrics.props.interval = 10
        told = []
        metrics.connect("notify::total-writes", lambda of, spec: told.append(of.props.total_writes))
        self.db["a"] = b"1"
        context = GLib.MainContext.default()
        while not told:
            context.iteration(True)
        self.assertEqual(told, [1])
        self.assertEqual(metrics.props.total_reads, 0)
        self.assertGreater(metrics.props.memory_budget_bytes, 0)

    def test_names(self):
        metrics = self.db.get_metrics()
        for name in metrics.list_names():
            known, kind, unit, text = metrics.describe(name)
            self.assertTrue(known)
            self.assertIsInstance(kind, Ldb.MetricKind)
            self.assertIsInstance(unit, Ldb.MetricUnit)
            self.assertTrue(text)
        self.assertFalse(metrics.describe("nonsense")[0])
        self.db["a"] = b"1"
        self.assertEqual(metrics.get_value("puts"), 1)
        self.db.sync()
        self.assertGreater(metrics.get_percentile("log_sync", 0.5), 0)
        self.assertLessEqual(metrics.get_percentile("log_sync", 0.5), metrics.get_maximum("log_sync"))

    def test_slow(self):
        self.db.set_slow_threshold(1)
        batch = Ldb.Batch.new()
        batch.put(None, b"key", b"value")
        self.db.write_batch(batch, Ldb.SyncMode.FULL, None)
        slow = self.db.list_slow_operations(0)
        self.assertEqual([operation.number for operation in slow], [1])
        self.assertEqual(slow[0].kind, Ldb.OperationKind.BATCH)
        self.assertGreater(slow[0].log_sync, 0)
        self.assertIsNone(slow[0].key)

    def test_activity(self):
        transaction = self.db.begin(Ldb.TransactionFlags.NONE)
        transaction.put(None, b"key", b"1")
        opened = self.db.list_transactions()
        self.assertEqual([(one.id, one.operations, one.bytes) for one in opened], [(transaction.get_id(), 1, 4)])
        self.assertEqual([(key.access, key.store, key.key, key.value_length)
                          for key in self.db.list_transaction_keys(transaction.get_id())],
                         [(Ldb.KeyAccess.PUT, "default", b"key", 1)])
        self.assertEqual([(one.behind, one.holders) for one in self.db.list_snapshots()], [(0, 1)])
        self.db["key"] = b"2"
        with self.assertRaises(GLib.Error):
            transaction.commit(Ldb.SyncMode.DEFAULT, None)
        keys, total = self.db.list_hot_keys(Ldb.HotKeyKind.CONFLICT)
        self.assertEqual(total, 1)
        self.assertEqual([(one.store, one.key, one.count) for one in keys], [("default", b"key", 1)])
        trace = self.db.trace_get(None, b"key", None)
        self.assertTrue(trace.found)
        self.assertEqual(trace.value_length, 1)

    def test_bytes(self):
        with self.assertRaises(GLib.Error) as caught:
            Ldb.Metrics.new_from_bytes(GLib.Bytes.new(bytes(1000)))
        self.assertTrue(caught.exception.matches(Ldb.error_quark(), Ldb.Error.CORRUPT))


unittest.main()
