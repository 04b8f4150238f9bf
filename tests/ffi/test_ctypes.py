# SPDX-License-Identifier: MIT
"""The flat C ABI from ctypes without argument types, as a hurried program calls it: each Python int goes
through a 32-bit C int. Result types are said only where a number would not do: for texts."""

import ctypes
import os
import pathlib
import random
import shutil
import signal
import struct
import sys
import tempfile
import threading
import unittest

lib = ctypes.CDLL(os.environ["LIGHTNING_DB_FFI"])
for name in ("lightning_db_error_string", "lightning_db_last_error_message",
             "lightning_db_version", "ldb_get_version"):
    getattr(lib, name).restype = ctypes.c_char_p

SUCCESS, NULL_POINTER, INVALID_UTF8, INVALID_ARGUMENT = 0, -1, -2, -5
LOCKED, CONFLICT, INVALID_HANDLE, INVALID_TRANSACTION = -7, -8, -9, -10
NOT_FOUND, READ_ONLY, CLOSED = -11, -19, -20


class Result(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint8)), ("len", ctypes.c_size_t)]


class Entry(ctypes.Structure):
    _fields_ = [("key", ctypes.POINTER(ctypes.c_uint8)), ("key_len", ctypes.c_size_t),
                ("value", ctypes.POINTER(ctypes.c_uint8)), ("value_len", ctypes.c_size_t)]


def message():
    return lib.lightning_db_last_error_message().decode()


def take(result):
    """The value that a result holds, or None; frees it."""
    if not result.data:
        return None
    value = ctypes.string_at(result.data, result.len)
    lib.lightning_db_free_result(result.data, result.len)
    return value


def get(db, key):
    result = Result()
    code = lib.lightning_db_get(db, key, len(key), ctypes.byref(result))
    return take(result) if code == SUCCESS else code


def put(db, key, value):
    return lib.lightning_db_put(db, key, len(key), value, len(value))


def walk(iterator):
    """The keys and values that an iterator shows; frees it."""
    entry, found = Entry(), []
    while lib.lightning_db_iterator_next(iterator, ctypes.byref(entry)) == SUCCESS and entry.key:
        found.append((ctypes.string_at(entry.key, entry.key_len),
                      ctypes.string_at(entry.value, entry.value_len)))
    lib.lightning_db_iterator_free(iterator)
    return found


