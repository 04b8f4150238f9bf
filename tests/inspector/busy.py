# SPDX-License-Identifier: MIT
"""A case with an application in another process that works on a database all the time."""

import pathlib
import shutil
import subprocess
import sys

import inspecting

FOLDER = pathlib.Path("/tmp/contacts")
PAGES = ("overview", "latency", "data", "storage", "memory", "transactions", "changes", "activity", "health", "load")


class BusyCase(inspecting.Case):
    def setUp(self):
        super().setUp()
        if FOLDER.exists():
            raise FileExistsError(f"{FOLDER} is in the way")
        self.addCleanup(shutil.rmtree, FOLDER, ignore_errors=True)
        self.application = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "busy_application.py", FOLDER], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        assert self.application.stdout.readline() == "open\n"

    def end(self):
        """The application's; also a second time."""
        self.application.stdin.close()
        self.application.wait(60)
        self.application.stdout.close()
