# SPDX-License-Identifier: MIT
"""The README's examples, taken from it as they stand, built and run; and the tour."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE_ROOT"])
BUILD = pathlib.Path(os.environ["BUILD_ROOT"])
LIBRARY = BUILD / "lightning-db" / "lib"


def example(language, begin=""):
    """The first example in a language that begins so."""
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n({begin}.*?)```", text, re.DOTALL)
    assert found, f"the README has no example in {language}"
    return found.group(1)


class Readme(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-readme-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(LIBRARY),
            "GI_TYPELIB_PATH": str(LIBRARY),
            "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled"),
            "PYTHONPATH": str(SOURCE / "lightning-db" / "bindings" / "python"),
            "PATH": f"{BUILD}/lightning-db/cli:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }

    def run_program(self, *arguments):
        result = subprocess.run(
            arguments,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def write(self, name, text):
        (self.directory / name).write_text(text, encoding="utf-8")

    def test_c(self):
        self.write("example.c", example("c"))
        flags = self.run_program("pkg-config", "--cflags", "--libs", "lightning-db-1").split()
        # Uninstalled, the generated headers lie in the build directory.
        self.run_program(
            "cc", "-Wall", "-Werror", "example.c", "-o", "example", f"-I{LIBRARY}", *flags
        )
        self.assertEqual(self.run_program("./example"), "Ada\n")

    def test_shell(self):
        self.write("example.sh", example("sh", begin="lightning-cli"))
        output = self.run_program("sh", "-e", "example.sh")
        self.assertIn('{"key":"user:1","value":"Ada"}', output)
        self.assertIn("All checks passed", output)
        self.assertTrue((self.directory / "backup.db").is_dir())

    def test_python(self):
        self.write("example.py", example("python"))
        output = self.run_program("/usr/bin/python3", "example.py")
        self.assertEqual(output.splitlines()[0], "b'user:3' b'Bo'")

    def test_gjs(self):
        self.write("example.js", example("js"))
        self.assertEqual(self.run_program("gjs", "-m", "example.js"), "Bo\n")

    def test_vala(self):
        self.write("example.vala", example("vala"))
        self.run_program(
            "valac", f"--vapidir={LIBRARY}", f"--vapidir={BUILD}/lightning-db/bindings",
            "--pkg", "gio-2.0", "--pkg", "lightning-db-1", "-X", f"-I{LIBRARY}", "-X", f"-I{SOURCE}/lightning-db/lib",
            "-X", f"-L{LIBRARY}", "-X", "-llightning-db-1", "example.vala",
        )
        self.assertEqual(self.run_program("./example"), "Ada\nBo\n")

    def test_tour(self):
        """The tour on a small list, with few kills; docs/tour runs it on a whole system's."""
        names = ["bash", "git", *(f"python3-{number:03}" for number in range(200))]
        self.write(
            "packages.txt",
            "\n".join(
                f"Package: {name}\nVersion: 1\nSection: test\nDescription: {'x' * 500}\n"
                for name in names
            ),
        )
        output = self.run_program(
            os.environ["TOUR"], "--packages", "packages.txt", "--directory", "data", "--kills", "3"
        )
        self.assertIn("202 records", output)
        self.assertIn("forwards  200: python3-000 python3-001 python3-002", output)
        self.assertIn("acknowledged and missing: 0; half-applied: 0", output)
        self.assertIn("203 packages, every byte as in the original", output)
        self.assertIn("Everything was as it should be", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
