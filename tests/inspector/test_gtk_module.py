# SPDX-License-Identifier: MIT
"""The page in GTK's own inspector: test_gtk_module.py MODULE

A plain GTK program is run that has a database and opens GTK's inspector. Pictures go to the directory
PICTURES of the environment.
"""

import json
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


class Program:
    def __init__(self, folder):
        self._output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "plain_application.py", folder], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._output)

    def tell(self, *command):
        print(*command, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def wait_for(self, text):
        return wait_for(f"“{text}”", lambda: any(text in label for label in self.tell("labels")))

    def show(self, page):
        wait_for(f"the page {page}", lambda: self.tell("show", page))

    def _window(self):
        return SCREEN.picture(SCREEN.windows(self.process.pid)[-1])

    def _is_drawn(self):
        """More than a few colours, that is text, and not an empty window with its shadow."""
        pixels = self._window().get_pixels()
        places = range(0, len(pixels), 4 * 3)
        return len({pixels[i:i + 3] for i in places if pixels[i + 3] == 255}) > 20

    def picture(self, name):
        directory = pathlib.Path(os.environ["PICTURES"])
        directory.mkdir(parents=True, exist_ok=True)
        wait_for("something drawn", self._is_drawn)
        self._window().savev(str(directory / f"{name}.png"), "png", ["compression"], ["9"])

    def end(self):
        """What it complained of."""
        self.process.stdin.close()
        self.process.wait(accessible.LIMIT)
        self.process.stdout.close()
        with self._output as output:
            output.seek(0)
            return output.read().decode()


class Page(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lightning-inspector-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.program = Program(f"{self.directory}/readings")
        self.addCleanup(self.program.process.kill)

    def test_page(self):
        program = self.program
        self.assertFalse(program.tell("shared"))  # nobody looks
        program.show("lightning-db")
        program.wait_for("Time of Reads")
        program.wait_for(f"{self.directory}/readings")
        wait_for("sharing", lambda: program.tell("shared"))
        program.picture("gtk-inspector")
        program.show("objects")
        wait_for("the end of sharing", lambda: not program.tell("shared"))
        program.show("lightning-db")
        wait_for("sharing", lambda: program.tell("shared"))
        program.wait_for("Time of Reads")
        program.tell("close")
        program.wait_for("No Database Open")
        program.picture("gtk-inspector-none")
        self.assertEqual(program.end(), "")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as modules:
        os.environ["GTK_PATH"] = modules
        folder = pathlib.Path(modules, "inspector")
        folder.mkdir()
        (folder / pathlib.Path(sys.argv[1]).name).symlink_to(pathlib.Path(sys.argv[1]).resolve())
        SCREEN = screen.Screen()
        unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
