# SPDX-License-Identifier: MIT
"""Pictures of the inspector's pages: pictures.py INSPECTOR NAME …

Of a database that an application in another process works on. NAME: all, or some of those below. They go
to the directory PICTURES of the environment; docs/with-inspector sets what else it needs.
"""

import os
import sys
import time

import inspecting
from accessible import SELECTED, wait_for
from busy import FOLDER, PAGES, BusyCase

SUFFIX = os.environ.get("PICTURES_SUFFIX", "")  # of the names
UNTIL_FULL = int(os.environ.get("PICTURES_AFTER", "100"))  # seconds: then the charts have something to show


class Pictures(BusyCase):
    wanted = ()

    def _wants(self, name):
        return name in self.wanted or "all" in self.wanted

    def _take(self, name):
        if self._wants(name):
            time.sleep(1)  # what fades in is there, and what is drawn is of one moment
            self._inspector.picture(f"inspector-{name}{SUFFIX}")

    def _show(self, page):
        """By place: titles are in each language. In a narrow window no list tells which page is shown."""
        index = PAGES.index(page)
        for _ in range(5):
            self._inspector.press("Alt_L", str(index + 1)[-1])
            time.sleep(2)
            rows = next(self._inspector.root().all("list")).children()
            if len(rows) != len(PAGES) or rows[index].has_state(SELECTED):
                return
        raise AssertionError(f"the page {page} is not shown")

    def test_pictures(self):
        inspector = self._inspector = self.inspect()
        inspector.row(str(FOLDER))
        self._take("greeter")
        inspector.press("Tab")
        inspector.press("Return")
        for page in ("changes", "activity"):  # they gather from when they are shown
            self._show(page)
        time.sleep(UNTIL_FULL)
        for page in filter(self._wants, PAGES):
            self._show(page)
            getattr(self, f"_{page}", lambda inspector: None)(inspector)
            self._take(page)
        self.end()
        self._show("overview")
        self._take("ended")
        inspector.close()

    @staticmethod
    def _data(inspector):
        """A key, in the entry that Ctrl+L goes to."""
        inspector.press("Control_L", "l")
        time.sleep(1)
        wait_for("an entry", inspector.focused).write("person:00001")
        inspector.press("Return")
        time.sleep(2)

    @staticmethod
    def _storage(inspector):
        """A segment, which is beside the largest parts; what is known of it."""
        inspector.go_to(next(its for its in inspector.all("image") if its.height() > 100))
        for _ in range(4):
            inspector.press("Right")
            time.sleep(1)

    @staticmethod
    def _transactions(inspector):
        """What the first one wrote."""
        inspector.go_to(next(inspector.all("tree grid")[0].all("list")))
        inspector.press("Home")
        time.sleep(2)

    @staticmethod
    def _changes(inspector):
        time.sleep(40)  # deliveries are told of while they are looked at


if __name__ == "__main__":
    Pictures.wanted = sys.argv[2:] or ("all",)
    del sys.argv[2:]
    inspecting.main()
