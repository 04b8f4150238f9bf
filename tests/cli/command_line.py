# SPDX-License-Identifier: MIT
"""What the tests of lightning-cli stand on: run it, look at its output and exit status."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["LIGHTNING_CLI"]

DONE, NEGATIVE, FAILED, LOCKED = 0, 1, 2, 3


class CommandLineTest(unittest.TestCase):
    """A fresh directory for each test, gone afterwards."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-cli-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.database = self.path("test.db")

    def path(self, name):
        return str(self.directory / name)

    def write(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run_raw(self, *arguments, stdin=b"", **environment):
        """Bytes in, bytes out; never a signal, never a hang."""
        result = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            timeout=600,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": self.path("state"), **environment},
        )
        self.assertIn(
            result.returncode, (DONE, NEGATIVE, FAILED, LOCKED), (arguments, result.stderr)
        )
        for trouble in (b"Sanitizer", b"runtime error", b"CRITICAL", b"WARNING **"):
            self.assertNotIn(trouble, result.stderr, arguments)
        return result

    def run_cli(self, *arguments, stdin=b"", status=DONE, **environment):
        """Checks the exit status and gives standard output as bytes."""
        result = self.run_raw(*arguments, stdin=stdin, **environment)
        self.assertEqual(result.returncode, status, (arguments, result.stdout, result.stderr))
        if status in (FAILED, LOCKED):
            self.assertNotEqual(result.stderr, b"", "a failure says why")
        return result.stdout

    def fail_cli(self, *arguments, stdin=b"", status=FAILED):
        """Gives the error message as text."""
        result = self.run_raw(*arguments, stdin=stdin)
        self.assertEqual(result.returncode, status, (arguments, result.stdout, result.stderr))
        return result.stderr.decode()

    def run_json(self, *arguments, stdin=b"", status=DONE):
        return json.loads(self.run_cli(*arguments, "--json", stdin=stdin, status=status))

    def create(self):
        self.run_cli("create", self.database, "--quiet")

    def put(self, key, value, *arguments):
        self.run_cli("put", self.database, key, value, *arguments)

    def scan(self, *arguments):
        """(key, value) pairs, unescaped by way of JSON."""
        output = self.run_cli("scan", self.database, "--json", *arguments)
        return [json.loads(line) for line in output.splitlines()]


def main():
    unittest.main(verbosity=2)
