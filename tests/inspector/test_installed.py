# SPDX-License-Identifier: MIT
"""The application as it is installed, started by its desktop file: test_installed.py BUILD PREFIX

It is installed below a directory of its own, and its settings are compiled there, as a package does.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from gi.repository import Gio, GLib

import accessible
import screen
from accessible import wait_for

ID = "org.lightningdb.Inspector"


class Installed(unittest.TestCase):
    build, prefix = sys.argv[1:3]

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(top := tempfile.TemporaryDirectory(prefix="lightning-inspector-"))
        subprocess.run(["meson", "install", "-C", cls.build, "--no-rebuild", "--quiet", "--destdir", top.name],
                       check=True, stdout=subprocess.DEVNULL)
        cls.root = pathlib.Path(top.name + cls.prefix)
        cls.data = cls.root / "share"
        subprocess.run(["glib-compile-schemas", "--strict", cls.data / "glib-2.0" / "schemas"], check=True)
        library = next(cls.root.rglob("liblightning-db-inspector-1.so.0")).parent
        cls.environment = {
            "PATH": f"{cls.root / 'bin'}:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": str(library),
            "XDG_DATA_DIRS": f"{cls.data}:/usr/local/share:/usr/share",
        }

    def start(self, *arguments):
        """The process that its desktop file starts."""
        os.environ.update(self.environment)
        desktop_file = Gio.DesktopAppInfo.new_from_filename(str(self.data / "applications" / f"{ID}.desktop"))
        self.assertIsNotNone(desktop_file)
        started = []
        self.assertTrue(desktop_file.launch_uris_as_manager(
            [GLib.filename_to_uri(its) for its in arguments], None, GLib.SpawnFlags.DO_NOT_REAP_CHILD,
            None, None, lambda info, process, data: started.append(process), None))
        process, = started
        self.addCleanup(self.end, process)
        program = str(self.root / "bin" / "lightning-inspector")
        wait_for(program, lambda: os.readlink(f"/proc/{process}/exe") == program)
        return process

    @staticmethod
    def end(process):
        """To the last: what starts next is not to be taken for another window of it."""
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        wait_for("its end", lambda: not bus.call_sync(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
            GLib.Variant("(s)", (ID,)), None, Gio.DBusCallFlags.NONE, -1, None)[0])

    def test_starts(self):
        process = self.start()
        program = accessible.Desktop().find(process)
        wait_for("the greeter", lambda: any("Running" in label.name for label in program.all("label")))
        self.assertTrue(screen.Screen().windows(process))

    def test_opens_a_folder(self):
        with tempfile.TemporaryDirectory(prefix="lightning-inspector-") as folder:
            subprocess.run([self.root / "bin" / "lightning-cli", "put", "--create", f"{folder}/db", "key", "value"],
                           check=True, env={**os.environ, **self.environment}, stdout=subprocess.DEVNULL)
            program = accessible.Desktop().find(self.start(f"{folder}/db"))
            wait_for("the overview", lambda: any(label.name == "Time of Reads" for label in program.all("label")))

    def test_what_belongs_to_it(self):
        for file in (f"icons/hicolor/scalable/apps/{ID}.svg", f"icons/hicolor/symbolic/apps/{ID}-symbolic.svg",
                     f"metainfo/{ID}.metainfo.xml", f"glib-2.0/schemas/{ID}.gschema.xml",
                     *(f"locale/{language}/LC_MESSAGES/lightning-db.mo" for language in ("de", "es", "fr", "zh_CN"))):
            self.assertTrue((self.data / file).is_file(), file)


for variable in ("GTK_A11Y", "GTK_THEME", "GSETTINGS_SCHEMA_DIR"):
    os.environ.pop(variable, None)
unittest.main(argv=sys.argv[:1], verbosity=2)
