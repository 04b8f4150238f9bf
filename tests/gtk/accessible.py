# SPDX-License-Identifier: MIT
"""What assistive technology sees of other processes' windows, and does in them.

Each Node is an object of AT-SPI, which GTK offers on a bus of its own: a button, a label, a list. Tests
read and use a program as somebody who doesn't see it would, so what has no name there can't be found.
"""

import time

from gi.repository import Gio, GLib

LIMIT = 20  # seconds that anything may take; it takes milliseconds
LEAVES = ("label", "image", "scroll bar", "separator")  # nobody looks for what is in them
ACTIVE, FOCUSABLE, FOCUSED, PRESSED, SELECTED, SENSITIVE, VISIBLE = 1, 11, 12, 20, 23, 24, 30  # states


def wait_for(what, look):
    """Looks again and again until there is something, and returns it. Objects come and go meanwhile."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            found, seen = look(), None
        except GLib.Error as error:
            found, seen = None, error.message
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"in {LIMIT} seconds there was not: {what}; but {seen or found}")
        time.sleep(0.01)


class Desktop:
    """All programs that can be seen."""

    def __init__(self):
        session = Gio.bus_get_sync(Gio.BusType.SESSION)
        address, = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress",
                                     None, None, Gio.DBusCallFlags.NONE, LIMIT * 1000, None)
        self._bus = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self._programs = Node(self._bus, "org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")

    def _process_of(self, program):
        try:
            return self._bus.call_sync(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", GLib.Variant("(s)", (program.owner,)), None,
                Gio.DBusCallFlags.NONE, LIMIT * 1000, None)[0]
        except GLib.Error:
            return None  # it has ended

    def find(self, process):
        """The program that a process runs, once it is there."""
        return wait_for(f"a program in process {process}", lambda: next(
            (its for its in self._programs.children() if self._process_of(its) == process), None))


class Node:
    _roles = {}  # by where it is, of all

    def __init__(self, bus, owner, path):
        self._bus, self.owner, self._path = bus, owner, path

    def __eq__(self, other):
        return other is not None and (self.owner, self._path) == (other.owner, other._path)

    def _call(self, interface, method, arguments=None):
        return self._bus.call_sync(self.owner, self._path, interface, method, arguments, None,
                                   Gio.DBusCallFlags.NONE, LIMIT * 1000, None).unpack()

    def _ask(self, interface, method, arguments=None):
        return self._call(f"org.a11y.atspi.{interface}", method, arguments)[0]

    @property
    def role(self):
        """What it is; that never changes."""
        place = (self.owner, self._path)
        if place not in self._roles:
            self._roles[place] = self._ask("Accessible", "GetRoleName")
        return self._roles[place]

    def _property(self, interface, name):
        return self._call("org.freedesktop.DBus.Properties", "Get",
                          GLib.Variant("(ss)", (f"org.a11y.atspi.{interface}", name)))[0]

    @property
    def name(self):
        return self._property("Accessible", "Name")

    @property
    def description(self):
        return self._property("Accessible", "Description")

    def has_state(self, state):
        return bool(self._ask("Accessible", "GetState")[state // 32] >> state % 32 & 1)

    def children(self):
        return [Node(self._bus, *reference) for reference in self._ask("Accessible", "GetChildren")]

    def all(self, role, name=None):
        """Whatever is of a role, and has a name, in this and below it, in the order of the eye."""
        if self.role == role and name in (None, self.name):
            yield self
        for child in self.children() if self.role not in LEAVES else ():
            if child.has_state(VISIBLE):
                yield from child.all(role, name)

    def focused(self):
        """What the keyboard works on, or None."""
        if self.has_state(FOCUSED):
            return self
        return next((its for child in (self.children() if self.role not in LEAVES else ()) if child.has_state(VISIBLE)
                     and (its := child.focused()) is not None), None)

    def keyboard(self):
        """What the keyboard works on in the program, or None: all that is there is asked for at once."""
        items = self._bus.call_sync(self.owner, "/org/a11y/atspi/cache", "org.a11y.atspi.Cache", "GetItems",
                                    None, None, Gio.DBusCallFlags.NONE, LIMIT * 1000, None).unpack()[0]
        return next((Node(self._bus, *item[0]) for item in items if item[-1][0] >> FOCUSED & 1), None)

    def find(self, role, name):
        return wait_for(f"a {role} “{name}”", lambda: next(self.all(role, name), None))

    def height(self):
        """In pixels; 0 when it is folded away."""
        return self._ask("Component", "GetExtents", GLib.Variant("(u)", (1,)))[3]

    def use(self):
        """Presses a button, for example; False when it went away."""
        try:
            return self._ask("Action", "DoAction", GLib.Variant("(i)", (0,)))
        except GLib.Error:
            return False

    def length(self):
        """Characters of its text."""
        return self._property("Text", "CharacterCount")

    def text(self):
        """The text of an entry."""
        return self._ask("Text", "GetText", GLib.Variant("(ii)", (0, self.length())))

    def write(self, text):
        """Replaces the text of an entry."""
        self._ask("EditableText", "SetTextContents", GLib.Variant("(s)", (text,)))
