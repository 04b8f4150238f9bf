# SPDX-License-Identifier: MIT
"""What is committed, in the inspector: test_changes.py INSPECTOR"""

import json
import os
import pathlib
import time

import inspecting
from accessible import PRESSED, SENSITIVE, wait_for
from inspecting import Case


class Changes(inspecting.Case):
    def test_changes(self):
        application = self.start()
        application.put(10)
        inspector = self.connect()
        inspector.show_page("Changes", "Nothing has been committed since this page was opened")
        # What is written shows up, the newest first.
        wait_for("a change", lambda: application.do("key", "first") or inspector.part("tree grid", "Changes").height() > 0)
        rows = lambda: [row[2:5] for row in inspector.rows("Changes")]
        application.do("key", "user:ada")
        application.do("key", "user:ada")
        wait_for("a value", lambda: rows()[0] == ["Put", "default", "user:ada"])  # what gathers is one change
        application.do("forget", "user:ada")
        wait_for("the deletion", lambda: rows()[0] == ["Deleted", "default", "user:ada"])
        self.assertTrue(set(map(tuple, rows())) <= {("Put", "default", "first"), ("Put", "default", "user:ada"),
                                                    ("Deleted", "default", "user:ada")})
        # What a change replaced.
        inspector.go_to(next(inspector.part("tree grid", "Changes").all("list")))
        inspector.press("Home")
        old = wait_for("what it replaced", lambda: [label.name for label in inspector.find("group", "Difference").all("label")])
        self.assertTrue(old[0].startswith("− value"))
        # Held, changes wait; a step lets one batch in.
        step = inspector.part("button", "Step")
        self.assertFalse(step.has_state(SENSITIVE))
        before = len(rows())
        hold = inspector.part("button", "Hold")
        hold.use()
        wait_for("that it holds", lambda: hold.has_state(PRESSED))
        application.do("key", "held")
        wait_for("one that waits", lambda: step.has_state(SENSITIVE))
        self.assertEqual(len(rows()), before)
        step.use()
        wait_for("the step", lambda: rows()[0] == ["Put", "default", "held"])
        hold.use()
        wait_for("that it goes on", lambda: not hold.has_state(PRESSED))
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("changes")
        # What is searched for, to a file.
        inspector.press("Control_L", "f")
        for key in "held":
            inspector.press(key)
        wait_for("one alone", lambda: rows() == [["Put", "default", "held"]])
        inspector.press("Control_L", "e")
        wait_for("a dialog", lambda: len(Case.screen.windows(inspector.process.pid)) == 2)
        Case.screen.focus(Case.screen.windows(inspector.process.pid)[-1])  # GTK tells nobody what is in it
        path = pathlib.Path(os.environ["XDG_RUNTIME_DIR"], "changes.jsonl")
        wait_for("a file", lambda: Case.screen.press("Return") or path.exists() and path.stat().st_size > 0)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual([(line["kind"], line["store"], line["key"]) for line in lines], [("put", "default", "held")])
        wait_for("the end of the dialog", lambda: len(Case.screen.windows(inspector.process.pid)) == 1)
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual(rows(), [["Put", "default", "held"]])  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))

    def test_watches(self):
        application = self.start()
        inspector = self.connect()
        inspector.show_page("Changes", "Nobody is told of changes")
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        inspector.wait_for("No watch was told of changes")
        application.do("watch", "user:")
        application.do("watch", "key")
        watches = lambda: inspector.rows("Watches")
        wait_for("both", lambda: [row[:3] for row in watches()]
                 == [["Prefix", "user:…", "default"], ["Prefix", "key…", "default"]])
        deliveries = lambda: inspector.rows("Deliveries") if inspector.all("tree grid", "Deliveries") else []
        told = 0

        def tell():
            nonlocal told
            told += 1
            application.do("told", told)

        while not deliveries() or deliveries()[0][3] == "–":  # what is told is noted from when it is asked for on
            application.do("key", "user:ada")
            tell()
            inspector.press("F5")
        seen = len(deliveries())
        # One that waits for the main loop for longer than it should; and one of five changes.
        application.do("key", "user:bob")
        time.sleep(0.1)
        tell()
        wait_for("that it is late", lambda: len(deliveries()) == seen + 1)
        self.assertEqual((deliveries()[0][1:3], deliveries()[0][4]), (["Prefix user:…", "1"], "No"))
        application.do("fill", 5)
        tell()
        wait_for("the other", lambda: len(deliveries()) == seen + 2)
        self.assertEqual(deliveries()[0][1:3], ["Prefix key…", "5"])
        wait_for("what they were told", lambda: [row[3:8] for row in watches()]
                 == [["Waits", str(told - 1), str(told - 1), "0", "0"], ["Waits", "1", "5", "0", "0"]])
        # Of what gathers while the main loop does not come a change is left, and how many there were.
        for _ in range(4):
            application.do("key", "key")
        tell()
        application.do("key", "key, the last")  # by then all four are told, at once or after the first of them
        tell()
        counts = lambda: [int(its) for its in watches()[1][5:7]]
        wait_for("all that was told", lambda: sum(counts()) >= 5 + 4)
        changes, summed_up = counts()
        self.assertIn(summed_up, (2, 3))
        self.assertIn(changes + summed_up, (5 + 4, 5 + 4 + 1))
        self.assertEqual(inspector.nameless(), [])
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        inspector.find("image", "Deliveries to watches over time")
        for _ in range(200):
            application.do("key", f"user:{_}")
            told += 1
            application.do("told", told)
        inspector.picture("watches")
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        file = inspector.save_recording()
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual(len(watches()), 2)  # what was seen stays
        seen = watches(), inspector.rows("Deliveries", 20)
        self.assertEqual(inspector.close(), (0, ""))
        # The recording has them, too, but for keys: numbers tell them apart.
        inspector = self.inspect(file)
        inspector.wait_for("This is a recording")
        inspector.show_page("Changes", "From Commit to Delivery")
        one, other = (row[1] for row in inspector.rows("Watches"))
        self.assertRegex(one + other, r"^#\d+#\d+$")
        self.assertEqual([[row[0], *row[2:]] for row in inspector.rows("Watches")], [[row[0], *row[2:]] for row in seen[0]])
        inspector.picture("recorded-watches")
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        inspector.wait_for("Within 12 ms")
        self.assertEqual([[row[0], *row[2:]] for row in inspector.rows("Deliveries", 20)],
                         [[row[0], *row[2:]] for row in seen[1]])
        self.assertLess(len(inspector.rows("Deliveries")), 200)  # the newest, until somebody uses it
        inspector.go_to(next(inspector.part("tree grid", "Deliveries").all("list")))
        wait_for("all", lambda: len(inspector.rows("Deliveries")) > 200)
        self.assertEqual({row[1] for row in inspector.rows("Deliveries")}, {f"Prefix {one}", f"Prefix {other}"})
        self.assertEqual(inspector.close(), (0, ""))


    def test_many_watches(self):
        """Twelve have a lane; how many have none is said, and all are in the table."""
        application = self.start()
        application.do("list", "list:")
        for i in range(13):
            application.do("watch", f"prefix{i}:")
        inspector = self.connect()
        inspector.show_page("Changes", "From Commit to Delivery")
        watches = lambda: inspector.rows("Watches")
        wait_for("all of them", lambda: len(watches()) == 14)
        self.assertEqual(watches()[0][:3], ["List", "list:…", "default"])
        lanes = inspector.find("image", "Deliveries to watches over time")
        wait_for("what is said of them", lambda: lanes.description.endswith("2 more in the table"))
        self.assertIn("Prefix prefix10:…: ", lanes.description)
        self.assertNotIn("prefix11:", lanes.description)
        # A list is told, too.
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        inspector.wait_for("No watch was told of changes")
        deliveries = lambda: inspector.rows("Deliveries") if inspector.all("tree grid", "Deliveries") else []
        told = 0
        while not deliveries():  # what is told is noted from when it is asked for on
            told += 1
            application.do("key", f"list:{told}")
            application.do("told", told)
            inspector.press("F5")
        self.assertEqual(deliveries()[0][1], "List list:…")
        seen = len(deliveries())
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        wait_for("the lanes", lambda: lanes.height() > 12 * 50)
        inspector.picture("many-watches")
        # It stops ten seconds after nobody has asked: what is told then is not noted.
        inspector.show_page("Overview", "Time of Reads")
        time.sleep(10.5)
        told += 1
        application.do("key", "list:unseen")
        application.do("told", told)
        before = watches()[0][4]
        inspector.show_page("Changes", "From Commit to Delivery")
        wait_for("that it was told", lambda: watches()[0][4] != before)
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        wait_for("the table", deliveries)
        self.assertEqual(len(deliveries()), seen)
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        wait_for("the lanes", lambda: lanes.height() > 12 * 50)
        self.assertIn("Shaded: the application noted nothing", lanes.description)
        inspector.picture("gap")
        next(inspector.find("group", "From Commit to Delivery").all("button", "Show as table")).use()
        wait_for("the table again", deliveries)
        while len(deliveries()) == seen:  # and goes on when the page is shown again
            told += 1
            application.do("key", f"list:seen{told}")
            application.do("told", told)
            inspector.press("F5")
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
