# SPDX-License-Identifier: MIT
"""Other languages have all of the library: test_introspection.py GIR SYMBOLS

Each function that the library exports (SYMBOLS has the names that are promised) can be called by
introspection, but for those that lend or copy without an allocation, which are for C, and what
bindings do by themselves: count references and clear what was lent.
"""

import sys
import unittest
import xml.etree.ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"

FOR_C = {
    "ldb_change_peek_key", "ldb_change_ref", "ldb_change_unref", "ldb_cursor_peek_key",
    "ldb_cursor_peek_next", "ldb_cursor_peek_value", "ldb_database_get_into", "ldb_database_peek", "ldb_database_peek_many",
    "ldb_record_ref", "ldb_record_unref", "ldb_snapshot_peek", "ldb_store_get_into", "ldb_store_peek",
    "ldb_transaction_peek", "ldb_view_clear",
}
CALLABLE = {f"{CORE}{kind}" for kind in ("function", "method", "constructor")}


def is_left_out(element):
    return element.get("introspectable") == "0" or element.get("skip") == "1"


def walk(element, left_out, found):
    """identifier → whether it, or what it is in, is left out."""
    left_out = left_out or is_left_out(element)
    if element.tag in CALLABLE:
        # One that a binding has under another name is called all the same.
        identifier = element.get(f"{C}identifier")
        found[identifier] = found.get(identifier, True) and left_out
    for child in element:
        walk(child, left_out, found)


class Introspection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gir = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
        with open(sys.argv[2], encoding="utf-8") as promised:
            cls.symbols = {line.strip() for line in promised if line.strip() and line[0] != "#"}

    def test_every_function(self):
        found = {}
        walk(self.gir, False, found)
        types = {its.get(f"{GLIB}get-type") for its in self.gir.iter()} - {None}
        domains = {name for name in self.symbols if name.endswith("_error_quark")}
        self.assertEqual(self.symbols - found.keys() - types - domains, set())
        self.assertEqual({name for name in self.symbols if found.get(name)}, FOR_C)
        print(f"{len(self.symbols)} symbols, {len(FOR_C)} of them for C")

    def test_nothing_else_is_left_out(self):
        """No callback, signal, property, virtual function or parameter; but what C is lent, and a macro
        that has a function beside it."""
        left_out = [f"{element.tag.split('}')[-1]} {element.get('name')}" for element in self.gir.iter()
                    if is_left_out(element) and element.tag not in CALLABLE]
        self.assertEqual(left_out, ["function-macro CHECK_VERSION", "record View"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
