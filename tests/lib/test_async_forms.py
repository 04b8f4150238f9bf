# SPDX-License-Identifier: MIT
"""Every call that may block has an asynchronous form that is whole: test_async_forms.py GIR

A call may block when it takes a GCancellable or when its documentation says so.
"""

import sys
import unittest
import xml.etree.ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"

# C only, for those who want no allocation; what does the same without blocking is beside it.
LENT = {"get_into": "get_async", "peek": "get_async", "peek_many": "get_many_async",
        "peek_value": "get_value_async", "peek_next": "read_async"}
# Copies for bindings, and single steps through what is read in pieces.
COPIES = {"lookup": "get_async", "fetch": "read_async", "next_commit": "read_commit_async",
          "next_change": "read_commit_async"}


def has_parameter(function, type_name):
    return any(its.get("name") == type_name for its in function.iter(f"{CORE}type"))


class AsyncForms(unittest.TestCase):
    def test_forms(self):
        blocking = 0
        for cls in xml.etree.ElementTree.parse(sys.argv[1]).iter(f"{CORE}class"):
            functions = {its.get("name"): its for kind in ("method", "function", "constructor")
                         for its in cls.findall(f"{CORE}{kind}")}
            for name, function in functions.items():
                if name.endswith(("_async", "_finish")):
                    continue
                documentation = function.find(f"{CORE}doc")
                blocks = documentation is not None and "Blocks" in documentation.text
                if not blocks and not has_parameter(function, "Gio.Cancellable"):
                    continue
                blocking += 1
                with self.subTest(f"{cls.get('name')}.{name}"):
                    beside = {**LENT, **COPIES}.get(name)
                    if beside is not None:
                        self.assertIn(beside, functions)
                        continue
                    self.assertIn(f"{name}_async", functions)
                    self.assertIn(f"{name}_finish", functions)
                    begin = functions[f"{name}_async"]
                    self.assertTrue(has_parameter(begin, "Gio.Cancellable"))
                    self.assertTrue(has_parameter(begin, "Gio.AsyncReadyCallback"))
                    self.assertTrue(has_parameter(functions[f"{name}_finish"], "Gio.AsyncResult"))
        print(f"{blocking} calls that may block")
        self.assertGreater(blocking, 80)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
