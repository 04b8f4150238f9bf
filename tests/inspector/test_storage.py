# SPDX-License-Identifier: MIT
"""How a database lies on the disk, in the inspector: test_storage.py INSPECTOR"""

import time

import inspecting
from accessible import wait_for

PARTS = "Parts of the Storage"


class Storage(inspecting.Case):
    def twin(self, inspector, name):
        next(inspector.find("group", name).all("button", "Show as table")).use()

    def walk_to(self, inspector, text):
        """From part to part with the keyboard, until something is said. Parts of nearly one size may lie otherwise."""
        for _ in range(20):
            inspector.press("Right")
            end = time.monotonic() + 1
            while time.monotonic() < end:
                if any(text in label for label in inspector.labels()):
                    return
        self.fail(f"no part says “{text}”, but {inspector.labels()}")

    def test_storage(self):
        application = self.start()
        application.do("fill", 20000)
        application.do("forms", 0)
        application.do("flush", 1)
        inspector = self.connect()
        inspector.show_page("Storage", "Storage Map")
        # The parts as a table: what the application wrote.
        self.twin(inspector, "Storage Map")
        rows = wait_for("the map", lambda: inspector.rows(PARTS))
        kinds = [row[1] for row in rows]
        for kind in ("Level", "Run", "Segment", "Memory table", "Large values", "File"):
            self.assertIn(kind, kinds)
        segment = rows[kinds.index("Segment")]
        self.assertRegex(segment[0], r"^ +Segment \d+$")  # inside of its run
        self.assertEqual(segment[3], "20.0 k")
        self.assertIn("bits", segment[7])
        self.twin(inspector, "Storage Map")
        inspector.picture("storage")
        # With the keyboard: the log, which is the largest part, and the segment; what is in a page.
        inspector.go_to(inspector.part("image", "Parts of the storage, by size"))
        self.walk_to(inspector, ".log")
        self.walk_to(inspector, "Leaf pages")
        self.twin(inspector, "Pages")
        pages = wait_for("its pages", lambda: inspector.rows("Pages of the Segment", 3))
        self.assertEqual(pages[0][0], "Page 0")
        self.twin(inspector, "Pages")
        inspector.go_to(inspector.part("image", "Pages, by size"))
        inspector.press("Right")
        records = wait_for("its records", lambda: inspector.rows("Records of the Page", 10))
        self.assertTrue(any(key.startswith("key") for key, *rest in records))
        inspector.picture("storage-page")
        # Where a key is. What was found selects its page.
        inspector.press("Control_L", "f")
        for key in "key00000007":
            inspector.press(key)
        inspector.press("Return")
        inspector.wait_for(" answers. Found: a value of 7 B.")
        places = wait_for("the places", lambda: inspector.rows("Places That Are Searched"))
        self.assertEqual([place[1:] for place in places if place[4] == "yes"],
                         [["Found: a value of 7 B.", "0", places[-1][3], "yes"]])
        # Sizes.
        inspector.use("Measure")
        inspector.wait_for("keys were seen, in 100 % of the store")
        self.assertEqual([row[1] for row in inspector.rows("Largest Values", 1)][0], "300 kB")
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("storage-keys")
        application.kill()
        inspector.wait_for("The database was closed")
        inspector.wait_for("keys were seen")  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
