#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the Python override adds: the mapping protocol, documents, `with`, errors as classes."""

import contextlib
import copy
import gc
import io
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import unittest
import weakref

import gi

gi.require_version("Ldb", "1")
from gi.repository import Gio, GLib, GObject, Ldb  # noqa: E402
from gi.overrides.Ldb.calling import is_bytes  # noqa: E402


class WithDatabase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ldb-python-")
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "database")
        self.db = Ldb.open(self.path, create=True)
        self.addCleanup(self.db.close)
        self.people = self.db.open_store("people", Ldb.OpenFlags.CREATE)


class Contact(GObject.Object):
    __gtype_name__ = "TestContact"
    key = GObject.Property(type=str)
    value = GObject.Property(type=str)


ROWS_IN_GTK = """
import sys
import gi
try:
    gi.require_version("Gtk", "4.0")
except ValueError:
    sys.exit(print("no GTK"))
gi.require_version("Ldb", "1")
from gi.repository import GObject, Gtk, Ldb
class Contact(GObject.Object):
    key = GObject.Property(type=str)
    value = GObject.Property(type=str)
with Ldb.open(sys.argv[1] + "/gtk", create=True) as db:
    db["n:1"], db["n:2"] = "one", b"t\\xffw\\0o"
    selections = []
    for position in range(2):
        rows = Ldb.ListModel.new_prefix(db, None, "n:", Ldb.ListFlags.BLOCKING, Contact)
        selections.append(Gtk.SingleSelection(model=rows))
        selections[-1].set_selected(position)
    found = [selection.get_selected_item() for selection in selections]
    print(", ".join(f"{type(row).__name__} {row.key} {row.value}" for row in found))
"""


