# SPDX-License-Identifier: MIT
"""What all tests of the inspector in use have: another program, the inspector, and a case with both.

It is seen and used by what GTK tells assistive technology, and by keys. Pictures go to the directory
PICTURES of the environment.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import accessible
import screen
from accessible import wait_for

SETTINGS = """[Settings]
gtk-font-name=Cantarell 11
gtk-decoration-layout=:close
gtk-enable-animations=0
"""


CONTROLS = ("button", "toggle button", "check box", "checkbox", "combo box", "switch", "text", "text box", "search box",
            "spin button", "tree grid", "slider")


class Application:
    """Another program, with a database that it shares."""

    def __init__(self, folder, share=True):
        self._process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "application.py", folder], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **({"LIGHTNING_INSPECT": "1"} if share else {})})
        assert self._process.stdout.readline() == "open\n"

    def do(self, command, argument):
        """What application.py lists."""
        print(command, argument, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"

    def put(self, count):
        self.do("put", count)

    def stop(self):
        """It answers nobody, until it may go on."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def end(self):
        self._process.stdin.close()
        self._process.wait(accessible.LIMIT)
        self._process.stdout.close()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(accessible.LIMIT)
        self._process.stdin.close()
        self._process.stdout.close()


class Inspector:
    def __init__(self, *arguments, before=(), **environment):
        """`before`: a command that starts it."""
        self._output = tempfile.TemporaryFile()
        self._folder = os.environ["XDG_RUNTIME_DIR"]  # where it is started in
        self.process = subprocess.Popen([*before, Case.program, *arguments], stdout=self._output, stderr=self._output,
                                        cwd=self._folder, env={**os.environ, **environment})
        self._program = Case.desktop.find(self.process.pid)
        self._parts = {}

    def labels(self):
        return [label.name for label in self._program.all("label") if label.height() > 0]

    def wait_for(self, text):
        return wait_for(f"“{text}”", lambda: any(
            text in label.name and label.height() > 0 for label in self._program.all("label")))

    def show_page(self, title, text):
        """The page of a title, once it says something."""
        pages = [row.name or next(row.all("label")).name for row in self.part("list", "Pages").children()]
        self.press("Alt_L", str((pages.index(title) + 1) % 10))
        self.wait_for(text)

    def find(self, role, name):
        return self._program.find(role, name)

    def part(self, role, name):
        """Something that stays: it is looked for once, where much else is."""
        if (role, name) not in self._parts:
            self._parts[role, name] = self.find(role, name)
        return self._parts[role, name]

    def all(self, role, name=None):
        return list(self._program.all(role, name))

    def rows(self, table, most=None):
        """What a table shows, row by row, or the first ones of it."""
        rows = next(self.part("tree grid", table).all("list"))
        return [[label.name for label in row.all("label")] for row in rows.children()[:most]]

    def choose(self, name, further):
        """What is so much further down in a drop-down."""
        next(self._program.find("combo box", name).all("button")).use()
        wait_for("the list", lambda: len(Case.screen.windows(self.process.pid)) > 1)
        for _ in range(abs(further)):
            self.press("Down" if further > 0 else "Up")
        self.press("Return")

    def nameless(self, below=None):
        """The controls that nobody can call by a name: there should be none. Rows are alike."""
        found, node = [], below or self._program
        for its in node.children()[:3 if node.role == "list" else None]:
            role, name = its.role, its.name
            if role in CONTROLS and (not name or name.startswith(("Gtk", "Insp"))):
                found.append((role, name))
            if role != "combo box" and its.has_state(accessible.VISIBLE):
                found += self.nameless(its)
        return found

    def figure(self, name):
        """What a tile of the overview says."""
        return next(self._program.find("group", name).all("label")).name

    def row(self, text):
        return wait_for(f"a row “{text}”", lambda: next(
            (row for row in self._program.all("list item")
             if any(text in label.name for label in row.all("label"))), None))

    def press(self, *keys):
        Case.screen.focus(Case.screen.windows(self.process.pid)[0])
        wait_for("the keyboard", lambda: self._program.children()[0].has_state(accessible.ACTIVE))
        Case.screen.press(*keys)

    def use(self, name):
        self._program.find("button", name).use()

    def answer(self, dialog, label, ends=False):
        """`ends`: the program does, too."""
        button = next(its for its in self._program.find("dialog", dialog).all("button")
                      if label in (its.name, *(text.name for text in its.all("label"))))
        button.use()
        if ends:
            self.process.wait(accessible.LIMIT)
        else:
            wait_for("the end of the dialog", lambda: not any(self._program.all("dialog", dialog)))

    def go_to(self, part):
        """Gives it the keyboard, by the keyboard."""
        for _ in range(50):
            if part.focused() is not None:
                return
            before = self.focused()
            self.press("Tab")
            wait_for("the keyboard elsewhere", lambda: self.focused() != before)
        raise AssertionError("the keyboard does not get there")

    def root(self):
        return self._program

    def focused(self):
        """What the keyboard works on, or None."""
        return self._program.keyboard()

    def save_recording(self):
        """Under the name that is offered, in the folder that the inspector was started in."""
        self.press("Control_L", "r")
        wait_for("a dialog", lambda: len(Case.screen.windows(self.process.pid)) == 2)
        Case.screen.focus(Case.screen.windows(self.process.pid)[-1])  # GTK tells nobody what is in it
        path = wait_for("a recording", lambda: Case.screen.press("Return") or next(
            (its for its in pathlib.Path(self._folder).glob("*.ldb-recording") if its.stat().st_size > 0), None))
        wait_for("the end of the dialog", lambda: len(Case.screen.windows(self.process.pid)) == 1)
        return str(path)

    def export(self, name, rename=()):
        """What Ctrl+E writes, under the name that is offered, or one that is typed key by key."""
        self.press("Control_L", "e")
        wait_for("a dialog", lambda: len(Case.screen.windows(self.process.pid)) == 2)
        Case.screen.focus(Case.screen.windows(self.process.pid)[-1])  # GTK tells nobody what is in it
        if rename:
            Case.screen.press("Control_L", "a")
        for key in rename:
            Case.screen.press(key)
        path = pathlib.Path(self._folder, name)
        wait_for("a file", lambda: Case.screen.press("Return") or path.exists() and path.stat().st_size > 0)
        wait_for("the end of the dialog", lambda: len(Case.screen.windows(self.process.pid)) == 1)
        text = path.read_bytes().decode()
        path.unlink()
        return text

    def wake_ups(self):
        """How often each thread has gone to sleep, by its number; a thread that ends meanwhile is left out."""
        found = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found[task.name] = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.M)[1]
        return found

    def last_words(self):
        """Whatever it said, once it has ended; once."""
        if self._output.closed:
            return ""
        with self._output as output:
            output.seek(0)
            return output.read().decode()

    def picture(self, name):
        directory = pathlib.Path(os.environ["PICTURES"])
        directory.mkdir(parents=True, exist_ok=True)
        pixels = screen.side_by_side([Case.screen.pictures(self.process.pid)])
        pixels.savev(str(directory / f"{name}.png"), "png", ["compression"], ["9"])

    def close(self):
        """The exit status, and whatever it said."""
        self.press("Control_L", "q")
        status = self.process.wait(accessible.LIMIT)
        return status, self.last_words()