class Naive(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-ctypes-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.path = os.fsencode(self.directory / "db")
        self.db = lib.lightning_db_create(self.path, None)
        self.assertGreater(self.db, 0, message())
        self.addCleanup(lib.lightning_db_free, self.db)

    def test_versions(self):
        self.assertEqual(lib.lightning_db_version().decode(), os.environ["PROJECT_VERSION"])
        self.assertEqual(lib.ldb_get_version(), lib.lightning_db_version())
        self.assertEqual(lib.ldb_initialize(), 0)
        self.assertEqual(lib.lightning_db_error_string(-3), b"I/O error")
        self.assertEqual(lib.lightning_db_error_string(12345), b"Unknown error")

    def test_values(self):
        self.assertEqual(put(self.db, b"hello", b"world"), SUCCESS)
        self.assertEqual(get(self.db, b"hello"), b"world")
        self.assertIsNone(get(self.db, b"absent"))
        self.assertEqual(put(self.db, b"empty", b""), SUCCESS)
        self.assertEqual(get(self.db, b"empty"), b"")
        zeros = bytes(5)
        self.assertEqual(put(self.db, zeros, zeros), SUCCESS)
        self.assertEqual(get(self.db, zeros), zeros)
        large = random.Random(1).randbytes(300000)
        self.assertEqual(put(self.db, b"large", large), SUCCESS)
        self.assertEqual(get(self.db, b"large"), large)
        self.assertEqual(lib.lightning_db_delete(self.db, b"hello", 5), SUCCESS)
        self.assertIsNone(get(self.db, b"hello"))
        self.assertEqual(lib.lightning_db_put(self.db, None, 3, b"v", 1), NULL_POINTER)
        self.assertIn("key is NULL", message())

    def test_negative_lengths(self):
        """-1 as a length is a very large one, sign and all."""
        self.assertLess(lib.lightning_db_put(self.db, b"k", -1, b"v", 1), 0)
        self.assertLess(lib.lightning_db_put(self.db, b"k", 1, b"v", -1), 0)
        self.assertLess(get(self.db, b""), 0)
        self.assertIsNone(get(self.db, b"k"))

    def test_paths(self):
        self.assertEqual(lib.lightning_db_open(b"\xff\xfe", None), 0)
        self.assertEqual(lib.lightning_db_last_error(), INVALID_UTF8)
        self.assertEqual(lib.lightning_db_create(None, None), 0)
        self.assertEqual(lib.lightning_db_last_error(), NULL_POINTER)
        self.assertEqual(lib.lightning_db_open(self.path, None), 0)
        self.assertEqual(lib.lightning_db_last_error(), LOCKED)
        self.assertIn("already in this process", message())
        self.assertEqual(lib.lightning_db_create(self.path, 12345), 0)
        self.assertEqual(lib.lightning_db_last_error(), INVALID_HANDLE)
        umlauts = os.fsencode(self.directory) + "/größe 数据".encode()
        other = lib.lightning_db_create(umlauts, None)
        self.assertGreater(other, 0, message())
        self.assertEqual(put(other, b"a", b"b"), SUCCESS)
        lib.lightning_db_free(other)

    def test_config(self):
        config = lib.lightning_db_config_new()
        self.addCleanup(lib.lightning_db_config_free, config)
        for name in ("use_simd", "network_file_systems"):
            setter = getattr(lib, f"lightning_db_config_set_{name}")
            for value in (1, 2, -1, 0):
                self.assertEqual(setter(config, value), SUCCESS, name)
            self.assertEqual(setter(None, 1), NULL_POINTER)
            self.assertEqual(setter(self.db, 1), INVALID_HANDLE)
        retain = lib.lightning_db_config_set_change_retention
        self.assertEqual(retain(config, ctypes.c_uint64(2**50 + 1)), INVALID_ARGUMENT)
        self.assertIn("change-retention", message())
        self.assertEqual(retain(config, ctypes.c_uint64(1 << 20)), SUCCESS)
        self.assertEqual(lib.lightning_db_config_set_wal_segment_size(config, 65536), SUCCESS)
        for name, chosen in ("default", None), ("retaining", config):
            path = self.directory / name
            db = lib.lightning_db_create(os.fsencode(path), chosen)
            self.assertGreater(db, 0, message())
            for number in range(300):
                self.assertEqual(put(db, b"%d" % number, bytes(1000)), SUCCESS)
            self.assertEqual(lib.lightning_db_close(db), SUCCESS)
            self.assertEqual(any(path.glob("*.history")), chosen is not None)

    def test_transactions(self):
        tx = ctypes.c_uint64()
        self.assertEqual(lib.lightning_db_begin_transaction(self.db, ctypes.byref(tx)), SUCCESS)
        for number in (tx, tx.value):
            self.assertEqual(lib.lightning_db_put_tx(self.db, number, b"a", 1, b"1", 1), SUCCESS)
        self.assertIsNone(get(self.db, b"a"))
        result = Result()
        self.assertEqual(
            lib.lightning_db_get_tx(self.db, tx.value, b"a", 1, ctypes.byref(result)), SUCCESS)
        self.assertEqual(take(result), b"1")
        self.assertEqual(walk(lib.lightning_db_scan_tx(self.db, tx.value, None, 0, None, 0, 0)),
                         [(b"a", b"1")])
        self.assertEqual(put(self.db, b"a", b"2"), SUCCESS)
        self.assertEqual(lib.lightning_db_commit_transaction(self.db, tx.value), CONFLICT)
        for number in (tx.value, 0, -1, 77777, 2**31 - 1):
            with self.subTest(number):
                self.assertEqual(lib.lightning_db_commit_transaction(self.db, number),
                                 INVALID_TRANSACTION)
                self.assertEqual(lib.lightning_db_put_tx(self.db, number, b"a", 1, b"1", 1),
                                 INVALID_TRANSACTION)

    def test_stores_snapshots_scans_batches(self):
        people = lib.lightning_db_open_store(self.db, b"people", 1)
        batch = lib.lightning_db_batch_new()
        for number in range(5):
            key = b"p%d" % number
            self.assertEqual(lib.lightning_db_batch_put(batch, people, key, 2, key, 2), SUCCESS)
        self.assertEqual(lib.lightning_db_write_batch(self.db, batch, 1), SUCCESS)
        lib.lightning_db_batch_free(batch)
        then = lib.lightning_db_snapshot(people)
        self.assertEqual(lib.lightning_db_delete_range(people, b"p1", 2, b"p4", 2), SUCCESS)
        keys = [key for key, _ in walk(lib.lightning_db_scan(people, None, 0, None, 0, 0))]
        self.assertEqual(keys, [b"p0", b"p4"])
        keys = [key for key, _ in walk(lib.lightning_db_scan_prefix(then, b"p", 1, 1))]
        self.assertEqual(keys, [b"p4", b"p3", b"p2", b"p1", b"p0"])
        self.assertEqual(put(then, b"a", b"b"), READ_ONLY)
        self.assertIsNone(get(self.db, b"p0"))
        lib.lightning_db_free(then)
        lib.lightning_db_free(people)
        names = Result()
        self.assertEqual(lib.lightning_db_list_stores(self.db, ctypes.byref(names)), SUCCESS)
        self.assertEqual(take(names), b"default\0people\0")

    def test_end(self):
        """In any order, and more than once, as finalisers do."""
        store = lib.lightning_db_open_store(self.db, b"store", 1)
        then = lib.lightning_db_snapshot(self.db)
        iterator = lib.lightning_db_scan(self.db, None, 0, None, 0, 0)
        tx = ctypes.c_uint64()
        lib.lightning_db_begin_transaction(self.db, ctypes.byref(tx))
        lib.lightning_db_free(self.db)
        self.assertEqual(put(self.db, b"a", b"b"), INVALID_HANDLE)
        self.assertEqual(put(store, b"a", b"b"), CLOSED)
        self.assertEqual(get(then, b"a"), CLOSED)
        for _ in range(3):
            lib.lightning_db_iterator_free(iterator)
            lib.lightning_db_free(then)
            lib.lightning_db_free(store)
            lib.lightning_db_free(self.db)
        again = lib.lightning_db_open(self.path, None)
        self.assertNotEqual(again, self.db)
        self.assertEqual(put(again, b"a", b"b"), SUCCESS)
        self.assertEqual(put(self.db, b"a", b"b"), INVALID_HANDLE)
        lib.lightning_db_free(again)

    def test_threads(self):
        """ctypes lets go of the interpreter's lock: calls of threads run at once, also with the end."""
        stop = threading.Event()
        wrong = []

        def work(number):
            key = b"t%d" % number
            while not stop.is_set():
                code = put(self.db, key, key)
                value = get(self.db, key)
                # Under way when the end comes, a call may still be told that it is closed.
                if (code not in (SUCCESS, CLOSED, INVALID_HANDLE)
                        or value not in (key, CLOSED, INVALID_HANDLE)):
                    wrong.append((code, value, message()))
                    return

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        threads[0].join(0.2)
        lib.lightning_db_free(self.db)
        threads[0].join(0.1)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Hostile(unittest.TestCase):
    """Every function with nonsense for each argument that is a number, in a process of its own. (A
    pointer to memory that is not there is the caller's mistake in C and stays one.)"""

    HANDLES = {  # what each takes before its other arguments: handles and numbers
        "lightning_db_put": "h k l v l", "lightning_db_get": "h k l r",
        "lightning_db_delete": "h k l", "lightning_db_contains": "h k l",
        "lightning_db_get_into": "h k l r z r", "lightning_db_delete_range": "h k l k l",
        "lightning_db_begin_transaction": "h r", "lightning_db_begin_transaction_with": "h n r",
        "lightning_db_put_tx": "h n k l v l", "lightning_db_get_tx": "h n k l r",
        "lightning_db_delete_tx": "h n k l", "lightning_db_contains_tx": "h n k l",
        "lightning_db_lock_key_tx": "h n k l", "lightning_db_savepoint_tx": "h n r",
        "lightning_db_rollback_to_tx": "h n n", "lightning_db_delete_range_tx": "h n k l k l",
        "lightning_db_commit_transaction": "h n", "lightning_db_commit_transaction_with": "h n n",
        "lightning_db_abort_transaction": "h n",
        "lightning_db_scan": "h k l k l n", "lightning_db_scan_prefix": "h k l n",
        "lightning_db_scan_tx": "h n k l k l n", "lightning_db_scan_prefix_tx": "h n k l n",
        "lightning_db_iterator_next": "h r", "lightning_db_iterator_seek": "h k l",
        "lightning_db_iterator_free": "h", "lightning_db_batch_new": "",
        "lightning_db_batch_put": "h h k l v l", "lightning_db_batch_delete": "h h k l",
        "lightning_db_batch_delete_range": "h h k l k l", "lightning_db_batch_count": "h r",
        "lightning_db_batch_clear": "h", "lightning_db_batch_free": "h",
        "lightning_db_write_batch": "h h n", "lightning_db_open_store": "h s n",
        "lightning_db_drop_store": "h s", "lightning_db_list_stores": "h r",
        "lightning_db_snapshot": "h", "lightning_db_sync": "h", "lightning_db_checkpoint": "h",
        "lightning_db_stats": "h r z", "lightning_db_close": "h", "lightning_db_free": "h",
        "lightning_db_open": "p h", "lightning_db_create": "p h", "lightning_db_open_with": "p h n",
        "lightning_db_config_new": "", "lightning_db_config_free": "h",
        "lightning_db_config_set_page_size": "h n", "lightning_db_config_set_cache_size": "h n",
        "lightning_db_config_set_compression": "h n", "lightning_db_config_set_sync_mode": "h n",
        "lightning_db_config_set_compression_level": "h n",
        "lightning_db_config_set_transaction_timeout": "h n",
        "lightning_db_config_set_max_active_transactions": "h n",
        "lightning_db_config_set_sampling_interval": "h n",
        "lightning_db_config_set_rate_limit": "h 0", "lightning_db_error_string": "n",
        "lightning_db_config_set_change_retention": "h n",
        "lightning_db_config_set_use_simd": "h n",
        "lightning_db_config_set_network_file_systems": "h n",
        "lightning_db_last_error": "", "lightning_db_destroy": "p",
    }
    MAKERS = {"lightning_db_open_store", "lightning_db_snapshot", "lightning_db_open",
              "lightning_db_create", "lightning_db_open_with", "lightning_db_config_new",
              "lightning_db_batch_new", "lightning_db_scan", "lightning_db_scan_prefix",
              "lightning_db_scan_tx", "lightning_db_scan_prefix_tx"}

    def abuse(self, directory, seed, calls):
        rng = random.Random(seed)
        room = ctypes.create_string_buffer(70000)
        seen = [0]
        paths = [os.fsencode(directory) + suffix for suffix in
                 (b"/one", b"/two", b"/no/such/place", b"", b"/\xff", b"/one/LOCK")] + [b"", None]
        texts = [b"people", b"default", b"", b"\xc3", b"x" * 300, None, "größe".encode()]
        codes = set()
        freed = 0

        def number():
            return rng.choice((0, 1, 2, 3, 4, 7, -1, 4096, 65536, 2**31 - 1, -2**31, 99999, 5000))

        def handle():
            base = rng.choice(seen) if rng.random() < 0.93 else number()
            return base if rng.random() < 0.97 else base + rng.choice((-1, 1, 2**30, -2**31))

        kinds = {
            "h": handle, "n": number, "0": lambda: 0,
            "k": lambda: rng.choice((b"a", b"b", b"key", b"k" * 40, None, b"p\xff\xff")),
            "v": lambda: rng.choice((b"", b"value", b"v" * 60, None)),
            "l": lambda: rng.choice((0, 1, 1, 1, 1, -1, -2**31)),
            "r": lambda: rng.choice((room,) * 9 + (None,)),
            "z": lambda: rng.choice((0, 1, 100, 60000)),
            "s": lambda: rng.choice(texts), "p": lambda: rng.choice(paths),
        }
        for _ in range(calls):
            name = rng.choice(list(self.HANDLES))
            if name in ("lightning_db_close", "lightning_db_free") and rng.random() < 0.7:
                continue
            ctypes.memset(room, 0, 64)
            value = getattr(lib, name)(*(kinds[kind]() for kind in self.HANDLES[name].split()))
            if name in self.MAKERS:
                if value != 0:
                    assert 4096 <= value < 2**31, (name, value)
                    seen.append(value)
                    seen[:] = seen[-60:]
            elif name.startswith("lightning_db_begin") and value == SUCCESS:
                seen.append(struct.unpack("=Q", room.raw[:8])[0])
            elif not name.endswith(("_free", "error_string")):
                assert value in range(-31, 1), (name, value)
                codes.add(value)
                if value == SUCCESS and name in ("lightning_db_get", "lightning_db_get_tx",
                                                 "lightning_db_list_stores"):
                    data, _ = struct.unpack("=QQ", room.raw[:16])
                    freed += data != 0
                    lib.lightning_db_free_result(ctypes.c_void_p(data), 0)
            if value != 0:
                assert isinstance(message(), str)
        return codes, freed

    def test_abuse(self):
        for seed in range(int(os.environ.get("ABUSE_SEEDS", "4"))):
            directory = tempfile.mkdtemp(prefix="lightning-abuse-")
            child = os.fork()
            if child == 0:
                signal.alarm(600)
                status = 1
                try:
                    codes, freed = self.abuse(directory, seed, 8000)
                    # It was not refused all the time, and not for one reason only.
                    status = 0 if len(codes) >= 8 and freed > 0 else 2
                    if status:
                        print("codes:", codes, "values:", freed)
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            shutil.rmtree(directory, ignore_errors=True)
            self.assertEqual(status, 0, f"seed {seed}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
