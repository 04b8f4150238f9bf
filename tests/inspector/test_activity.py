# SPDX-License-Identifier: MIT
"""What a database does in the background, in the inspector: test_activity.py INSPECTOR"""

import inspecting
from accessible import wait_for
from inspecting import IN_MEMORY


class Activity(inspecting.Case):
    def test_activity(self):
        application = self.start()
        inspector = self.connect()
        inspector.show_page("Activity", "Jobs over Time")
        inspector.wait_for("No operation took longer")
        for _ in range(3):
            application.do("flush", 500)
        application.do("compact", 0)
        application.do("conflict", 2)
        kinds = lambda: [kind for time, kind, *rest in inspector.rows("Events")]
        wait_for("three flushes", lambda: kinds().count("Flush") == 3)
        wait_for("the merge", lambda: "Merge" in kinds())
        wait_for("the conflict", lambda: "Conflict" in kinds())
        self.assertTrue(any("contested" in row for row in inspector.rows("Events")))
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("Flushes") not in ("–", "0 B"))
            self.assertNotEqual(inspector.figure("Write amplification"), "–")
        # What is searched for.
        inspector.press("Control_L", "f")
        for key in "merge":
            inspector.press(key)
        wait_for("merges alone", lambda: set(kinds()) == {"Merge"})
        for _ in "merge":
            inspector.press("BackSpace")
        wait_for("all again", lambda: "Flush" in kinds())
        # The jobs, as a table.
        next(inspector.find("group", "Jobs over Time").all("button", "Show as table")).use()
        jobs = wait_for("the jobs", lambda: inspector.rows("Jobs"))
        self.assertEqual(sorted(job for job, *rest in jobs).count("Flush"), 3)
        for job, began, ended, duration, read, written in jobs:
            self.assertLessEqual(began, ended)
            if job != "Stall":
                self.assertNotEqual(written, "0 B")
        # Slow ones, in groups.
        application.do("slow", 1)
        application.do("sync", 10)
        inspector.press("F5")
        wait_for("a group", lambda: [row[:2] for row in inspector.rows("Groups of slow operations")]
                 == [["Batch", "10"]])
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("activity")
        events = [row[:3] for row in inspector.rows("Events")]
        file = inspector.save_recording()
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertIn("Flush", kinds())  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))
        # The recording has them, too, but for keys.
        inspector = self.inspect(file)
        inspector.wait_for("This is a recording")
        inspector.show_page("Activity", "Jobs over Time")
        self.assertEqual([row[:3] for row in inspector.rows("Events")], events)
        self.assertTrue(all(row[3] == "–" for row in inspector.rows("Events")))
        self.assertEqual([row[:2] for row in inspector.rows("Groups of slow operations")], [["Batch", "10"]])
        inspector.picture("recorded-activity")
        self.assertEqual(inspector.close(), (0, ""))

    def test_never_shown(self):
        """What no page has shown is asked for when it is recorded."""
        application = self.start()
        application.do("flush", 500)
        inspector = self.connect()
        file = inspector.save_recording()
        self.assertEqual(inspector.close(), (0, ""))
        inspector = self.inspect(file)
        inspector.wait_for("This is a recording")
        inspector.show_page("Activity", "Jobs over Time")
        self.assertIn("Flush", [row[1] for row in inspector.rows("Events")])
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
