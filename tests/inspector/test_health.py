# SPDX-License-Identifier: MIT
"""How well a database is, in the inspector: test_health.py INSPECTOR"""

import csv
import io
import os
import pathlib

import inspecting
from accessible import wait_for


class Health(inspecting.Case):
    def mode(self):
        return os.stat(f"{self.directory}/shared").st_mode & 0o777

    def test_health(self):
        application = self.start()
        application.put(100)
        inspector = self.connect()
        inspector.show_page("Health", "Healthy")
        inspector.picture("healthy")
        rows = list(csv.reader(io.StringIO(inspector.export("health.csv"))))
        self.assertEqual(rows[2][0], "Healthy")
        os.chmod(f"{self.directory}/shared", 0o755)
        inspector.press("F5")
        inspector.wait_for("Other users can get into the directory")
        inspector.wait_for("directory mode: 0755")
        inspector.picture("health")
        rows = list(csv.reader(io.StringIO(inspector.export("health.csv"))))
        self.assertEqual(rows[:2], [["Health"], ["Severity", "Issue", "Remedy", "Evidence", "Snoozed"]])
        issue = next(row for row in rows[2:] if "Other users" in row[1])
        self.assertEqual((issue[0], issue[4]), ("Advice", "No"))
        self.assertIn("directory mode: 0755", issue[3])
        # It stays away until it is called for.
        inspector.use("Snooze")
        inspector.wait_for("Snoozed (1)")
        inspector.wait_for("nothing but what you snoozed")
        self.assertEqual(self.mode(), 0o755)  # nothing is done unasked
        next(its for its in inspector.all("button") + inspector.all("toggle button")
             if "Snoozed" in its.name or any("Snoozed" in label.name for label in its.all("label"))).use()
        inspector.use("Show Again")
        inspector.wait_for("What you snooze stays away")
        # The application does not allow it, and then does.
        inspector.use("Restrict Access")
        inspector.wait_for("does not allow inspectors to change anything")
        self.assertEqual(self.mode(), 0o755)
        inspector.picture("health-refused")
        inspector.use("Dismiss")
        application.do("control", 1)
        inspector.use("Restrict Access")
        wait_for("the remedy", lambda: self.mode() == 0o700)
        inspector.wait_for("Nothing is wrong")
        inspector.use("Check Thoroughly")
        inspector.wait_for("Sound:")
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("health-checked")
        application.end()
        inspector.wait_for("The database was closed")
        inspector.wait_for("Nothing is wrong")  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))

    def test_folder(self):
        """One that the inspector opened itself: there is no application that would have to allow it."""
        application = self.start()
        application.do("flush", 1000)
        application.end()
        files = {path.name for path in pathlib.Path(self.directory, "shared").iterdir()}
        inspector = self.inspect(f"{self.directory}/shared")
        inspector.wait_for("Time of Reads")
        inspector.show_page("Health", "Healthy")
        inspector.use("Check Thoroughly")
        inspector.wait_for("Sound:")
        self.assertEqual({path.name for path in pathlib.Path(self.directory, "shared").iterdir()}, files)
        self.assertEqual(inspector.close(), (0, ""))


if __name__ == "__main__":
    inspecting.main()
