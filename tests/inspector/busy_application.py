# SPDX-License-Identifier: MIT
"""A program that works on a database as applications do: busy_application.py FOLDER

People with photos, visits to them, settings. It reads, writes, scans, watches, commits transactions of
which some meet others, and keeps one open; all of that until its standard input ends. Random numbers
have a fixed seed.
"""

import json
import os
import random
import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import GLib, Ldb  # noqa: E402

PEOPLE, PHOTOS = 30000, 240
NAMES = ("Ada Lovelace", "Grace Hopper", "Mary Shelley", "Emmy Noether", "Hedy Lamarr", "Alan Turing",
         "Edsger Dijkstra", "Barbara Liskov", "Donald Knuth", "Frances Allen", "Tony Hoare", "Radia Perlman")


class Application:
    def __init__(self, folder):
        self._random = random.Random(7)
        self._visits = self._rounds = 0
        options = Ldb.Options(cache_size=24 << 20, transaction_timeout=600000)
        self._database = Ldb.Database.open(folder, Ldb.OpenFlags.CREATE, options)
        self._database.props.control_allowed = True
        self._database.set_slow_threshold(2000)
        self._photos = self._database.open_store("photos", Ldb.OpenFlags.CREATE)
        self._fill()
        self._watches = [self._database.watch_prefix(prefix.encode(), Ldb.WatchFlags.VALUES)
                         for prefix in ("visit:", "settings:", "person:")]
        for watch in self._watches:
            watch.connect("changed", lambda watch, changes: None)
        self._open = self._database.begin(Ldb.TransactionFlags.SERIALIZABLE)
        for i in range(12):
            self._open.get(None, self._person(i), None)
            self._open.put_string(None, f"draft:{i:02}", "not saved yet")
        GLib.timeout_add(25, self._work)

    @staticmethod
    def _person(number):
        return f"person:{number:05}".encode()

    def _fill(self):
        for begin in range(0, PEOPLE, 5000):
            self._database.update((self._person(i).decode(), json.dumps({
                "name": NAMES[i % len(NAMES)], "mail": f"{NAMES[i % len(NAMES)].split()[0].lower()}{i}@example.org",
                "born": 1800 + i % 190, "tags": ["friend"] if i % 3 else ["friend", "colleague"],
            })) for i in range(begin, begin + 5000))
        for i in range(PHOTOS):
            self._photos[f"{i:05}.jpeg"] = self._random.randbytes(self._random.randrange(4000, 60000))
        for name, value in (("theme", "dark"), ("language", "en"), ("window", '{"width": 980, "height": 640}')):
            self._database[f"settings:{name}"] = value
        self._database.flush()

    def _work(self):
        for _ in range(150):
            self._database.get(self._person(min(int(self._random.expovariate(1 / 2000)), PEOPLE + 50)))
        for _ in range(12):
            self._visits += 1
            self._database[f"visit:{self._visits:08}"] = json.dumps(
                {"person": self._random.randrange(PEOPLE), "page": self._random.choice(("photos", "mail", "calendar"))})
        self._rounds += 1
        if self._rounds % 4 == 0:
            self._photos.get(f"{self._random.randrange(PHOTOS):05}.jpeg".encode())
        if self._rounds % 10 == 0:
            batch = Ldb.Batch()
            batch.put_string(None, "settings:last-visit", str(self._visits))
            self._database.write_batch(batch, Ldb.SyncMode.FULL)
        if self._rounds % 16 == 0:
            start = self._person(self._random.randrange(PEOPLE))
            for _, _ in zip(range(50), self._database.scan(start, None)):
                pass
        if self._rounds % 40 == 0:
            self._meet()
        if self._rounds % 240 == 0:
            self._database.flush()
        return GLib.SOURCE_CONTINUE

    def _meet(self):
        """A transaction, and one that another one was quicker than."""
        for other in (False, True):
            transaction = self._database.begin(Ldb.TransactionFlags.NONE)
            transaction.put_string(None, "settings:window", json.dumps({"width": 980 + self._rounds % 100, "height": 640}))
            if other:
                self._database["settings:window"] = '{"width": 1024, "height": 768}'
            try:
                transaction.commit(Ldb.SyncMode.DEFAULT)
            except Ldb.ConflictError:
                assert other

    def end(self):
        self._open.rollback()
        self._database.close()


if __name__ == "__main__":
    GLib.set_prgname("contacts")
    os.environ["LIGHTNING_INSPECT"] = "1"
    application = Application(sys.argv[1])
    loop = GLib.MainLoop()
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print("open", flush=True)
    loop.run()
    application.end()
