# SPDX-License-Identifier: MIT
"""The tour on a small list, with few kills; docs/tour runs it on a whole system's."""

import os
import pathlib
import shutil
import tempfile
import unittest

import run_program


class Tour(unittest.TestCase):
    def test_tour(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-tour-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        names = ["bash", "git", *(f"python3-{number:03}" for number in range(200))]
        packages = "\n".join(
            f"Package: {name}\nVersion: 1\nSection: test\nDescription: {'x' * 500}\n"
            for name in names)
        (directory / "packages.txt").write_text(packages, encoding="utf-8")
        done = run_program.run([os.environ["TOUR"], "--packages", "packages.txt",
                                "--directory", "data", "--kills", "3"], directory)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for line in ("202 records", "forwards  200: python3-000 python3-001 python3-002",
                     "acknowledged and missing: 0; half-applied: 0",
                     "203 packages, every byte as in the original",
                     "Everything was as it should be"):
            self.assertIn(line, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
