# SPDX-License-Identifier: MIT
"""The example “contacts” in windows of several processes.

    test_contacts.py LANGUAGE COMMAND … -- LANGUAGE COMMAND …

Programs in two languages share a database. The tests see and use the windows by what GTK tells
assistive technology, and by keys. Pictures go to the directory PICTURES of the environment.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402

import accessible  # noqa: E402
import screen  # noqa: E402
from accessible import wait_for  # noqa: E402

PEOPLE = [
    ("Ada Lovelace", "ada@example.org", "555-0110"),
    ("Barbara Liskov", "barbara@example.org", "555-0145"),
    ("Émilie du Châtelet", "emilie@example.org", "555-0159"),
    ("Grace Hopper", "grace@example.org", "555-0117"),
    ("Hedy Lamarr", "hedy@example.org", "555-0124"),
    ("Katherine Johnson", "katherine@example.org", "555-0131"),
    ("Radia Perlman", "radia@example.org", "555-0138"),
]
KEYS = [
    "contact:ada lovelace\t1",
    "contact:barbara liskov\t2",
    "contact:e\u0301milie du cha\u0302telet\t3",
    "contact:grace hopper\t4",
    "contact:hedy lamarr\t5",
    "contact:katherine johnson\t6",
    "contact:radia perlman\t7",
]
NEW = ("Karen Spärck Jones", "karen@example.org", "555-0166")
RENAMED = ("Creola Katherine Johnson", "creola@example.org", "555-0131")
LATER = ("Ida Rhodes", "ida@example.org", "555-0173")
FIELDS = ("name", "email", "phone")

# As a GNOME desktop has it; what moves is at its end at once.
SETTINGS = """[Settings]
gtk-font-name=Cantarell 11
gtk-decoration-layout=:close
gtk-enable-animations=0
"""


class Window:
    """A window of the example, in a process of its own."""

    def __init__(self, command, database):
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen([*command, database], stdout=self._output, stderr=self._output)
        self._program = DESKTOP.find(self._process.pid)

    def rows(self):
        """Name, e-mail and phone of each row."""
        contacts = next(self._program.all("list", "Contacts"))
        return [tuple(label.name for label in row.all("label"))[1:]  # the first is the initials
                for row in contacts.all("list item")]

    def shows(self, text):
        """Whether a text is in sight."""
        return any(label.height() > 0 for label in self._program.all("label", text))

    def follows(self):
        return (self.shows("Follows — the other window writes")
                and not self._program.find("button", "Add Contact").has_state(accessible.SENSITIVE))

    def writes(self):
        return (not self.shows("Follows — the other window writes")
                and self._program.find("button", "Add Contact").has_state(accessible.SENSITIVE))

    def add(self):
        self.press("Control_L", "n")
        return Dialog(self._program, "New Contact")

    def edit(self, name):
        self.press_at(name, "Return")
        return Dialog(self._program, "Edit Contact")

    def press(self, *keys):
        """Presses keys in the window."""
        SCREEN.focus(SCREEN.windows(self._process.pid)[0])
        wait_for("the keyboard", lambda: self._program.children()[0].has_state(accessible.ACTIVE))
        SCREEN.press(*keys)

    def press_at(self, name, key):
        """Goes to somebody's row by keys, and presses one there."""
        position = [row[0] for row in self.rows()].index(name)
        while (before := self._program.focused()) not in (rows := list(self._program.all("list item"))):
            self.press("Tab")
            wait_for("another focus", lambda: self._program.focused() != before)
        for row, move in zip(rows, ["Home"] + position * ["Down"]):
            self.press(move)
            wait_for(f"the focus in the row of {name}", lambda: self._program.focused() == row)
        self.press(key)

    def search(self, text):
        self._program.find("search box", "Search for Contacts").write(text)

    def picture(self):
        """Of all its windows, the dialog behind."""
        return SCREEN.pictures(self._process.pid)

    def close(self):
        self._program.find("button", "Close").use()
        return self._end()

    def kill(self):
        self._process.kill()
        return self._end()

    def runs(self):
        return self._process.poll() is None

    def _end(self):
        """The exit status, and whatever it said."""
        status = self._process.wait(accessible.LIMIT)
        with self._output as output:
            output.seek(0)
            return status, output.read().decode()


class Dialog:
    def __init__(self, program, name):
        self._program, self._dialog = program, program.find("dialog", name)

    def fill(self, values):
        for title, value in zip(("Name", "E-Mail", "Phone"), values):
            self._dialog.find("text box", title).write(value)

    def values(self):
        return tuple(self._dialog.find("text box", title).text() for title in ("Name", "E-Mail", "Phone"))

    def respond(self, label):
        button = wait_for(f"a button “{label}” to press", lambda: next(
            (its for its in self._dialog.all("button") if its.height() > 0
             and its.has_state(accessible.SENSITIVE) and any(its.all("label", label))), None))
        button.use()
        wait_for("the end of the dialog", lambda: not any(self._program.all("dialog")))


def picture(name, *windows):
    """Windows side by side."""
    directory = pathlib.Path(os.environ["PICTURES"])
    directory.mkdir(parents=True, exist_ok=True)
    row = screen.side_by_side([window.picture() for window in windows])
    row.savev(str(directory / f"{name}.png"), "png", ["compression"], ["9"])


