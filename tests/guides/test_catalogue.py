# SPDX-License-Identifier: MIT
"""Guides that list things list all of them: test_catalogue.py GIR ERRORS.md CONFIGURATION.md FLAT-ABI.md FLAT-ABI.h

Each code of Ldb.Error stands in the error catalogue once, with cause and remedy, and nothing else does;
each property of Ldb.Options stands in the guide to configuration, and in that to the flat C ABI beside
its setter there, or beside “none”.
"""

import re
import sys
import unittest
import xml.etree.ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
gir, errors_path, configuration_path, flat_path, flat_header = sys.argv[1:]
namespace = xml.etree.ElementTree.parse(gir).getroot().find(f"{CORE}namespace")


def rows(path, section=None):
    """The cells of each row of each table of a guide, or of a section, without headers and rules."""
    inside = section is None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if section is not None and line.startswith("## "):
                inside = line == f"## {section}\n"
            if inside and line.startswith("| `"):
                yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


class Catalogue(unittest.TestCase):
    def test_errors(self):
        enumeration = next(its for its in namespace.findall(f"{CORE}enumeration")
                           if its.get("name") == "Error")
        codes = [its.get("name").upper() for its in enumeration.findall(f"{CORE}member")]
        self.assertGreater(len(codes), 25)
        found = list(rows(errors_path))
        self.assertEqual(sorted(cells[0].strip("`") for cells in found), sorted(codes))
        for cells in found:
            with self.subTest(cells[0]):
                self.assertEqual(len(cells), 3)
                self.assertTrue(all(len(cell) > 5 for cell in cells[1:]))

    def test_options(self):
        options = next(its for its in namespace.findall(f"{CORE}class")
                       if its.get("name") == "Options")
        names = [its.get("name") for its in options.findall(f"{CORE}property")]
        self.assertGreater(len(names), 20)
        with open(configuration_path, encoding="utf-8") as file:
            text = file.read()
        for name in names:
            with self.subTest(name):
                self.assertIn(f"`{name}`", text)
        listed = {re.sub(r".*?`([a-z-]+)`.*", r"\1", cells[0]) for cells in rows(configuration_path)
                  if not re.match("`[[A-Z]", cells[0])}  # sections of the file, variables
        self.assertEqual(listed - set(names), set())

    def test_setters(self):
        options = next(its for its in namespace.findall(f"{CORE}class")
                       if its.get("name") == "Options")
        names = [its.get("name") for its in options.findall(f"{CORE}property")]
        with open(flat_header, encoding="utf-8") as file:
            setters = re.findall(r"lightning_db_config_set_(\w+)", file.read())
        listed, told = [], []
        for option, setter in rows(flat_path, "Options"):
            listed += re.findall(r"`([a-z-]+)`", option)
            told += re.findall(r"`([a-z_]+)`", setter)
        self.assertEqual(sorted(listed), sorted(names))
        self.assertEqual(sorted(told), sorted(set(setters) - {"max_transaction_size"}))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
