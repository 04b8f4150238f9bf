# SPDX-License-Identifier: MIT
"""The inspector in use: test_inspector.py INSPECTOR

It is seen and used by what GTK tells assistive technology, and by keys. Pictures go to the directory
PICTURES of the environment.
"""

import os
import pathlib
import shutil
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


class Application:
    """Another program, with a database that it shares."""

    def __init__(self, folder):
        self._process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "application.py", folder], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "LIGHTNING_INSPECT": "1"})
        assert self._process.stdout.readline() == "open\n"

    def put(self, count):
        print("put", count, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"

    def end(self):
        self._process.stdin.close()
        self._process.wait(accessible.LIMIT)
        self._process.stdout.close()

    def kill(self):
        self._process.kill()
        self._process.wait(accessible.LIMIT)
        self._process.stdin.close()
        self._process.stdout.close()


class Inspector:
    def __init__(self, *arguments, **environment):
        self._output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=self._output, stderr=self._output,
                                        env={**os.environ, **environment})
        self._program = DESKTOP.find(self.process.pid)

    def labels(self):
        return [label.name for label in self._program.all("label") if label.height() > 0]

    def wait_for(self, text):
        return wait_for(f"“{text}”", lambda: any(text in label for label in self.labels()))

    def figure(self, name):
        """What a tile of the overview says."""
        return next(self._program.find("group", name).all("label")).name

    def row(self, text):
        return wait_for(f"a row “{text}”", lambda: next(
            (row for row in self._program.all("list item")
             if any(text in label.name for label in row.all("label"))), None))

    def press(self, *keys):
        SCREEN.focus(SCREEN.windows(self.process.pid)[0])
        wait_for("the keyboard", lambda: self._program.children()[0].has_state(accessible.ACTIVE))
        SCREEN.press(*keys)

    def use(self, name):
        self._program.find("button", name).use()

    def answer(self, dialog, label):
        button = next(its for its in self._program.find("dialog", dialog).all("button")
                      if label in (its.name, *(text.name for text in its.all("label"))))
        button.use()
        wait_for("the end of the dialog", lambda: not any(self._program.all("dialog", dialog)))

    def picture(self, name):
        directory = pathlib.Path(os.environ["PICTURES"])
        directory.mkdir(parents=True, exist_ok=True)
        pixels = screen.side_by_side([SCREEN.pictures(self.process.pid)])
        pixels.savev(str(directory / f"{name}.png"), "png", ["compression"], ["9"])

    def close(self):
        """The exit status, and whatever it said."""
        self.press("Control_L", "q")
        status = self.process.wait(accessible.LIMIT)
        with self._output as output:
            output.seek(0)
            return status, output.read().decode()


class Use(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lightning-inspector-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.inspectors = []

    def inspect(self, *arguments, **environment):
        inspector = Inspector(*arguments, **environment)
        self.inspectors.append(inspector)
        return inspector

    def tearDown(self):
        for inspector in self.inspectors:
            if inspector.process.poll() is None:
                inspector.picture(f"failed-{self.id()}")
                inspector.process.kill()
                inspector.process.wait()

    def test_running_application(self):
        application = Application(f"{self.directory}/shared")
        application.put(1000)
        inspector = self.inspect()
        inspector.wait_for(f"{self.directory}/shared")
        inspector.picture("greeter")
        inspector.row(f"{self.directory}/shared")
        inspector.press("Tab")
        inspector.press("Return")  # the first row has the keyboard
        inspector.wait_for("Time of reads")
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
            wait_for("writes", lambda: application.put(100) or inspector.figure("Operations") not in ("–", "0/s"))
        else:
            inspector.wait_for("The application shares no counters")
        inspector.picture("overview")
        application.kill()
        inspector.wait_for("The database was closed")
        if IN_MEMORY:
            self.assertNotIn(inspector.figure("Memory"), ("–", "0 B"))  # what was seen stays
        inspector.picture("ended")
        inspector.use("All Databases")
        inspector.wait_for("No program shares a database now")
        self.assertEqual(inspector.close(), (0, ""))

    def test_database_to_try(self):
        inspector = self.inspect()
        inspector.wait_for("Running Applications")
        inspector.use("Try A Database to Try")
        inspector.wait_for("What a write does")
        if IN_MEMORY:
            wait_for("work", lambda: inspector.figure("Operations") not in ("–", "0/s"))
        inspector.picture("trial")
        self.assertEqual(inspector.close(), (0, ""))

    def test_folder(self):
        application = Application(f"{self.directory}/plain")
        application.put(100)
        application.end()
        before = {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "plain").iterdir()}
        inspector = self.inspect(f"{self.directory}/plain")
        inspector.wait_for("Time of reads")
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("On disk") != "–")
        self.assertEqual(inspector.close(), (0, ""))
        after = {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "plain").iterdir()}
        self.assertEqual(before, after)  # nothing is written unasked

    def test_no_runtime_directory(self):
        pathlib.Path(self.directory, "file").touch()
        inspector = self.inspect("--demo", XDG_RUNTIME_DIR=f"{self.directory}/file")
        inspector.wait_for("cannot be looked into")
        inspector.picture("no-runtime-directory")
        inspector.answer("The Database Cannot Be Opened", "Close")
        inspector.close()

    def test_no_database(self):
        inspector = self.inspect(self.directory)
        inspector.wait_for("The Database Cannot Be Opened")
        inspector.picture("no-database")
        inspector.answer("The Database Cannot Be Opened", "Close")
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"]) / "gtk-4.0" / "settings.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(SETTINGS)
    # Assistive technology is what this is about, and libadwaita has its own theme.
    for variable in ("GTK_A11Y", "GTK_THEME"):
        os.environ.pop(variable, None)
    PROGRAM = sys.argv[1]
    IN_MEMORY = "tmpfs" in subprocess.check_output(
        ["stat", "--file-system", "--format=%T", os.environ["XDG_RUNTIME_DIR"]], text=True)
    SCREEN, DESKTOP = screen.Screen(), accessible.Desktop()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
