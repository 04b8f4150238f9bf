# SPDX-License-Identifier: MIT
"""A plain GTK program with a database, and nothing about inspectors: plain_application.py FOLDER

It writes all the time, and opens GTK's inspector, as Ctrl+Shift+I does. GTK shows assistive technology
nothing of its inspector, so the program itself turns its pages and reads them, as told on its standard
input, a line each:

    show PAGE   turns to a page
    labels      tells all texts that can be seen, as JSON
    shared      tells whether the database is shared
    close       closes the database
"""

import json
import sys

import gi

gi.require_version("Gtk", "4.0")
gi.require_version("Ldb", "1")
from gi.repository import GLib, Gtk, Ldb  # noqa: E402


def widgets(widget):
    yield widget
    child = widget.get_first_child()
    while child is not None:
        yield from widgets(child)
        child = child.get_next_sibling()


class Program:
    def __init__(self, folder):
        self._database = Ldb.Database.open(folder, Ldb.OpenFlags.CREATE)
        self._written = 0
        self._window = Gtk.Window(title="Readings", default_width=300, default_height=200)
        self._count = Gtk.Label()
        self._window.set_child(self._count)
        self._window.present()
        Gtk.Window.set_interactive_debugging(True)
        GLib.timeout_add(20, self._write)
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, self._obey)

    def _write(self):
        if self._database.is_closed():
            return GLib.SOURCE_REMOVE
        for _ in range(20):
            self._database[f"reading:{self._written:08}"] = f"{self._written % 37} °C"
            self._written += 1
        self._count.set_text(f"{self._written} readings")
        return GLib.SOURCE_CONTINUE

    def _inspector(self):
        """All widgets of GTK's inspector, and those of windows that it opened."""
        for window in Gtk.Window.list_toplevels():
            if window is not self._window:
                yield from widgets(window)

    def _obey(self, *_):
        command, _, argument = sys.stdin.readline().rstrip("\n").partition(" ")
        answer = None
        if command == "show":
            stacks = [its for its in self._inspector()
                      if isinstance(its, Gtk.Stack) and its.get_child_by_name(argument) is not None]
            for stack in stacks:
                stack.set_visible_child_name(argument)
            answer = len(stacks) > 0
        elif command == "labels":
            answer = [its.get_text() for its in self._inspector()
                      if isinstance(its, Gtk.Label) and its.get_mapped()]
        elif command == "shared":
            answer = self._database.get_property("inspectable")
        elif command == "close":
            self._database.close()
        else:
            LOOP.quit()
            return GLib.SOURCE_REMOVE
        print(json.dumps(answer), flush=True)
        return GLib.SOURCE_CONTINUE


LOOP = GLib.MainLoop()
program = Program(sys.argv[1])
LOOP.run()
