# SPDX-License-Identifier: MIT
"""The probes for tracers: test_probes.py LIBRARY PROBES GUIDE SOURCE…

The built library has each probe that the guide describes, with that many arguments, and no other;
PROBES is true where it was built with them, else it has none.
"""

import re
import shutil
import subprocess
import sys
import unittest

library, have_probes, guide = sys.argv[1], sys.argv[2] == "true", sys.argv[3]


def built():
    """name → numbers of arguments at each place"""
    notes = subprocess.run(["readelf", "--notes", "--wide", library], capture_output=True, text=True, check=True).stdout
    found = {}
    for name, arguments in re.findall(r"Provider: lightning_db\s+Name: (\w+)\s.*?Arguments: ([^\n]*)", notes, re.DOTALL):
        found.setdefault(name, set()).add(len(arguments.split()))
    return found


def described():
    """name → names of arguments"""
    with open(guide, encoding="utf-8") as file:
        section = file.read().split("\n### Probes\n")[1].split("\n## ")[0]
    return {name: [word.strip() for word in arguments.split(", ")]
            for name, arguments in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)}


@unittest.skipUnless(shutil.which("readelf"), "there is no readelf")
class Probes(unittest.TestCase):
    def test_built(self):
        told = {name: {len(arguments)} for name, arguments in described().items()}
        self.assertGreater(len(told), 15)
        self.assertEqual(built(), told if have_probes else {})

    def test_pairs(self):
        names = set(described())
        for name in names:
            if name.endswith("_begin"):
                self.assertIn(name.replace("_begin", "_end"), names)


@unittest.skipUnless(have_probes and shutil.which("gdb"), "there are no probes, or no gdb")
class Attached(unittest.TestCase):
    def test_listed(self):
        """gdb finds them."""
        done = subprocess.run(["gdb", "--batch", "-nx", "-ex", "info probes stap lightning_db", library],
                              capture_output=True, text=True, check=True)
        for name in described():
            with self.subTest(name):
                self.assertRegex(done.stdout, rf"\b{name}\b")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
