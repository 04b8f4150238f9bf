# SPDX-License-Identifier: MIT
"""The widget and the window in an application's own program: test_view.py

As a program in Python has them, by introspection. Pictures go to the directory PICTURES of the environment.
"""

import json
import os
import pathlib
import shutil
import tempfile
import time
import unittest

import gi

gi.require_version("Gtk", "4.0")
gi.require_version("Ldb", "1")
gi.require_version("LdbInspector", "1")
from gi.repository import GLib, Gtk, Ldb, LdbInspector  # noqa: E402

import accessible  # noqa: E402
import screen  # noqa: E402

PAGES = ["Overview", "Latency", "Data", "Storage", "Memory", "Transactions", "Changes", "Activity", "Health",
         "Load Tester"]


def widgets(widget):
    """What can be seen of it."""
    if widget.get_mapped():
        yield widget
        child = widget.get_first_child()
        while child is not None:
            yield from widgets(child)
            child = child.get_next_sibling()


def labels(widget):
    return [its.get_text() for its in widgets(widget) if isinstance(its, Gtk.Label)]


def wait_for(what, found):
    """Lets the main loop go on until it is so."""
    end = time.monotonic() + accessible.LIMIT
    while not (answer := found()):
        if time.monotonic() > end:
            raise AssertionError(f"no {what}")
        GLib.MainContext.default().iteration(False)
        time.sleep(0.001)
    return answer


def sidebar(view):
    return next(its for its in widgets(view) if its.get_css_classes().count("navigation-sidebar"))


def rows(view):
    return [label for label in labels(sidebar(view)) if label]


class InAnApplication(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lightning-inspector-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.database = Ldb.Database.open(f"{self.directory}/readings", Ldb.OpenFlags.CREATE)
        for i in range(500):
            self.database[f"reading:{i:05}"] = json.dumps({"celsius": i % 37})

    def open(self):
        window = LdbInspector.Window(database=self.database)
        self.addCleanup(window.destroy)
        window.present()
        wait_for("a connection", lambda: "Healthy" in labels(window))
        return window

    def picture(self, window, name):
        directory = pathlib.Path(os.environ["PICTURES"])
        directory.mkdir(parents=True, exist_ok=True)
        for _ in range(500):
            self.database["reading:now"] = str(time.monotonic())
            GLib.MainContext.default().iteration(False)
            time.sleep(0.005)
        its = SCREEN.windows(os.getpid())[-1]
        SCREEN.picture(its).savev(str(directory / f"{name}.png"), "png", ["compression"], ["9"])

    def test_window(self):
        window = self.open()
        self.assertEqual(window.get_title(), "Diagnostics: readings")
        self.assertIs(window.get_database(), self.database)
        self.assertEqual(window.get_view().get_running_database().get_path(), f"{self.directory}/readings")
        self.assertEqual(rows(window), PAGES)
        self.picture(window, "window")
        self.assertTrue(self.database.props.inspectable)
        window.hide()
        self.assertFalse(self.database.props.inspectable)  # nobody looks
        window.present()
        wait_for("sharing", lambda: self.database.props.inspectable)
        wait_for("figures", lambda: "Time of Reads" in labels(window))
        window.close()
        wait_for("the end", lambda: not window.get_mapped())
        self.assertFalse(self.database.props.inspectable)
        self.database.close()

    def test_shared_before(self):
        self.database.props.inspectable = True
        window = self.open()
        window.hide()
        self.assertTrue(self.database.props.inspectable)  # it was its own wish
        window.present()
        wait_for("figures", lambda: "Time of Reads" in labels(window))
        self.database.close()
        wait_for("the end", lambda: any("The database was closed" in text for text in labels(window)))
        window.hide()
        window.present()  # of one that is closed what was seen stays
        wait_for("figures", lambda: "Time of Reads" in labels(window))

    def test_keys(self):
        window = self.open()
        SCREEN.focus(wait_for("a window", lambda: SCREEN.windows(os.getpid()))[-1])
        wait_for("the keyboard", window.is_active)
        SCREEN.press("Alt_L", "5")
        wait_for("the page Memory", lambda: "Memory Budget" in labels(window))
        window.get_view().props.show_memory_map = False
        wait_for("another page", lambda: "Time of Reads" in labels(window))
        SCREEN.press("Alt_L", "5")
        SCREEN.press("Alt_L", "6")
        wait_for("the page Transactions", lambda: "Open Transactions" in labels(window))
        window.set_focus(None)
        SCREEN.press("space")
        wait_for("a pause", lambda: window.get_view().props.paused)
        self.database.close()

    def test_pages(self):
        """What an application leaves out is not there, whenever it says so."""
        notified = []
        view = LdbInspector.View(show_memory_map=False)
        view.connect("notify", lambda view, its: notified.append(its.name))
        window = Gtk.Window(child=view, default_width=900, default_height=600)
        self.addCleanup(window.destroy)
        window.present()
        self.database.props.inspectable = True
        listed = Ldb.RunningList()
        view.set_running_database(wait_for("the database", lambda: listed.find_database(self.database)))
        self.assertIn("running-database", notified)
        self.assertIn("database", notified)
        wait_for("figures", lambda: "Time of Reads" in labels(view))
        self.assertEqual(rows(view), [its for its in PAGES if its != "Memory"])
        self.assertEqual(sidebar(view).get_selected_row().get_index(), 0)
        del notified[:]
        view.props.change_stream_graph = False
        view.props.change_stream_graph = False
        self.assertEqual(notified, ["change-stream-graph"])
        self.assertEqual(rows(view), [its for its in PAGES if its not in ("Memory", "Changes")])
        view.activate_action("inspector-view.show-page", GLib.Variant("s", "memory"))
        self.assertIn("Time of Reads", labels(view))
        view.activate_action("inspector-view.show-page", GLib.Variant("s", "storage"))
        wait_for("the page Storage", lambda: "Places of a Key" in labels(view))
        view.props.show_memory_map = view.props.change_stream_graph = True
        self.assertEqual(rows(view), PAGES)
        other = view.new_sidebar()
        self.assertEqual(other.get_selected_row().get_index(), PAGES.index("Storage"))
        view.set_running_database(None)
        self.assertIsNone(view.get_title())
        self.assertEqual(list(view.get_pages()), [])
        self.database.close()


if __name__ == "__main__":
    os.environ.pop("GTK_THEME", None)
    SCREEN = screen.Screen()
    Gtk.init()
    Gtk.Settings.get_default().props.gtk_enable_animations = False
    unittest.main(verbosity=2)
