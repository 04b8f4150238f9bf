#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Type stubs: mypy passes over programs that are right and finds what is wrong; nothing is missing."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import gi

gi.require_version("Ldb", "1")
from gi.repository import GObject, Ldb  # noqa: E402

HERE = pathlib.Path(__file__).parent
PYI = pathlib.Path(os.environ["PYI"])
MONITOR_PYI = [pathlib.Path(os.environ["MONITOR_PYI"])] if "MONITOR_PYI" in os.environ else []
SMALL_STUBS = pathlib.Path(os.environ["PYTHONPATH"]) / "gi-stubs"


def check(*programs, strictly=False):
    """What mypy says of programs, with the stubs as they are in the source directory. Strictly it says
    nothing of PyGObject's own classes, whose types are another package's."""
    strictness = ["--strict", "--allow-subclassing-any"] if strictly else ["--check-untyped-defs"]
    with tempfile.TemporaryDirectory(prefix="ldb-types-") as directory:
        shutil.copytree(SMALL_STUBS, f"{directory}/gi")
        for stub in (PYI, *MONITOR_PYI):
            shutil.copy(stub, f"{directory}/gi/repository")
        done = subprocess.run(
            [os.environ["MYPY"], "--python-executable", "/usr/bin/python3", "--no-error-summary",
             "--cache-dir", f"{directory}/cache", *strictness, *map(str, programs)],
            env={**os.environ, "MYPYPATH": directory}, capture_output=True, text=True, check=False)
        if done.stderr:
            raise RuntimeError(done.stderr)
        return done.stdout


class Types(unittest.TestCase):
    def test_right_and_wrong(self):
        program = HERE / "typed.py"
        found = {int(number) for number in re.findall(r"^.*?:(\d+): error:", check(program), re.MULTILINE)}
        expected = {number for number, line in enumerate(program.read_text().splitlines(), 1)
                    if line.endswith("# wrong")}
        self.assertGreater(len(expected), 6)
        self.assertEqual(found, expected)

    def test_programs(self):
        """Those that show how it is done have no type wrong or missing."""
        self.assertEqual(check(*os.environ["PROGRAMS"].split(os.pathsep), strictly=True), "")

    def test_the_stub_itself(self):
        self.assertEqual(check(PYI, strictly=True), "")

    @unittest.skipUnless(MONITOR_PYI, "there is no monitor")
    def test_the_monitor(self):
        self.assertEqual(check(*MONITOR_PYI), "")
        program = HERE / "typed_monitor.py"
        found = {int(number) for number in re.findall(r"^.*?:(\d+): error:", check(program), re.MULTILINE)}
        expected = {number for number, line in enumerate(program.read_text().splitlines(), 1)
                    if line.endswith("# wrong")}
        self.assertGreater(len(expected), 2)
        self.assertEqual(found, expected)

    def test_nothing_is_missing(self):
        """Every public name, and every public member of each class, is declared in the type
        file Ldb.pyi."""
        tree = ast.parse(PYI.read_text(encoding="utf-8"))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        names = set(classes) | {node.name for node in tree.body
                                if isinstance(node, ast.FunctionDef)} | {
            node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}

        def members(name):
            if name not in classes:
                return set()
            its = {getattr(node, "name", None) or getattr(getattr(node, "target", None), "id", None)
                   for node in classes[name].body}
            return its.union(*(members(ast.unparse(base)) for base in classes[name].bases))

        # Also not what belongs to an enumeration, or describes a class.
        public = [name for name in dir(Ldb) if not name.startswith(("_", "error_"))
                  and not name.endswith("Class")]
        self.assertGreater(len(public), 60)
        self.assertEqual([name for name in public if name not in names], [])
        checked = 0
        for name in public:
            cls = getattr(Ldb, name)
            if isinstance(cls, type) and issubclass(cls, GObject.Object):
                wanted = {its for its in dir(cls) if not its.startswith("_")} - set(dir(GObject.Object))
                inherited = set().union(*(dir(base) for base in cls.__mro__
                                          if base.__module__ == "gi.repository.Gio"))
                # What was renamed away, and the fields of the structure.
                wanted = {its for its in wanted if "with_closure" not in its
                          and its not in ("parent_instance", "init_async", "init_finish", "init")}
                checked += len(wanted)
                with self.subTest(name):
                    self.assertEqual(wanted - members(name) - inherited, set())
        self.assertGreater(checked, 200)


if __name__ == "__main__":
    unittest.main()