class Lists(WithDatabase):
    """A live list is a sequence of its rows."""

    def make(self, row_type=Ldb.Entry, flags=Ldb.ListFlags.BLOCKING):
        return Ldb.ListModel.new_prefix(self.db, None, "n:", flags, row_type)

    def follow(self, rows):
        sequence = self.db.get_sequence()
        while rows.get_sequence() < sequence:
            GLib.MainContext.default().iteration(True)

    def test_sequence(self):
        self.db["n:1"], self.db["n:2"], self.db["n:3"] = "one", "two", "three"
        with self.make() as rows:
            self.assertEqual(len(rows), 3)
            self.assertEqual([row.get_value() for row in rows], [b"one", b"two", b"three"])
            self.assertEqual([row.props.text for row in rows[1:]], ["two", "three"])
            self.assertEqual((rows[0].get_key(), rows[-1].get_key()), (b"n:1", b"n:3"))
            for wrong in (3, -4):
                with self.assertRaises(IndexError):
                    rows[wrong]
            self.assertTrue("n:2" in rows and b"n:3" in rows and "n:4" not in rows)
            self.assertEqual((rows.index("n:3"), rows.find(b"n:1"), rows.find("n:4")), (2, 0, -1))
            with self.assertRaises(ValueError):
                rows.index("n:4")
            with self.assertRaises(TypeError):
                7 in rows
            with self.assertRaises(Ldb.InvalidArgumentError):
                rows.find("")
            held = rows[1]
            signals = []
            rows.connect("items-changed", lambda rows, *change: signals.append(change))
            self.db.delete("n:1")
            self.follow(rows)
            self.assertEqual(signals, [(0, 1, 0)])
            self.assertIs(rows[0], held)
            self.db["n:2"] = {"name": "Bo"}
            self.follow(rows)
            self.assertEqual((len(signals), held.props.variant.unpack()), (1, {"name": "Bo"}))
        self.assertTrue(rows.is_closed())
        self.assertEqual((len(rows), list(rows), bool(rows)), (0, [], True))

    def test_rows(self):
        self.db["n:1"] = "one"
        with self.make(Contact) as rows:
            row = rows[0]
            self.assertEqual((type(row), row.key, row.value), (Contact, "n:1", "one"))
            self.db["n:1"] = "other"
            self.follow(rows)
            self.assertEqual(row.value, "other")
        with self.assertRaises(Ldb.InvalidArgumentError):
            self.make(GObject.Object)

    def test_rows_of_a_constructor(self):
        """Rows that are made while Python constructs something of C's are rows all the same. (PyGObject
        takes what C makes meanwhile for what is constructed.)"""
        done = subprocess.run([sys.executable, "-c", ROWS_IN_GTK, self.directory.name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if "no GTK" in done.stdout:
            self.skipTest("GTK 4 is not there")
        self.assertEqual((done.stdout, done.returncode), ("Contact n:1 one, Contact n:2 t\ufffdw\ufffdo\n", 0),
                         done.stderr)

    def test_properties_of_rows(self):
        """They follow what is committed, each in its own type."""
        class Row(GObject.Object):
            key = GObject.Property(type=GLib.Bytes)
            value = GObject.Property(type=GObject.TYPE_VARIANT)
            sequence = GObject.Property(type=GObject.TYPE_UINT64)
            loaded = GObject.Property(type=bool, default=False)

        self.db["n:1"], self.db["n:2"] = {"name": "Ada"}, "no variant"
        rows = Ldb.ListModel.new(self.db, start="n:", end="n;", row_type=Row, flags=Ldb.ListFlags.BLOCKING)
        row, other = rows
        self.assertEqual((row.key.get_data(), row.value.unpack()), (b"n:1", {"name": "Ada"}))
        self.assertEqual((row.loaded, row.sequence, other.value), (True, other.sequence - 1, None))
        notified = []
        row.connect("notify", lambda row, pspec: notified.append(pspec.name))
        self.db["n:1"] = {"name": "Bo"}
        self.follow(rows)
        self.assertEqual((row.value.unpack(), row.sequence), ({"name": "Bo"}, self.db.get_sequence()))
        self.assertEqual(sorted(notified), ["sequence", "value"])
        self.db.delete("n:1")
        self.follow(rows)
        self.assertEqual((len(rows), row.value.unpack()), (1, {"name": "Bo"}))
        there = weakref.ref(row)
        del row, other
        gc.collect()
        self.assertIsNone(there())
        rows.close()

    def test_mapped(self):
        self.db["n:1"], self.db["n:2"] = "one", "two"
        rows = Ldb.ListModel.new_mapped(self.db, None, "n:", "n;", Ldb.ListFlags.BLOCKING, Contact,
                                        lambda entry, *data: Contact(value=entry.props.text.upper()))
        self.assertEqual([row.value for row in rows], ["ONE", "TWO"])
        rows.close()

    def test_a_function_that_raises(self):
        """It is reported, and there is a row all the same."""
        self.db["n:1"] = "one"

        def wrong(entry, *data):
            raise ValueError("wrong")

        rows = Ldb.ListModel.new_mapped(self.db, None, None, None, Ldb.ListFlags.BLOCKING, Contact,
                                        wrong)
        printed = io.StringIO()
        fatal = GLib.log_set_always_fatal(GLib.LogLevelFlags.LEVEL_ERROR)
        self.addCleanup(GLib.log_set_always_fatal, fatal)
        with contextlib.redirect_stderr(printed):
            row = rows[0]
        self.assertIn("ValueError: wrong", printed.getvalue())
        self.assertIs(type(row), Contact)
        rows.close()


class Mapping(WithDatabase):
    def places(self):
        """Whatever is read and written, each with nothing in it."""
        transaction = self.db.begin()
        yield "database", self.db
        yield "store", self.people
        self.db.clear()
        self.people.clear()
        yield "transaction", transaction
        yield "store of a transaction", transaction.for_store(self.people)
        transaction.rollback()

    def test_reading_and_writing(self):
        for name, place in self.places():
            with self.subTest(name):
                place[b"k"] = b"v\0w"
                place["text"] = "Grüße"
                place["array"] = bytearray(b"a")
                place["empty"] = b""
                self.assertEqual(place[b"k"], b"v\0w")
                self.assertEqual(place["text"], "Grüße".encode())
                self.assertEqual(place[b"array"], b"a")
                self.assertEqual(place["empty"], b"")
                self.assertIs(type(place[b"k"]), bytes)
                self.assertTrue("k" in place and b"k" in place and "x" not in place)
                self.assertTrue("empty" in place)
                self.assertEqual([place.get("k"), place.get("x"), place.get("x", 7)],
                                 [b"v\0w", None, 7])
                with self.assertRaises(KeyError) as caught:
                    place["x"]
                self.assertEqual(caught.exception.args, (b"x",))
                del place["k"]
                with self.assertRaises(KeyError):
                    del place["k"]
                self.assertEqual(place.pop("text"), "Grüße".encode())
                self.assertEqual(place.pop("text", None), None)
                with self.assertRaises(KeyError):
                    place.pop("text")
                self.assertEqual(place.setdefault("n", b"1"), b"1")
                self.assertEqual(place.setdefault("n", b"2"), b"1")
                place.update({"a": b"1"}, b=b"2")
                place.update([(b"c", b"3")])
                self.assertEqual([place[key] for key in "abc"], [b"1", b"2", b"3"])
                place.clear()
                self.assertEqual(list(place), [])
                self.assertTrue(place)  # a place is true, also when it is empty

    def test_ranges(self):
        for name, place in self.places():
            with self.subTest(name):
                keys = [b"a", b"b", b"ba", b"bb", b"c"]
                place.update((key, key * 2) for key in keys)
                items = [(key, key * 2) for key in keys]
                self.assertEqual(list(place), keys)
                self.assertEqual(list(reversed(place)), keys[::-1])
                self.assertEqual(list(place.keys()), keys)
                self.assertEqual(list(place.values()), [key * 2 for key in keys])
                self.assertEqual(list(place.items()), items)
                self.assertEqual(dict(place.items()), dict(items))
                self.assertEqual(list(place[b"b":b"c"]), items[1:4])
                self.assertEqual(list(place["b":]), items[1:])
                self.assertEqual(list(place[:"b"]), items[:1])
                self.assertEqual(list(place[:]), items)
                self.assertEqual(list(place["b":"c":-1]), items[3:0:-1])
                self.assertEqual(list(place["c":"b"]), [])
                self.assertEqual(list(place["b":"b"]), [])
                self.assertEqual(list(place[:b""]), [])
                self.assertEqual(list(place.keys(prefix="b")), keys[1:4])
                self.assertEqual(list(place.keys(prefix="b", reverse=True, limit=2)),
                                 [b"bb", b"ba"])
                self.assertEqual(list(place.keys(limit=0)), [])
                self.assertEqual(list(place.items(start="ba", stop="c")), items[2:4])
                self.assertEqual(list(reversed(place.keys(prefix="b"))), keys[3:0:-1])
                self.assertTrue("b" in place.keys() and "a" not in place.keys(prefix="b"))
                self.assertFalse("c" in place.keys(stop="c") or "x" in place.keys())
                self.assertTrue((b"b", b"bb") in place.items() and b"cc" in place.values())
                twice = place.keys(prefix="b")
                self.assertEqual(list(twice), list(twice))
                for wrong in (lambda: place["a":"b":2], lambda: place.keys(prefix="a", start="b"),
                              lambda: reversed(place.keys(limit=1))):
                    with self.assertRaises(ValueError):
                        wrong()
                del place["b":"c"]
                self.assertEqual(list(place), [b"a", b"c"])
                del place["b":"a"]  # empty, as for a list
                del place[:]
                self.assertEqual(list(place), [])

    def test_scan(self):
        self.db.update((f"user:{number}", str(number)) for number in range(5))
        self.assertEqual(list(self.db.scan(prefix=b"user:", reverse=True, limit=2)),
                         [(b"user:4", b"4"), (b"user:3", b"3")])
        self.assertEqual(list(self.db.scan(keys_only=True, limit=1)), [b"user:0"])
        with self.db.scan("user:1", "user:3") as cursor:
            self.assertTrue(cursor.next())
            self.assertEqual((cursor.key, cursor.value), (b"user:1", b"1"))
            self.assertEqual((cursor.get_key(), cursor.get_value()), (b"user:1", b"1"))
            self.assertEqual(list(cursor), [(b"user:2", b"2")])
            self.assertTrue(cursor.seek("user:1"))
        with self.assertRaises(Ldb.ClosedError):
            cursor.next()
        records = self.db.scan().read(2)
        self.assertEqual([tuple(record) for record in records],
                         [(b"user:0", b"0"), (b"user:1", b"1")])
        self.assertEqual(records[0].key, records[0].get_key())

    def test_in_reads_no_value(self):
        """Nor does `del`, however large it is."""
        for place in (self.db, self.people):
            place["large"] = bytes(8 << 20)
            tracemalloc.start()
            self.assertTrue("large" in place and "absent" not in place and "large" in place.keys())
            del place["large"]
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertLess(peak, 1 << 20)

    def test_an_unfinished_loop_keeps_no_cursor(self):
        self.db.update((f"{number:03}", "x") for number in range(100))
        for key in self.db.keys():
            if key == b"050":
                break
        del key
        gc.collect()
        self.assertEqual(self.db.get_stats().snapshots, 0)

    def test_snapshot(self):
        self.db["k"] = "old"
        self.people["ada"] = "London"
        with self.db.create_snapshot() as snapshot:
            self.db["k"] = "new"
            del self.people["ada"]
            self.assertEqual(snapshot["k"], b"old")
            self.assertEqual(list(snapshot.items()), [(b"k", b"old")])
            self.assertEqual(snapshot.for_store(self.people)["ada"], b"London")
            self.assertTrue("k" in snapshot and "ada" not in snapshot)
            self.assertIn("ada", snapshot.for_store(self.people))
            self.assertTrue(snapshot.contains(self.people, "ada"))
            self.assertFalse(snapshot.contains(None, "ada"))
            self.assertEqual(list(snapshot.for_store(self.people)), [b"ada"])
            self.assertEqual(snapshot.get(self.people, b"ada"), b"London")
            self.assertEqual(snapshot.get(None, "k"), b"old")
            self.assertEqual(snapshot.get("x", 1), 1)
            self.assertEqual(snapshot.get_many(self.people, ["ada", "x"]), [b"London", None])
            self.assertEqual(list(snapshot.scan(self.people)), [(b"ada", b"London")])
            with self.assertRaises(TypeError):
                snapshot["k"] = b"1"
        with self.assertRaises(Ldb.ClosedError):
            snapshot["k"]

    def test_wrong_types(self):
        for key in (1, None, 1.5, ["a"]):
            for use in (lambda: self.db[key], lambda: self.db.get(key), lambda: key in self.db,
                        lambda: self.db.__setitem__(key, b""), lambda: self.db.put(key, b"")):
                with self.subTest(key), self.assertRaises(TypeError):
                    use()
        for value in (1, None, 1.5, ["a"], {1: 2}, {"a": object()}):
            with self.subTest(value), self.assertRaises(TypeError):
                self.db["k"] = value
        with self.assertRaises(Ldb.InvalidArgumentError):
            self.db[b""]
        with self.assertRaises(Ldb.KeyTooLargeError):
            self.db[b"x" * 70000] = b""
        self.assertEqual(list(self.db), [])

    def test_text_is_not_cut_off(self):
        """Where the library takes text it ends at a zero byte, so such text would be another one."""
        for wrong in (lambda: self.db.get_string("a\0b"), lambda: self.db.put_string("a", "1\0"),
                      lambda: self.db.delete_string("a\0"), lambda: self.db.drop_store("people\0"),
                      lambda: self.db.open_store("s\0", Ldb.OpenFlags.CREATE)):
            with self.assertRaisesRegex(ValueError, "zero bytes"):
                wrong()
        self.assertEqual((list(self.db), self.db.list_stores()), ([], ["default", "people"]))
        self.db["a\0b"] = "1\0"
        self.assertEqual(dict(self.db.items()), {b"a\0b": b"1\0"})

    def test_unknown_flags(self):
        for made in (lambda: self.db.watch_all(Ldb.WatchFlags(1 << 16)),
                     lambda: self.db.changes(flags=Ldb.WatchFlags(1 << 16)),
                     lambda: self.db.begin(Ldb.TransactionFlags(4)),
                     lambda: self.db.scan(flags=4),
                     lambda: Ldb.ListModel.new(self.db, None, None, None, Ldb.ListFlags(8),
                                               Ldb.Entry)):
            with self.assertRaisesRegex(Ldb.InvalidArgumentError, "0x.* are none of Ldb"):
                made()

    def test_limits(self):
        self.db.update(a="1", b="2")
        for limit in (0, -1):
            with self.assertRaisesRegex(ValueError, "1 or more"):
                self.db.scan(limit=limit)
        for limit in (1.5, "2"):
            with self.assertRaises(TypeError):
                self.db.scan(limit=limit)

    def test_introspected_calls_are_easier(self):
        self.db.put("a", "1")
        self.db.put_bytes("b", b"2")
        self.assertEqual(self.db.get_many(["a", GLib.Bytes(b"b"), bytearray(b"c")]),
                         [b"1", b"2", None])
        self.assertTrue(self.db.contains("a"))
        self.assertEqual(tuple(self.db.lookup("a")), (True, b"1"))
        self.db.delete_prefix(prefix="a")
        self.db.delete("b")
        self.assertEqual(self.db.delete_range(), True)
        batch = Ldb.Batch.new()
        batch.put(None, "a", "1")
        self.db.write_batch(batch)
        self.assertEqual(self.db.get(b"a", Gio.Cancellable()), b"1")
        for wrong in (lambda: self.db.delete(), lambda: self.db.delete("a", None, None),
                      lambda: self.db.delete("a", wrong=1), lambda: self.db.delete("a", key="a")):
            with self.assertRaises(TypeError):
                wrong()

    def test_introspected_constructors(self):
        again = Ldb.Database.open(self.path)
        self.assertEqual(again.get_id(), self.db.get_id())
        self.assertIs(type(again), Ldb.Database)
        self.assertIs(type(Ldb.Database.open(self.path, Ldb.OpenFlags.CREATE, None)), Ldb.Database)
        record = Ldb.Record.new("k", b"v")
        self.assertEqual((record.key, record.value), (b"k", b"v"))
        self.assertEqual(tuple(Ldb.Record.new(b"k")), (b"k", None))
        by_property = Ldb.Database(path=self.path)
        by_property.init()
        self.assertEqual(by_property.get_id(), self.db.get_id())

    def test_cancelled(self):
        cancelled = Gio.Cancellable()
        cancelled.cancel()
        for call in (lambda: self.db.get("k", None, cancelled), lambda: self.db.get("k", cancelled),
                     lambda: self.db.put("k", "v", cancelled)):
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_as_in_the_dictionary(self):
        """Random operations on a dictionary and on the database say the same."""
        generator = random.Random(8)
        model = {}
        for _ in range(3000):
            key = b"%02d" % generator.randrange(40)
            choice = generator.randrange(6)
            if choice < 2:
                model[key] = self.db[key] = b"%d" % generator.randrange(1000)
            elif choice == 2:
                self.assertEqual(self.db.pop(key, None), model.pop(key, None))
            elif choice == 3:
                self.assertEqual(self.db.get(key), model.get(key))
            elif choice == 4:
                self.assertEqual(key in self.db, key in model)
            else:
                low, high = sorted(b"%02d" % generator.randrange(40) for _ in range(2))
                self.assertEqual(list(self.db[low:high]),
                                 sorted(item for item in model.items() if low <= item[0] < high))
        self.assertEqual(dict(self.db.items()), model)


class Documents(WithDatabase):
    ALICE = {"name": "Alice", "age": 30, "tags": ["a", b"\0\xff", None, True, 2.5, -1, 2**64 - 1],
             "address": {"city": "Zürich", "none": {}}, "empty": [], "": ""}

    def test_round_trip(self):
        transaction = self.db.begin()
        for place in (self.db, self.people, transaction, transaction.for_store(self.people)):
            place["user:1"] = self.ALICE
            self.assertEqual(place["user:1"], self.ALICE)
            self.assertEqual(place.get("user:1"), self.ALICE)
            self.assertEqual(list(place.items()), [(b"user:1", self.ALICE)])
            place["none"] = {}
            self.assertEqual(place.pop("none"), {})
            self.assertEqual(place.setdefault("other", {"a": 1}), {"a": 1})
            place.clear()
        transaction.rollback()

    def test_the_other_languages_read_it(self):
        self.db["user:1"] = {"name": "Alice", "age": 30}
        self.assertEqual(self.db.get_variant("user:1").print_(True),
                         "{'name': <'Alice'>, 'age': <int64 30>}")
        self.db.put_variant("user:2", GLib.Variant("a{sv}", {"age": GLib.Variant("y", 7)}))
        self.assertEqual(self.db["user:2"], {"age": 7})
        self.db.put_variant("nested", GLib.Variant("a{sv}", {"a": GLib.Variant(
            "(a{is}mav)", ({1: "x"}, [GLib.Variant("ay", b"b")]))}))
        self.assertEqual(self.db["nested"], {"a": ({1: "x"}, [b"b"])})
        # Other variants are no documents: they are what they are stored as.
        self.db.put_variant("number", GLib.Variant("i", 5))
        self.assertIs(type(self.db["number"]), bytes)
        self.assertEqual(self.db.get_variant("number").unpack(), 5)

    def test_every_way_to_write_and_read(self):
        with self.db.batch() as batch:
            batch["a"] = {"a": 1}
            batch.for_store(self.people)["a"] = {"a": 2}
        with self.db.create_loader() as loader:
            loader["b"] = {"b": 1}
            loader.for_store(self.people)["b"] = {"b": 2}
        self.assertEqual(dict(self.db.items()), {b"a": {"a": 1}, b"b": {"b": 1}})
        self.assertEqual(dict(self.people.items()), {b"a": {"a": 2}, b"b": {"b": 2}})
        self.assertEqual(self.db.get_many(["a", "b"]), [{"a": 1}, {"b": 1}])
        self.assertEqual([record.value for record in self.db.scan().read(9)], [{"a": 1}, {"b": 1}])
        with self.db.create_snapshot() as snapshot:
            self.assertEqual(snapshot["a"], {"a": 1})
            self.assertEqual(snapshot.get(self.people, "a"), {"a": 2})
        cursor = self.db.scan()
        cursor.next()
        self.assertEqual(cursor.value, {"a": 1})

    def test_bytes_are_never_taken_for_documents(self):
        looks_like_one = self.db.put_variant("x", GLib.Variant("a{sv}", {})) and self.db.lookup("x")[1]
        self.assertEqual(looks_like_one, b"\0a{sv}")
        with self.assertRaisesRegex(ValueError, "read back as a document"):
            self.db["y"] = looks_like_one
        with self.assertRaises(ValueError):
            self.db["y"] = bytearray(looks_like_one)
        self.assertNotIn("y", self.db)
        self.db.put("y", looks_like_one)
        self.assertEqual(tuple(self.db.lookup("y")), (True, looks_like_one))
        # What only ends like one is bytes, and stays so.
        self.db["z"] = b"no document\0a{sv}"
        self.assertEqual(self.db["z"], b"no document\0a{sv}")
        generator = random.Random(3)
        for _ in range(2000):
            value = generator.randbytes(generator.randrange(24)) + generator.choice(
                [b"", b"\0a{sv}", b"\0s\0a{sv}", b"\0\0\0\0a{sv}", b"a{sv}"])
            try:
                self.db["k"] = value
            except ValueError:
                continue
            self.assertEqual(self.db["k"], value)

    def test_what_does_not_fit(self):
        circle = {}
        circle["itself"] = circle
        for document in ({"a": 2**64}, {"a": -2**63 - 1}, {"a": "\0"}, {"\0": 1}, circle,
                         {"a": "\ud800"}):
            with self.subTest(repr(document)), self.assertRaises(ValueError):
                self.db["k"] = document
        deep = {}
        for _ in range(40):
            deep = {"deeper": deep}
        self.db["k"] = deep
        self.assertEqual(self.db["k"], deep)
        with self.assertRaises(ValueError):
            self.db["k"] = {"deeper": deep}


class Statements(WithDatabase):
    def test_transaction(self):
        with self.db.begin() as transaction:
            transaction["a"] = b"1"
            self.assertNotIn("a", self.db)
        self.assertEqual(self.db["a"], b"1")
        with self.assertRaises(ZeroDivisionError):
            with self.db.begin() as transaction:
                transaction["a"] = b"2"
                1 / 0
        self.assertFalse(transaction.is_active())
        with self.db.begin() as transaction:
            transaction["a"] = b"3"
            transaction.rollback()
        with self.db.begin() as transaction:
            transaction["b"] = b"1"
            transaction.commit(Ldb.SyncMode.FULL)
        with self.db.begin(Ldb.TransactionFlags.READ_ONLY) as transaction:
            self.assertEqual(transaction["a"], b"1")
        with self.db.begin():
            pass
        self.assertEqual(dict(self.db.items()), {b"a": b"1", b"b": b"1"})

    def test_transaction_conflicts(self):
        with self.assertRaises(Ldb.ConflictError):
            with self.db.begin() as transaction:
                transaction["a"] = b"1"
                self.db["a"] = b"2"

    def test_transaction_that_timed_out_does_not_seem_committed(self):
        path = self.path + ".quick"
        with Ldb.open(path, create=True, transaction_timeout=50) as db:
            with self.assertRaises(Ldb.TimedOutError):
                with db.begin() as transaction:
                    transaction["a"] = b"1"
                    GLib.usleep(200000)
            self.assertNotIn("a", db)

    def test_database_and_batch(self):
        path = self.path + ".other"
        with Ldb.open(path, create=True, cache_size=16 << 20) as db:
            self.assertEqual(db.get_options().get_cache_size(), 16 << 20)
            sequence = db.get_sequence()
            with db.batch(Ldb.SyncMode.FULL) as batch:
                batch["a"] = batch["b"] = b"1"
                del batch["a"]
            self.assertEqual(db.get_sequence(), sequence + 1)
            with self.assertRaises(ZeroDivisionError):
                with db.batch() as batch:
                    batch["c"] = b"1"
                    1 / 0
            with db.batch():
                pass
            self.assertEqual(list(db), [b"b"])
            self.assertEqual(db.get_sequence(), sequence + 1)
        self.assertTrue(db.is_closed())
        with self.assertRaises(Ldb.NotFoundError):
            Ldb.open(path + ".none")
        with self.assertRaises(Ldb.ExistsError):
            Ldb.open(path, exclusive=True)
        with Ldb.open(path, read_only=True) as db, self.assertRaises(Ldb.ReadOnlyError):
            db["a"] = b"1"

    def test_loader(self):
        with self.assertRaises(ZeroDivisionError):
            with self.db.create_loader() as loader:
                loader["a"] = b"1"
                1 / 0
        with self.db.create_loader() as loader:
            loader["b"] = b"1"
            loader.put_many(None, [("d", "2"), (b"c", b"3")])
            later = loader.put_many_async(None, [("e", "4"), Ldb.Record.new(GLib.Bytes(b"f"), GLib.Bytes(b"5"))])
            while not later.done():
                GLib.MainContext.default().iteration(True)
            self.assertTrue(later.result())
            with self.assertRaises(TypeError):
                del loader["b"]
        self.assertEqual(dict(self.db.items()), {b"b": b"1", b"c": b"3", b"d": b"2", b"e": b"4", b"f": b"5"})

    def test_run(self):
        calls = []

        def count_up(transaction):
            calls.append(transaction)
            value = int(transaction.get("counter", b"0"))
            if len(calls) < 3:
                self.db["counter"] = b"10"
            transaction["counter"] = str(value + 1)
            return value + 1

        self.assertEqual(self.db.run(count_up), 11)
        self.assertEqual((len(calls), self.db["counter"]), (3, b"11"))
        calls.clear()
        with self.assertRaises(Ldb.ConflictError):
            self.db.run(count_up, retries=0)
        self.assertEqual(len(calls), 1)
        with self.assertRaises(ZeroDivisionError):
            self.db.run(lambda transaction: 1 / 0)
        self.assertEqual(self.db.run(lambda transaction: transaction.rollback()), True)
        self.assertEqual(self.db.run(lambda transaction: 5, retries=-1), 5)

        async def later(transaction):
            transaction["later"] = b"1"

        with self.assertRaisesRegex(TypeError, "run_async"):
            self.db.run(later)
        self.assertNotIn("later", self.db)

    def test_threads_count_up(self):
        """Threads wait for the disk without holding Python's lock, and no count is lost."""
        def work():
            for _ in range(50):
                self.db.run(lambda transaction: transaction.__setitem__(
                    "n", str(int(transaction.get("n", b"0")) + 1)), retries=1000)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.db["n"], b"200")


class Errors(WithDatabase):
    def test_each_code_has_its_class(self):
        names = [value.get_name_unescaped() for value in Ldb.Error.__info__.get_values()]
        self.assertGreater(len(names), 25)
        for name in names:
            code = getattr(Ldb.Error, name.upper())
            error = GLib.Error("why", "ldb-error-quark", int(code))
            self.assertIs(type(error), getattr(Ldb, type(error).__name__))
            self.assertEqual(type(error).CODE, int(code))
            self.assertTrue(issubclass(type(error), Ldb.DatabaseError))
            self.assertTrue(error.matches(Ldb.Error.quark(), code))
            self.assertEqual((str(error), error.message, error.code), ("why", "why", int(code)))
            self.assertIs(type(copy.copy(error)), type(error))
            self.assertIs(type(error.copy()), type(error))
        self.assertEqual(len({getattr(Ldb, its).CODE for its in dir(Ldb) if its.endswith("Error")
                              and its not in ("DatabaseError", "Error")}), len(names))
        self.assertIs(Ldb.NotFoundError, type(GLib.Error("", "ldb-error-quark", 2)))
        self.assertIs(type(GLib.Error("", "ldb-error-quark", 999)), Ldb.DatabaseError)
        self.assertTrue(issubclass(Ldb.IOError, Ldb.DatabaseError))

    def test_other_errors_are_left_alone(self):
        with self.assertRaises(GLib.Error) as caught:
            Gio.File.new_for_path("/nonexistent").load_contents()
        self.assertIs(type(caught.exception), GLib.Error)
        self.assertIs(type(GLib.Error()), GLib.Error)
        self.assertIs(type(GLib.Error("x")), GLib.Error)
        self.assertIs(type(GLib.Error("x", code=2, domain="ldb-error-quark")), Ldb.NotFoundError)

        class Own(GLib.Error):
            def __init__(self, one, two, three, four):
                super().__init__(one, "ldb-error-quark", 2)

        self.assertIs(type(Own("a", 2, 3, 4)), Own)

    def test_caught_by_every_name(self):
        for kind in (Ldb.ClosedError, Ldb.DatabaseError, GLib.Error):
            db = Ldb.open(self.path + ".closed", create=True)
            db.close()
            with self.assertRaises(kind) as caught:
                db["k"]
            self.assertIn("open it again", str(caught.exception))
        self.assertTrue(Ldb.Error.matches_io(caught.exception, Gio.IOErrorEnum.CLOSED))

    def test_raised_in_a_function_of_ours(self):
        def give_up(transaction, *data):
            raise Ldb.LimitExceededError("too much")

        with self.assertRaises(Ldb.LimitExceededError) as caught:
            self.db.run_transaction(Ldb.TransactionFlags.NONE, give_up)
        self.assertEqual(caught.exception.message, "too much")


def finish(outcome):
    """What it comes to, under GLib's main loop."""
    loop = GLib.MainLoop()
    outcome.add_done_callback(lambda outcome: loop.quit())
    if not outcome.done():
        loop.run()
    return outcome.result()


class Module(unittest.TestCase):
    def test_paths(self):
        with tempfile.TemporaryDirectory() as directory:
            for path in (f"{directory}/a", f"{directory}/b".encode(), pathlib.Path(directory, "c")):
                with Ldb.open(path, create=True) as db:
                    self.assertEqual(db.get_path(), os.fsdecode(path))
        for path in (None, 5):
            with self.assertRaises(TypeError):
                Ldb.open(path)
            with self.assertRaises(TypeError):
                Ldb.open_async(path)

    def test_cancellable(self):
        """It reaches the opening, synchronous or not."""
        with tempfile.TemporaryDirectory() as directory:
            for cancelled in (False, True):
                cancellable = Gio.Cancellable()
                if cancelled:
                    cancellable.cancel()
                for opens in (Ldb.open, lambda *args, **named: finish(Ldb.open_async(*args, **named))):
                    try:
                        opens(f"{directory}/a", create=True, cancellable=cancellable,
                              cache_size=16 << 20).close()
                    except GLib.Error as error:
                        self.assertTrue(cancelled)
                        self.assertTrue(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
                    else:
                        self.assertFalse(cancelled)

    def test_cancelling_a_wait(self):
        """Another process writes; who waits for its end gives up."""
        holds = "import sys; from gi.repository import Ldb; db = Ldb.open(sys.argv[1], create=True); print(); input()"
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/a"
            with subprocess.Popen([sys.executable, "-c", "import gi; gi.require_version('Ldb', '1'); " + holds, path],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
                writer.stdout.readline()
                cancellable = Gio.Cancellable()
                waiting = Ldb.open_async(path, wait=True, cancellable=cancellable)
                GLib.timeout_add(20, cancellable.cancel)
                with self.assertRaises(GLib.Error) as caught:
                    finish(waiting)
                self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
                writer.communicate("\n")
            Ldb.open(path).close()

    def test_text_as_keys_of_a_batch(self):
        with tempfile.TemporaryDirectory() as directory, Ldb.open(f"{directory}/a", create=True) as db:
            batch = Ldb.Batch()
            batch.put_variant(None, "größe", GLib.Variant("i", 5))
            batch.put(None, "k", "v")
            db.write_batch(batch)
            self.assertEqual(db.get_variant("größe").unpack(), 5)
            with db.begin() as transaction:
                transaction.put_variant(None, "größe", GLib.Variant("i", 6))
            self.assertEqual(db.get_variant("größe".encode()).unpack(), 6)

    def test_bytes_are_bytes_everywhere(self):
        """Nothing that the library returns as GBytes comes as GLib.Bytes, but where its name says so."""
        looked = set()
        for name in dir(Ldb):
            its = getattr(Ldb, name)
            info = getattr(its, "__info__", None)
            if not isinstance(its, type) or not hasattr(info, "get_methods"):
                continue
            raw = next(base for base in its.__mro__ if base.__module__ == "gi.repository.Ldb")
            for method in info.get_methods():
                if not is_bytes(method.get_return_type()):
                    continue
                looked.add(f"{name}.{method.get_name()}")
                if "bytes" not in method.get_name():
                    self.assertNotIsInstance(getattr(its, method.get_name()), type(method), looked)
            for field in info.get_fields() if hasattr(info, "get_fields") else ():
                if is_bytes(field.get_type()):
                    looked.add(f"{name}.{field.get_name()}")
                    self.assertIn("<lambda>", getattr(its, field.get_name()).fget.__qualname__, looked)
        self.assertLessEqual({"Database.get", "Database.get_finish", "Database.get_bytes", "Inspector.get",
                              "Cursor.get_value_finish", "PageContents.get_stored", "PageRecord.key",
                              "StorageNode.get_smallest", "BigValue.key", "SlowOperation.key"}, looked)

    def test_bytes_of_pages(self):
        with tempfile.TemporaryDirectory() as directory, Ldb.open(f"{directory}/a", create=True) as db:
            db["k"] = "v" * 3000
            db.flush()
            self.assertEqual(finish(db.get_async("k")), b"v" * 3000)
            answered = []
            db.get_async(b"k", None, lambda db, result: answered.append(db.get_finish(result)))
            while not answered:
                GLib.MainContext.default().iteration(True)
            self.assertEqual(answered, [b"v" * 3000])
            self.assertEqual([big.key for big in db.measure_sizes(None, None, None, 0, 2).get_biggest()], [b"k"])
            place = next(place for place in db.locate_key(None, b"k", None) if place.decides)
            contents = db.read_page(place.segment, place.page, None)
            record = contents.get_records()[place.slot]
            self.assertEqual((record.key, record.value), (b"k", b"v" * 3000))
            self.assertIsInstance(contents.get_decoded(), bytes)
            node = db.load_storage_map(None).get_root()
            while node.get_n_items() > 0:
                node = node.get_item(node.get_n_items() - 1)
            self.assertIn(type(node.get_smallest()), (bytes, type(None)))

    def test_version_is_the_project_s(self):
        from gi.overrides.Ldb import VERSION
        self.assertEqual(VERSION, os.environ["PROJECT_VERSION"])
        self.assertEqual(VERSION, Ldb.get_version())

    def test_version_mismatch(self):
        """A module that is newer than the library, and one of another major version, say so."""
        import gi.overrides.Ldb as module
        source = os.path.dirname(module.__file__)
        for version in ("0.1.1", "0.2.0", "1.0.0"):
            with tempfile.TemporaryDirectory() as directory:
                other = os.path.join(directory, "gi", "overrides", "Ldb")
                shutil.copytree(source, other)
                init = os.path.join(other, "__init__.py")
                with open(init, encoding="utf-8") as file:
                    text = file.read()
                changed = re.sub(r'^VERSION = "[^"]*"', f'VERSION = "{version}"', text,
                                 flags=re.MULTILINE)
                self.assertNotEqual(changed, text)
                with open(init, "w", encoding="utf-8") as file:
                    file.write(changed)
                done = subprocess.run(
                    [sys.executable, "-c", "import gi; gi.require_version('Ldb', '1')\n"
                     "from gi.repository import Ldb"],
                    env={**os.environ, "PYTHONPATH": directory}, capture_output=True, text=True,
                    check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"ImportError: Version mismatch: the Python module of Lightning DB is "
                              f"{version}, but the native library is {Ldb.get_version()}.",
                              done.stderr)
                self.assertRegex(done.stderr, "(upgrade|install) the\\s.*lightning-db package")


if __name__ == "__main__":
    unittest.main()