class Contacts(unittest.TestCase):
    first = second = name = None

    def setUp(self):
        directory = tempfile.mkdtemp(prefix="lightning-contacts-")
        self.addCleanup(shutil.rmtree, directory)
        self.database = f"{directory}/contacts.db"
        self.windows = []

    def start(self, command):
        window = Window(command, self.database)
        self.windows.append(window)
        return window

    def tearDown(self):
        for i, window in enumerate(self.windows):
            if window.runs():
                picture(f"{self.name}-failed-{i}", window)
                print(window.kill())

    def assert_rows(self, people, *windows):
        for window in windows:
            try:
                wait_for("the right rows", lambda: window.rows() == people)
            except AssertionError:
                self.assertEqual(window.rows(), people)

    def stored(self):
        with Ldb.open(self.database, read_only=True) as db:
            return {key.decode(): value for key, value in db.items(prefix="contact:")}

    def test_a_new_database(self):
        window = self.start(self.first)
        wait_for("an empty list", lambda: window.writes() and window.shows("No Contacts"))
        dialog = window.add()
        dialog.fill(PEOPLE[2])
        dialog.respond("Save")
        self.assert_rows([PEOPLE[2]], window)
        (key, document), = self.stored().items()
        self.assertRegex(key, r"^contact:e\u0301milie du cha\u0302telet\t[0-9a-f-]{36}$")
        self.assertEqual(document, dict(zip(FIELDS, PEOPLE[2])))
        self.assertEqual(window.close(), (0, ""))

    def test_what_cannot_be_opened(self):
        pathlib.Path(self.database).write_text("this is no database")
        window = self.start(self.first)
        wait_for("the error", lambda: window.shows("Contacts Could Not Be Opened"))
        self.assertEqual(window.close(), (0, ""))

    def test_two_windows(self):
        with Ldb.open(self.database, create=True) as db:
            db.update((key, dict(zip(FIELDS, person))) for key, person in zip(KEYS, PEOPLE))

        writer = self.start(self.first)
        wait_for("a window that writes", writer.writes)
        follower = self.start(self.second)
        wait_for("a window that follows", follower.follows)
        self.assert_rows(PEOPLE, writer, follower)
        picture(f"{self.name}-before", writer, follower)

        # Added: both show it.
        people = [*PEOPLE[:5], NEW, *PEOPLE[5:]]
        dialog = writer.add()
        dialog.fill(NEW)
        picture(f"{self.name}-dialog", writer)
        dialog.respond("Save")
        self.assert_rows(people, writer, follower)

        # Renamed: it moves, its id stays.
        dialog = writer.edit("Katherine Johnson")
        self.assertEqual(dialog.values(), PEOPLE[5])
        dialog.fill(RENAMED)
        dialog.respond("Save")
        people.remove(PEOPLE[5])
        people.insert(2, RENAMED)
        self.assert_rows(people, writer, follower)
        self.assertEqual(self.stored()["contact:creola katherine johnson\t6"], dict(zip(FIELDS, RENAMED)))

        # The follower searches by itself.
        follower.search("GRACE")
        self.assert_rows([PEOPLE[3]], follower)
        follower.search("nobody")
        wait_for("no result", lambda: follower.shows("No Results Found"))
        follower.search("")
        self.assert_rows(people, writer, follower)

        # Removed, and back again.
        writer.press_at("Grace Hopper", "Delete")
        self.assert_rows([its for its in people if its != PEOPLE[3]], writer, follower)
        picture(f"{self.name}-during", writer, follower)
        writer.press("Control_L", "z")
        self.assert_rows(people, writer, follower)

        # The writer is killed: the follower becomes the writer, and one in the first language follows it.
        writer.kill()
        wait_for("the follower to write", follower.writes)
        third = self.start(self.first)
        wait_for("another one to follow", third.follows)
        dialog = follower.add()
        dialog.fill(LATER)
        dialog.respond("Save")
        people.insert(6, LATER)
        self.assert_rows(people, follower, third)
        picture(f"{self.name}-after", follower, third)
        dialog = follower.edit("Hedy Lamarr")
        dialog.respond("Remove")
        people.remove(PEOPLE[4])
        self.assert_rows(people, follower, third)
        self.assertEqual(list(self.stored().values()), [dict(zip(FIELDS, its)) for its in people])

        # It is closed: the same again.
        self.assertEqual(follower.close(), (0, ""))
        wait_for("the last one to write", third.writes)
        self.assert_rows(people, third)
        self.assertEqual(third.close(), (0, ""))


if __name__ == "__main__":
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"]) / "gtk-4.0" / "settings.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(SETTINGS)
    # Assistive technology is what this is about, and libadwaita has its own theme.
    for variable in ("GTK_A11Y", "GTK_THEME"):
        os.environ.pop(variable, None)
    middle = sys.argv.index("--")
    one, *Contacts.first = sys.argv[1:middle]
    other, *Contacts.second = sys.argv[middle + 1:]
    Contacts.name = f"contacts-{one}-{other}"
    SCREEN, DESKTOP = screen.Screen(), accessible.Desktop()
    unittest.main(argv=sys.argv[:1], verbosity=2)
