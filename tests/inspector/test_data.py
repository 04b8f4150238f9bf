# SPDX-License-Identifier: MIT
"""Stores, keys and values, in the inspector: test_data.py INSPECTOR"""

import inspecting
from accessible import wait_for

KEYS = 1_000_000


class Data(inspecting.DataCase):
    def test_million_keys(self):
        application = self.start()
        application.do("fill", KEYS)
        inspector = self.open()
        self.wait_for_key(inspector, "key00000000")

        # Before it knows how many there are.
        self.go_to(inspector, "key00500000")
        self.wait_for_key(inspector, "key00500000")
        self.wait_for_value(inspector, "value 500000")
        self.wait_for_keyboard(inspector, "key00500000")
        inspector.press("Down")
        self.wait_for_value(inspector, "value 500001")

        # From the last one on, while it goes on to look for others.
        inspector.use("Last Keys First")
        self.wait_for_key(inspector, "key00999999")
        inspector.picture("million")
        inspector.use("Last Keys First")
        self.wait_for_key(inspector, "key00000000")

        # All keys of many, and the place stays the same while they are counted.
        inspector.press("Control_L", "f")
        inspector.part("search box", "Keys That Begin With").write("key0005")
        self.wait_for_key(inspector, "key00050000")
        self.go_to(inspector, "key00055000")
        self.wait_for_value(inspector, "value 55000")
        self.wait_for_keyboard(inspector, "key00055000")
        self.wait_for_count(inspector, "10000 keys")
        inspector.press("Down")
        self.wait_for_value(inspector, "value 55001")
        inspector.press("End")
        self.wait_for_value(inspector, "value 59999")
        self.wait_for_key(inspector, "key00059999")
        inspector.press("Home")
        self.wait_for_value(inspector, "value 50000")
        self.wait_for_key(inspector, "key00050000")

        inspector.press("Control_L", "f")
        inspector.part("search box", "Keys That Begin With").write("key0012345")
        self.wait_for_count(inspector, "10 keys")
        self.assertEqual([row[1].name for row in self.keys(inspector)],
                         [f"key0012345{i}" for i in range(10)])
        inspector.part("search box", "Keys That Begin With").write("nothing")
        inspector.wait_for("No Keys Found")
        self.assertEqual(inspector.close(), (0, ""))

    def test_forms_and_changes(self):
        application = self.start()
        application.do("forms", 0)
        inspector = self.open()
        self.wait_for_key(inspector, "binary")

        # Each in the form that suits it.
        for key, value in (("binary", "00000000  00 01 02 03"), ("user:ada:card", '{\n  "phone": [\n    1,'),
                           ("user:ada:name", "Ada"), ("user:bob", "{\n  'age': int64 7")):
            self.go_to(inspector, key)
            self.wait_for_value(inspector, value)
        inspector.picture("document")
        self.assertEqual(inspector.nameless(), [])
        self.go_to(inspector, "large")
        inspector.wait_for("The first 65.5 kB are shown")
        inspector.use("Load All")
        text = inspector.part("text box", "Value")
        wait_for("all of the value", lambda: len(text.text()) == 300000)

        # What others write is marked, and the selection stays.
        self.go_to(inspector, "user:ada:name")
        application.do("key", "user:ada:mail")
        application.do("key", "user:ada:name")
        wait_for("a new key", lambda: self.wait_for_key(inspector, "user:ada:mail")[0].name == "New")
        self.wait_for_value(inspector, "value 2")
        inspector.picture("changed")
        application.do("forget", "user:ada:mail")
        wait_for("no such key", lambda: all(
            row[1].name != "user:ada:mail" for row in self.keys(inspector)))

        # As a tree, by the delimiter that most keys have.
        inspector.use("Show as Tree")
        inspector.wait_for("user:")
        inspector.picture("tree")
        inspector.press("F5")
        inspector.wait_for("user:")
        # By one that was chosen: also of no keys it is said that there are none.
        inspector.choose("Delimiter", 1)
        inspector.wait_for("user:")
        inspector.press("Control_L", "f")
        inspector.press("z")
        inspector.wait_for("No Keys Found")
        inspector.press("BackSpace")
        inspector.wait_for("user:")
        inspector.use("Show as Tree")
        application.kill()
        inspector.wait_for("The database was closed")
        inspector.picture("ended")
        self.assertEqual(inspector.close(), (0, ""))

    def test_odd_values(self):
        """What others write may be made to cost whoever looks at it."""
        application = self.start()
        application.do("odd", 0)
        inspector = self.open()
        for key, value in (("odd:line", "x" * 65000), ("odd:marks", "00000000  61 cc 80"), ("odd:dump", "00000000  00 01"),
                           ("odd:deep", "[\n  [\n    [")):
            self.go_to(inspector, key)
            self.wait_for_value(inspector, value)
        inspector.use("Load All")
        inspector.wait_for("Only the beginning is shown.")
        text = inspector.part("text box", "Value")
        self.assertLess(text.length(), 7 << 20)
        self.go_to(inspector, "odd:picture:huge")
        self.wait_for_value(inspector, "The image is too large to be shown here.")
        self.go_to(inspector, "odd:picture:wide")
        wait_for("the picture", lambda: any(inspector.all("image", "Value")))
        inspector.picture("wide-image")
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
