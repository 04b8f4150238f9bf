# SPDX-License-Identifier: MIT
"""Transactions of an application, in the inspector: test_transactions.py INSPECTOR"""

import inspecting
from accessible import SENSITIVE, wait_for

QUESTION = "Roll the Transaction Back?"


class Transactions(inspecting.Case):
    def ask(self, inspector):
        """Selects the first of the open ones, and asks to roll it back."""
        inspector.go_to(next(inspector.part("tree grid", "Open Transactions").all("list")))
        inspector.press("Home")
        button = inspector.part("button", "Roll Back…")
        wait_for("a selection", lambda: button.has_state(SENSITIVE))
        button.use()

    def test_transactions(self):
        application = self.start()
        application.put(100)
        inspector = self.connect()
        inspector.show_page("Transactions", "No transaction is open")
        inspector.wait_for("Nobody reads an older state")
        inspector.wait_for("No commit was refused")
        inspector.picture("transactions-empty")
        self.assertFalse(inspector.part("button", "Roll Back…").has_state(SENSITIVE))
        # One that only writes, one that is serializable: as the application has them.
        application.do("begin", 5)
        application.put(10)
        application.do("serialize", 7)
        rows = wait_for("two", lambda: len(inspector.rows("Open Transactions")) == 2
                        and inspector.rows("Open Transactions"))
        self.assertEqual([row[2] for row in rows], ["Snapshot", "Serializable"])
        self.assertEqual([row[3] for row in rows], ["5", "0"])
        self.assertEqual([row[5] for row in rows], ["0", "7"])
        self.assertLess(int(rows[0][0]), int(rows[1][0]))
        # Who keeps the oldest state.
        inspector.wait_for(f"is 10 commits back. Transaction {rows[0][0]} reads there. What was overwritten")
        pins = inspector.rows("States That Are Read")
        self.assertEqual([row[1:] for row in pins], [["10", "1", rows[0][0]], ["0", "1", rows[1][0]]])
        # Conflicts, and their key.
        application.do("conflict", 3)
        wait_for("the hot key", lambda: [row[:4] for row in inspector.rows("Hot Keys")]
                 == [["contested", "default", "3", "100 %"]])
        # What they wrote and depend on, of the one that is selected.
        inspector.go_to(next(inspector.part("tree grid", "Open Transactions").all("list")))
        inspector.press("Home")
        wait_for("what it wrote", lambda: inspector.rows("Keys of the Transaction")
                 == [["Put", f"open{i:08}", "default", "7 B"] for i in range(5)])
        inspector.wait_for(f"Keys of Transaction {rows[0][0]}")
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("transactions")
        inspector.press("Down")
        wait_for("what it read", lambda: inspector.rows("Keys of the Transaction")
                 == [["Depends on", f"key{i:08}", "default", "–"] for i in range(7)])
        # The application does not allow it, and then does. Nothing is done before it is confirmed.
        self.ask(inspector)
        inspector.answer(QUESTION, "Roll Back")
        inspector.wait_for("does not allow inspectors to change anything")
        inspector.picture("transactions-refused")
        inspector.use("Dismiss")
        application.do("control", 1)
        inspector.part("button", "Roll Back…").use()
        inspector.answer(QUESTION, "Cancel")
        self.assertEqual(len(inspector.rows("Open Transactions")), 2)
        inspector.part("button", "Roll Back…").use()  # what is selected stays so
        inspector.answer(QUESTION, "Roll Back")
        wait_for("one", lambda: [row[0] for row in inspector.rows("Open Transactions")] == [rows[1][0]])
        application.do("commit", 0)
        inspector.wait_for("No transaction is open")
        # A snapshot is nobody's transaction.
        application.do("hold", 0)
        application.put(3)
        inspector.wait_for("1 reader holds it: a snapshot")
        application.do("release", 0)
        inspector.wait_for("Nobody reads an older state")
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual([row[0] for row in inspector.rows("Hot Keys")], ["contested"])  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))

    def test_not_known(self):
        """Of a transaction whose keys nobody has told yet, or can tell, it is not said that it has none."""
        application = self.start()
        application.do("begin", 5)
        application.do("begin", 3)
        inspector = self.connect()
        inspector.show_page("Transactions", "No commit was refused")
        ids = [row[0] for row in wait_for("two", lambda: len(inspector.rows("Open Transactions")) == 2
                                          and inspector.rows("Open Transactions"))]

        def says(text):
            return any(text in label for label in inspector.labels())
        inspector.go_to(next(inspector.part("tree grid", "Open Transactions").all("list")))
        inspector.press("Home")
        wait_for("what it wrote", lambda: len(inspector.rows("Keys of the Transaction")) == 5)
        application.stop()
        inspector.press("Down")
        inspector.wait_for(f"Keys of Transaction {ids[1]}")
        self.assertFalse(says("It has written nothing yet"))
        application.go_on()
        wait_for("what it wrote", lambda: len(inspector.rows("Keys of the Transaction")) == 3)
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual(len(inspector.rows("Keys of the Transaction")), 3)  # what was seen stays
        inspector.press("Up")
        wait_for("nothing of it", lambda: not says("Keys of Transaction"))
        self.assertFalse(says("It has written nothing yet"))
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