class Case(unittest.TestCase):
    """A test with a directory of its own, and inspectors that end with it."""

    program = screen = desktop = None  # the inspector; what is seen; who is there

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lightning-inspector-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.inspectors = []

    def start(self):
        """An application that shares a database."""
        application = Application(f"{self.directory}/shared")
        self.addCleanup(application.kill)
        return application

    def inspect(self, *arguments, **how):
        inspector = Inspector(*arguments, **how)
        self.inspectors.append(inspector)
        return inspector

    def connect(self):
        """An inspector of what an application shares."""
        inspector = self.inspect()
        inspector.wait_for(f"{self.directory}/shared")
        inspector.press("Tab")
        inspector.press("Return")  # the first row has the keyboard
        inspector.wait_for("Time of Reads")
        return inspector

    def tearDown(self):
        for inspector in self.inspectors:
            if inspector.process.poll() is None:
                inspector.picture(f"failed-{self.id()}")
                inspector.process.kill()
                inspector.process.wait()
            elif inspector.process.returncode != 0:  # by itself
                print(f"{self.id()}: the inspector ended with {inspector.process.returncode}:",
                      inspector.last_words(), file=sys.stderr)


class DataCase(Case):
    """One with the page Data of an application's database."""

    def open(self):
        inspector = self.connect()
        inspector.show_page("Data", "No Key Selected")
        return inspector

    def keys(self, inspector):
        """What the rows say that are there: mark, key, beginning of the value, each as a node."""
        for row in inspector.part("list", "Keys").children():
            for cell in row.children():
                yield cell.children()

    def wait_for_key(self, inspector, key):
        return wait_for(f"the key {key}", lambda: next(
            (row for row in self.keys(inspector) if row[1].name == key), None))

    def wait_for_count(self, inspector, text):
        """How many keys are said to be there; as long as that rises it takes what it takes."""
        label = wait_for("how many keys there are", lambda: next(
            (label for label in inspector.all("label") if " key" in label.name), None))
        while (before := label.name) != text:
            wait_for(f"{text}, or more than {before}", lambda: label.name != before)

    def go_to(self, inspector, key):
        inspector.press("Control_L", "l")
        inspector.part("text box", "Go to Key").write(key)
        inspector.press("Return")

    def wait_for_value(self, inspector, value):
        text = inspector.part("text box", "Value")
        wait_for(f"the value {value}", lambda: text.text().startswith(value))

    @staticmethod
    def wait_for_keyboard(inspector, key):
        wait_for(f"the keyboard on {key}", lambda: (row := inspector.focused()) is not None
                 and any(label.name == key for label in row.all("label")))

    def files(self):
        """All that the database consists of."""
        return {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "shared").iterdir()}


def main():
    """Runs the tests of the program: FILE INSPECTOR [ARGUMENT …]"""
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"]) / "gtk-4.0" / "settings.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(SETTINGS)
    # Assistive technology is what this is about, and libadwaita has its own theme.
    for variable in ("GTK_A11Y", "GTK_THEME"):
        os.environ.pop(variable, None)
    Case.program = os.path.abspath(sys.argv[1])
    Case.screen, Case.desktop = screen.Screen(), accessible.Desktop()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)


IN_MEMORY = "tmpfs" in subprocess.check_output(
    ["stat", "--file-system", "--format=%T", os.environ["XDG_RUNTIME_DIR"]], text=True)
