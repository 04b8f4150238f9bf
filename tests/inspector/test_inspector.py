# SPDX-License-Identifier: MIT
"""The inspector in use: test_inspector.py INSPECTOR"""

import csv
import gzip
import io
import json
import os
import pathlib
import shutil
import time

import inspecting
from gi.repository import GLib
from accessible import PRESSED, wait_for
from inspecting import IN_MEMORY, Application


class Use(inspecting.Case):
    def test_running_application(self):
        application = Application(f"{self.directory}/shared")
        application.put(1000)
        inspector = self.inspect()
        inspector.wait_for(f"{self.directory}/shared")
        inspector.picture("greeter")
        inspector.press("Tab")
        inspector.press("Return")  # the first row has the keyboard
        inspector.wait_for("Time of Reads")
        if not IN_MEMORY:
            inspector.wait_for("The application shares no counters")
        wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
        wait_for("writes", lambda: application.put(100) or inspector.figure("Operations") not in ("–", "0/s"))
        inspector.picture("overview")
        # The keyboard gets from the tiles to the charts, and past their legends.
        for title in ("Operations", "Time of Reads"):
            inspector.go_to(next(chart for chart in inspector.all("group", title) if any(chart.all("button"))))
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertNotIn(inspector.figure("Memory"), ("–", "0 B"))  # what was seen stays
        inspector.picture("ended")
        inspector.use("All Databases")
        inspector.wait_for("No program shares a database now")
        self.assertEqual(inspector.close(), (0, ""))

    def test_no_counters(self):
        """The database is shared when it is open already: the application is asked for its figures."""
        application = Application(f"{self.directory}/late", share=False)
        application.put(1000)
        application.do("share", 1)
        inspector = self.inspect()
        inspector.row(f"{self.directory}/late")
        inspector.press("Tab")
        inspector.press("Return")
        inspector.wait_for("The application shares no counters")
        wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
        wait_for("writes", lambda: application.put(100) or inspector.figure("Operations") not in ("–", "0/s"))
        inspector.picture("no-counters")
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual(inspector.close(), (0, ""))

    def test_database_to_try(self):
        inspector = self.inspect()
        inspector.wait_for("Running Applications")
        inspector.use("Try A Database to Try")
        inspector.wait_for("What a Write Does")
        if IN_MEMORY:
            wait_for("work", lambda: inspector.figure("Operations") not in ("–", "0/s"))
        inspector.picture("trial")
        windows = lambda: len(inspecting.Case.screen.windows(inspector.process.pid))
        inspector.press("F10")  # the menu
        wait_for("the menu", lambda: windows() == 2)
        inspecting.Case.screen.press("Escape")
        wait_for("its end", lambda: windows() == 1)
        inspector.show_page("Data", "No Key Selected")  # and it can be edited
        inspector.use("Allow Edits")
        inspector.wait_for("Allow Edits?")
        inspector.press("Return")
        inspector.find("button", "New Key")
        self.assertEqual(inspector.close(), (0, ""))

    def test_what_was_tried_is_deleted(self):
        """Also when the program ends while it is busy; what one that crashed left, by the next one."""
        scratch = pathlib.Path(self.directory, "lightning-inspector", "scratch")
        count = lambda: len(list(scratch.iterdir()))
        for crashes in (False, False, True, False):
            inspector = self.inspect("--demo", XDG_CACHE_HOME=self.directory)
            inspector.wait_for("What a Write Does")
            wait_for("its folder alone", lambda: count() == 1)
            if crashes:
                inspector.process.kill()
                inspector.process.wait()
            else:
                self.assertEqual(inspector.close(), (0, ""))
            self.assertEqual(count(), 1 if crashes else 0)

    def test_folder(self):
        application = Application(f"{self.directory}/plain")
        application.put(100)
        application.end()
        before = {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "plain").iterdir()}
        inspector = self.inspect(f"{self.directory}/plain")
        inspector.wait_for("Time of Reads")
        on_disk = wait_for("the size", lambda: (text := inspector.figure("On disk")) != "–" and text)
        number, unit = on_disk.split()
        size = sum(map(len, before.values()))  # all files: the log, too
        self.assertAlmostEqual(float(number) * {"kB": 1e3, "MB": 1e6}[unit] / size, 1, delta=0.01)
        self.assertEqual(inspector.close(), (0, ""))
        after = {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "plain").iterdir()}
        self.assertEqual(before, after)  # nothing is written unasked

    def test_recording(self):
        application = Application(f"{self.directory}/shared")
        application.put(1000)
        inspector = self.inspect()
        inspector.row(f"{self.directory}/shared")
        inspector.press("Tab")
        inspector.press("Return")
        inspector.wait_for("Time of Reads")
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
        file = inspector.save_recording()
        memory = inspector.figure("Memory")
        self.assertEqual(inspector.close(), (0, ""))
        application.kill()
        shutil.rmtree(f"{self.directory}/shared")  # nothing of it is needed

        inspector = self.inspect(file)
        inspector.wait_for("This is a recording")
        inspector.wait_for("Time of Reads")
        if IN_MEMORY:
            self.assertNotIn(inspector.figure("Memory"), ("–", "0 B"))
            self.assertEqual(inspector.figure("Memory")[-2:], memory[-2:])
        inspector.picture("recording")
        for page in "123456789":
            inspector.press("Alt_L", page)
        inspector.wait_for("This is a recording")
        self.assertEqual(inspector.close(), (0, ""))

    def test_nothing_to_do(self):
        """It sleeps while nobody looks, whatever the application does, and then shows what there is."""
        application = self.start()
        application.put(10)
        inspector = self.inspect()
        inspector.wait_for(f"{self.directory}/shared")
        self.wait_until_asleep(inspector, application, "the list of applications")
        inspector.press("Tab")
        inspector.press("Return")
        inspector.wait_for("Time of Reads")
        for page, text in (("Overview", "Time of Reads"), ("Data", "No Key Selected"),
                           ("Changes", "From Commit to Delivery"), ("Activity", "Jobs over Time")):
            inspector.show_page(page, text)
            self.pause(inspector, True)
            self.wait_until_asleep(inspector, application, f"{page}, paused")
            self.pause(inspector, False)
        inspector.show_page("Changes", "From Commit to Delivery")
        window = inspecting.Case.screen.windows(inspector.process.pid)[0]
        inspecting.Case.screen.hide(window)
        self.wait_until_asleep(inspector, application, "a window that is minimised")
        inspecting.Case.screen.show(window)
        wait_for("a change", lambda: application.do("key", "seen") or inspector.all("tree grid", "Changes"))
        inspector.show_page("Overview", "Time of Reads")
        if IN_MEMORY:
            wait_for("writes", lambda: application.put(100) or inspector.figure("Operations") not in ("–", "0/s"))
        inspecting.Case.screen.hide(window)
        application.kill()
        self.wait_until_asleep(inspector, None, "a database that is closed, in a window that is minimised")
        inspecting.Case.screen.show(window)
        inspector.wait_for("The database was closed")
        self.assertEqual(inspector.close(), (0, ""))

    @staticmethod
    def pause(inspector, paused):
        inspector.press("space")
        button = inspector.find("button", "Pause")
        wait_for(f"the button to say so: paused {paused}", lambda: button.has_state(PRESSED) == paused)

    @staticmethod
    def wait_until_asleep(inspector, application, where):
        """For two seconds in which no thread of it wakes up, though the application writes."""
        def sleeps():
            before = inspector.wake_ups()
            for _ in range(20):
                if application is not None:
                    application.put(10)
                time.sleep(0.1)
            return inspector.wake_ups() == before

        wait_for(f"sleep: {where}", sleeps)

    def test_export(self):
        """Each page's charts and tables go to a file, as they are shown."""
        application = self.start()
        application.do("slow", 1)
        application.do("flush", 300)
        application.do("begin", 3)
        inspector = self.connect()
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
        sheets = self.sheets(inspector.export("overview.csv"))
        self.assertIn("Time of Reads", sheets)
        columns, *rows = sheets["Operations"]
        self.assertEqual(columns[0], "Time")
        self.assertGreater(len(rows), 0)
        self.assertTrue(all(len(row) == len(columns) for row in rows))
        self.assertEqual(sorted(rows, reverse=True), rows)  # the newest is first
        inspector.show_page("Memory", "are in use")
        tables = json.loads(inspector.export("memory.json", ["m", "e", "m", "o", "r", "y", "period", "j", "s", "o", "n"]))
        shown = next(table for table in tables if table["title"] == "Uses of Memory")
        self.assertEqual(shown["columns"][:2], ["Use", "Size"])
        self.assertEqual(len({row[0] for row in shown["rows"]}), 12)
        self.assertIn("Memory tables", [row[0] for row in shown["rows"]])
        inspector.show_page("Transactions", "Open Transactions")
        wait_for("the transaction", lambda: inspector.all("tree grid", "Open Transactions"))
        sheets = self.sheets(inspector.export("transactions.csv"))
        self.assertEqual(sheets["Open Transactions"][1][3], "3")
        inspector.show_page("Activity", "Jobs over Time")
        wait_for("the flush", lambda: "Flush" in [row[1] for row in inspector.rows("Events")])
        sheets = self.sheets(inspector.export("activity.csv"))
        self.assertEqual(sheets["Jobs"][1][0], "Flush")  # as it is shown as a picture
        self.assertIn("Flush", [row[1] for row in sheets["Events"]])
        inspector.show_page("Latency", "Durations over Time")
        self.assertIn("Slow Operations", self.sheets(inspector.export("latency.csv")))
        inspector.press("Alt_L", "4")
        inspector.find("text box", "Where is this key?")
        self.assertTrue(self.sheets(inspector.export("storage.csv")))
        application.kill()
        self.assertEqual(inspector.close(), (0, ""))

    @staticmethod
    def sheets(text):
        """Rows by the title above them."""
        tables = [list(csv.reader(io.StringIO(part, newline=""))) for part in text.split("\r\n\r\n")]
        return {rows[0][0]: rows[1:] for rows in tables}

    def test_recording_outlasts_the_window(self):
        """Who is asked for what happened does not answer, and nobody waits for it."""
        folder = pathlib.Path(os.environ["XDG_RUNTIME_DIR"])
        before = set(folder.glob("*.ldb-recording"))
        application = self.start()
        application.put(10)
        inspector = self.connect()
        application.stop()
        inspector.press("Control_L", "r")
        wait_for("a dialog", lambda: len(self.screen.windows(inspector.process.pid)) == 2)
        self.screen.focus(self.screen.windows(inspector.process.pid)[-1])
        wait_for("its end", lambda: self.screen.press("Return") or len(self.screen.windows(inspector.process.pid)) == 1)
        self.assertEqual(inspector.close(), (0, ""))
        recordings = list(set(folder.glob("*.ldb-recording")) - before)
        self.assertEqual(len(recordings), 1)
        inspector = self.inspect(str(recordings[0]))
        inspector.wait_for("This is a recording.")
        recordings[0].unlink()
        self.assertEqual(inspector.close(), (0, ""))

    def test_recording_of_another_day(self):
        """Times are those of the clock then, wherever it is opened; and what earlier versions left out is not there."""
        application = self.start()
        application.put(100)
        inspector = self.connect()
        if IN_MEMORY:
            wait_for("the figures", lambda: inspector.figure("Memory") not in ("–", "0 B"))
        file = pathlib.Path(inspector.save_recording())
        self.assertEqual(inspector.close(), (0, ""))
        kind = GLib.VariantType("(sua{sv})")
        recording = GLib.Variant.new_from_bytes(kind, GLib.Bytes(gzip.decompress(file.read_bytes())), False)
        name, version, seen = recording[0], recording[1], recording.get_child_value(2)
        entries = [seen.get_child_value(i) for i in range(seen.n_children())]
        seen = {its.get_child_value(0).get_string(): its.get_child_value(1).get_variant() for its in entries}
        for left_out in ("events", "operations", "watches", "deliveries"):
            del seen[left_out]
        then = 10**9 + 0.5
        seen["saved"] = GLib.Variant("x", int(then * 10**6))
        data = GLib.Variant("(sua{sv})", (name, version, seen)).get_data_as_bytes().get_data()
        file.write_bytes(gzip.compress(data))
        inspector = self.inspect(str(file))
        inspector.wait_for(time.strftime("%T %Y", time.localtime(then)))
        next(inspector.find("group", "Disk").all("button", "Show as table")).use()
        newest = wait_for("the table", lambda: inspector.rows("Disk", 1))[0]
        self.assertEqual(newest[0], time.strftime("%T", time.localtime(then)) + ".5")
        self.assertEqual(inspector.close(), (0, ""))

    def test_recording_of_nobody(self):
        file = pathlib.Path(self.directory, "other.ldb-recording")
        pipe = pathlib.Path(self.directory, "pipe.ldb-recording")
        file.write_text("hello")
        os.mkfifo(pipe)  # nobody writes to it
        for path, reason in ((file, "That is no recording of this program"), (pipe, "That is a pipe")):
            inspector = self.inspect(str(path))
            inspector.wait_for("The Recording Cannot Be Opened")
            inspector.wait_for(reason)
            inspector.answer("The Recording Cannot Be Opened", "Close")
            self.assertEqual(inspector.close(), (0, ""))

    def test_no_runtime_directory(self):
        pathlib.Path(self.directory, "file").touch()
        inspector = self.inspect("--demo", XDG_RUNTIME_DIR=f"{self.directory}/file")
        inspector.wait_for("cannot be looked into")
        inspector.picture("no-runtime-directory")
        inspector.close()


if __name__ == "__main__":
    inspecting.main()
