# SPDX-License-Identifier: MIT
"""What a database's memory is used for, in the inspector: test_memory.py INSPECTOR"""

import inspecting
from accessible import SENSITIVE, wait_for
from inspecting import IN_MEMORY


class Memory(inspecting.Case):
    def test_memory(self):
        application = self.start()
        application.do("fill", 30000)
        application.do("flush", 1)
        application.do("get", 3000)
        inspector = self.connect()
        inspector.show_page("Memory", "Memory Budget")
        inspector.wait_for("of 67.1 MB are in use")
        # The table has the bar's figures.
        next(inspector.find("group", "Memory Budget").all("button", "Show as table")).use()
        uses = wait_for("the uses", lambda: inspector.rows("Uses of Memory"))
        self.assertEqual(uses[0][0], "Cache, wanted once")
        self.assertNotEqual(next(size for use, size, share in uses if use == "Memory tables"), "0 B")
        next(inspector.find("group", "Memory Budget").all("button", "Show as table")).use()
        if IN_MEMORY:
            wait_for("no page that is held", lambda: inspector.figure("Pinned") == "0")
            wait_for("cached pages", lambda: inspector.figure("Pages") not in ("–", "0"))
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("memory")
        # The application does not allow it, and then does.
        undo = inspector.part("button", "Undo")
        self.assertFalse(undo.has_state(SENSITIVE))
        inspector.use("Evict All")
        inspector.wait_for("does not allow inspectors to change anything")
        inspector.picture("memory-refused")
        inspector.use("Dismiss")
        application.do("control", 1)
        inspector.go_to(inspector.part("spin button", "Memory budget in megabytes"))
        inspector.press("Control_L", "a")
        for key in "20":
            inspector.press(key)
        inspector.use("Set Budget")
        inspector.wait_for("of 20 MB are in use")
        wait_for("a way back", lambda: undo.has_state(SENSITIVE))
        undo.use()
        inspector.wait_for("of 67.1 MB are in use")
        inspector.use("Evict All")
        if IN_MEMORY:
            wait_for("no page", lambda: inspector.figure("Pages") == "0")
        application.kill()
        inspector.wait_for("The database was closed")
        inspector.wait_for("of 67.1 MB are in use")  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
