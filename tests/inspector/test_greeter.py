# SPDX-License-Identifier: MIT
"""Folders that are opened, and those that cannot be: test_greeter.py INSPECTOR"""

import ctypes
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time
import unittest

import inspecting
from accessible import wait_for
from inspecting import Application

ROOT_WITHOUT_POWERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def say_newer(manifest):
    """The header of a manifest says that a later version wrote it; docs/design/manifest.md."""
    hashes = ctypes.CDLL("libxxhash.so.0")
    for name in ("XXH3_64bits", "XXH3_64bits_withSeed"):
        getattr(hashes, name).restype = ctypes.c_uint64
    content = bytearray(manifest.read_bytes())
    content[8] += 1

    def checksum():
        identity, number = bytes(content[24:40]), bytes(content[40:48])
        seed = hashes.XXH3_64bits(identity + number, ctypes.c_size_t(24))
        return hashes.XXH3_64bits_withSeed(bytes(content[:56]), ctypes.c_size_t(56), ctypes.c_uint64(seed))

    struct.pack_into("<Q", content, 56, checksum())
    manifest.write_bytes(content)


class Greeter(inspecting.Case):
    def make(self, name="plain", flush=False):
        """A database that nobody has open."""
        application = Application(f"{self.directory}/{name}", share=False)
        application.do("flush" if flush else "put", 100)
        application.end()
        return pathlib.Path(self.directory, name)

    def files(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_order(self):
        """Who is there is listed by name, numbers by how large they are, not by when it came."""
        for name in ("b", "db10", "db2", "a"):
            application = Application(f"{self.directory}/{name}")
            self.addCleanup(application.kill)
        inspector = self.inspect()

        def listed():
            return [label.rpartition("/")[2] for label in inspector.labels() if label.startswith(self.directory)]
        wait_for("all of them", lambda: len(listed()) == 4)
        self.assertEqual(listed(), ["a", "b", "db2", "db10"])
        application = Application(f"{self.directory}/c")
        self.addCleanup(application.kill)
        wait_for("one more", lambda: listed() == ["a", "b", "c", "db2", "db10"])
        self.assertEqual(inspector.close(), (0, ""))

    def test_recent(self):
        folder = self.make()
        settings = {"GSETTINGS_BACKEND": "keyfile"}  # others are forgotten
        inspector = self.inspect(str(folder), **settings)
        inspector.wait_for("Time of Reads")
        self.assertEqual(inspector.close(), (0, ""))

        inspector = self.inspect(**settings)
        row = inspector.row(str(folder))
        inspector.picture("recent")
        self.assertEqual(inspector.nameless(), [])
        wait_for("the keyboard on the row", lambda: inspector.focused() == row or inspector.press("Tab"))
        inspector.press("Return")
        inspector.wait_for("Time of Reads")
        inspector.use("All Databases")
        shutil.rmtree(folder)
        self.assertEqual(inspector.close(), (0, ""))

        inspector = self.inspect(**settings)
        inspector.wait_for(f"{folder} (not there any more)")
        inspector.use("Remove plain From the List")
        wait_for("its end", lambda: not any(str(folder) in label for label in inspector.labels()))
        self.assertEqual(inspector.close(), (0, ""))

    def refuse(self, folder, title, *command):
        """What is said of a folder, of which nothing is changed."""
        before = self.files(folder) if os.access(folder, os.R_OK) else None
        inspector = self.inspect(str(folder), before=command)
        inspector.wait_for(title)
        self.assertEqual(inspector.nameless(), [])
        return inspector, before

    def test_damaged(self):
        folder = self.make(flush=True)
        manifest = next(folder.glob("MANIFEST-*"))
        content = bytearray(manifest.read_bytes())
        content[30] ^= 1
        manifest.write_bytes(content)
        inspector, before = self.refuse(folder, "The Database Is Damaged")
        inspector.wait_for(manifest.name)
        inspector.wait_for("lightning-cli repair")
        inspector.use("Check")
        inspector.wait_for("fault was found:")
        found = next(label for label in inspector.labels() if "fault was found:" in label)
        self.assertEqual(found.count(manifest.name), 1)  # where it is stands there once
        inspector.picture("damaged")
        inspector.use("All Databases")
        inspector.wait_for("Running Applications")
        self.assertEqual(inspector.close(), (0, ""))
        self.assertEqual(self.files(folder), before)

    def test_newer(self):
        folder = self.make()
        say_newer(next(folder.glob("MANIFEST-*")))
        inspector, before = self.refuse(folder, "Made by a Newer Version")
        inspector.wait_for("has format 2, and this version reads up to 1")
        inspector.picture("newer")
        self.assertEqual(inspector.close(), (0, ""))
        self.assertEqual(self.files(folder), before)

    @unittest.skipIf(os.geteuid() == 0 and shutil.which("setpriv") is None, "root may read everything")
    def test_not_permitted(self):
        folder = self.make()
        folder.chmod(0)
        self.addCleanup(folder.chmod, 0o700)
        powers = ROOT_WITHOUT_POWERS if os.geteuid() == 0 else []
        inspector, _ = self.refuse(folder, "You May Not Read It", *powers)
        inspector.picture("not-permitted")
        folder.chmod(0o700)
        inspector.use("Try Again")
        inspector.wait_for("Time of Reads")
        self.assertEqual(inspector.close(), (0, ""))

    def test_network(self):
        """Where nobody is told of what others write it is read as it is, once the user has read that."""
        folder = self.make(flush=True)
        before = self.files(folder)
        network = {"LD_PRELOAD": os.environ["NETWORK_FILE_SYSTEM"], "NETWORK": str(folder)}
        inspector = self.inspect(str(folder), **network)
        inspector.wait_for("The File System Cannot Do It")
        inspector.wait_for("is on a file system (NFS)")
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("network")
        inspector.use("Open as It Is Now")
        inspector.wait_for("Time of Reads")
        inspector.show_page("Data", "No Key Selected")
        inspector.wait_for("100 keys")
        inspector.show_page("Health", "The database is on a network file system (NFS)")
        inspector.wait_for("file system: NFS")
        inspector.picture("network-health")
        self.assertEqual(inspector.close(), (0, ""))
        self.assertEqual(self.files(folder), before)

    def test_drop(self):
        """A folder that is dragged out of another program's window."""
        folder = self.make()
        inspector = self.inspect()
        inspector.wait_for("Running Applications")
        manager = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "file_manager.py", folder],
                                   text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(manager.stdout.close)
        self.addCleanup(manager.wait)
        self.addCleanup(manager.stdin.close)
        self.assertEqual(manager.stdout.readline(), "there\n")
        window = wait_for("its window", lambda: self.screen.windows(manager.pid))[0]
        self.screen.place(window, 1290, 850)
        time.sleep(1)  # the window has to know where it is
        self.screen.drag((1340, 900), (600, 500))
        inspector.wait_for(str(folder))
        inspector.wait_for("Time of Reads")
        self.assertEqual(inspector.close(), (0, ""))

    def test_no_database(self):
        pathlib.Path(self.directory, "notes").write_text("hello")
        inspector, before = self.refuse(pathlib.Path(self.directory), "No Database")
        text = next(label for label in inspector.labels() if self.directory in label)
        self.assertRegex(text, r"^[A-Z“/].*\.")  # a sentence, as a library's messages are not
        inspector.picture("no-database")
        self.assertEqual(inspector.close(), (0, ""))
        self.assertEqual(self.files(pathlib.Path(self.directory)), before)

    def test_locked(self):
        """Beside a program that writes and does not share: only reads, until that program ends."""
        application = Application(f"{self.directory}/shared", share=False)
        self.addCleanup(application.kill)
        application.do("key", "a")
        inspector = self.inspect(f"{self.directory}/shared")
        inspector.wait_for("Time of Reads")
        inspector.show_page("Data", "No Key Selected")
        inspector.use("Allow Edits")
        inspector.wait_for("This folder is only read so far.")
        inspector.press("Return")
        inspector.wait_for("While another program writes to the database, this waits for it to close it.")
        inspector.picture("locked")
        application.do("key", "b")  # it is not held up
        inspector.wait_for("b")
        inspector.use("Cancel")
        wait_for("the end of the panel", lambda: "Opening for Writing" not in inspector.labels())
        inspector.use("Allow Edits")
        inspector.wait_for("While another program writes to the database")
        application.end()
        inspector.find("button", "New Key")
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
