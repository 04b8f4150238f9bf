# SPDX-License-Identifier: MIT
"""The inspector by keyboard alone: test_keyboard.py INSPECTOR

Tab comes to each control of each page that can be used, or to the list or the group in which the arrow
keys come to it, and round to where it began.
"""

import accessible
import inspecting
from accessible import wait_for

MOST = 200  # presses for one page


class Keyboard(inspecting.Case):
    def controls(self, node):
        """What can be used, but for what is in lists and tables: the arrow keys come to these."""
        for its in node.children() if node.role not in accessible.LEAVES else ():
            if not its.has_state(accessible.VISIBLE):
                continue
            if its.role in inspecting.CONTROLS and its.has_state(accessible.FOCUSABLE) and its.has_state(accessible.SENSITIVE):
                yield its
            if its.role not in ("list", "tree grid", "combo box"):
                yield from self.controls(its)

    def round(self, inspector):
        """Where Tab comes to, until it comes to the first of it again."""
        places = []
        for _ in range(MOST):
            inspector.press("Tab")
            at = places[-1] if places else None
            there = wait_for(f"the keyboard elsewhere than on {at and (at.role, at.name)}",
                             lambda: (now := inspector.focused()) != at and now)
            if there in places:
                return places
            places.append(there)
        self.fail(f"{MOST} presses of Tab do not come round")

    def check(self, inspector):
        """All that is seen and can be used is come to, but for the window's own buttons; and has a name."""
        before = list(self.controls(inspector.root()))  # more may come while the page is gone round
        places = self.round(inspector)
        self.assertEqual([(its.role, its.name) for its in before
                          if its not in places and its.height() > 0 and its.name != "Close"], [])
        self.assertEqual([(its.role, its.name) for its in places
                          if its.role in inspecting.CONTROLS and its.name.startswith("Gtk")], [])

    def test_every_page(self):
        application = self.start()
        application.put(1000)
        application.do("key", "a")
        inspector = self.connect()
        for index, row in enumerate(inspector.part("list", "Pages").children()):
            title = row.name or next(row.all("label")).name
            with self.subTest(page=title):
                inspector.press("Alt_L", str((index + 1) % 10))
                wait_for(title, lambda: row.has_state(accessible.SELECTED))
                self.check(inspector)
        with self.subTest(page="Data, a key"):
            inspector.show_page("Data", "No Key Selected")
            inspector.press("Control_L", "l")
            inspector.part("text box", "Go to Key").write("a")
            inspector.press("Return")
            inspector.find("button", "Copy")
            self.check(inspector)
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
