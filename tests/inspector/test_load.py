# SPDX-License-Identifier: MIT
"""A load on a scratch database, from the inspector: test_load.py INSPECTOR"""

import csv
import json
import os
import pathlib
import subprocess

import inspecting
from accessible import SENSITIVE, wait_for
from inspecting import Case


class Load(inspecting.Case):
    def setUp(self):
        super().setUp()
        # What is kept and what is thrown away is this test's alone.
        for name in ("CACHE", "DATA"):
            os.environ[f"XDG_{name}_HOME"] = f"{self.directory}/{name.lower()}"
        self.scratch = pathlib.Path(self.directory, "cache", "lightning-inspector", "scratch")

    def open(self):
        inspector = self.connect()
        inspector.show_page("Load Tester", "No Load Test Yet")
        return inspector

    def files(self):
        """All that the database consists of, but for the file in which processes that read it say so."""
        return {path.name: path.read_bytes() for path in pathlib.Path(self.directory, "shared").iterdir()
                if path.name != "SHARED"}

    def left(self):
        return list(self.scratch.glob("*"))

    @staticmethod
    def set(inspector, name, number):
        inspector.part("spin button", name).write(str(number))

    def export(self, inspector, name):
        inspector.press("Control_L", "e")
        wait_for("a dialog", lambda: len(Case.screen.windows(inspector.process.pid)) == 2)
        Case.screen.focus(Case.screen.windows(inspector.process.pid)[-1])  # GTK tells nobody what is in it
        if name.endswith(".csv"):  # instead of the name that is offered, without its ending
            Case.screen.press("Control_L", "a")
            for key in name.replace(".", "|").replace("-", "~"):
                Case.screen.press({"|": "period", "~": "minus"}.get(key, key))
        path = pathlib.Path(os.environ["XDG_RUNTIME_DIR"], name)
        wait_for("a file", lambda: Case.screen.press("Return") or path.exists() and path.stat().st_size > 0)
        wait_for("the end of the dialog", lambda: len(Case.screen.windows(inspector.process.pid)) == 1)
        return path.read_text()

    def figures(self, inspector):
        return {row[0]: row[1:] for row in inspector.rows("Figures")}

    maxDiff = 1000

    def test_load(self):
        application = self.start()
        application.put(100)
        application.do("forms", 0)
        before = self.files()
        inspector = self.open()
        self.assertEqual(inspector.nameless(), [])
        inspector.picture("load-empty")
        # A preset on a new database.
        self.set(inspector, "Records", 2000)
        self.set(inspector, "Seconds", 2)
        inspector.use("Start")
        inspector.wait_for("Working:")
        inspector.picture("load-running")
        inspector.wait_for("80 % reads, 20 % overwrites")
        wait_for("figures", lambda: inspector.part("tree grid", "Figures").height() > 0)
        figures = self.figures(inspector)
        for name in ("All operations", "Reads", "Reads: median", "Reads: 99 %", "Writes", "Writes: longest", "Size on disk"):
            self.assertNotIn(figures[name][0], ("–", "0", "0/s"), name)
        self.assertEqual(figures["Wrong values"], ["0", "–", "–"])
        wait_for("that it is cleaned up", lambda: not self.left())
        # What was drawn is in its table, too.
        next(inspector.find("group", "Operations").all("button", "Show as table")).use()
        samples = wait_for("samples", lambda: inspector.rows("Operations", 3))
        self.assertTrue(any(row[1] not in ("–", "0/s") for row in samples), samples)
        next(inspector.find("group", "Operations").all("button", "Show as table")).use()
        # A copy of the live database, which stays as it is.
        inspector.choose("Database", 1)
        inspector.choose("Preset", 7)  # transactions
        inspector.use("Start")
        wait_for("a second one", lambda: len(inspector.rows("Load tests")) == 2)
        latest = inspector.rows("Load tests")[0]
        self.assertEqual(latest[1:3] + latest[-1:], ["transactions of ten mixed operations", "copy of shared", "0"])
        after = self.files()
        self.assertEqual([name for name in {*before, *after} if before.get(name) != after.get(name)], [])
        wait_for("that it is cleaned up", lambda: not self.left())
        # Beside the first one.
        inspector.choose("Compared with", 2)
        figures = wait_for("a comparison", lambda: (its := self.figures(inspector))["All operations"][1] != "–" and its)
        self.assertTrue(figures["All operations"][2].endswith("%"))
        self.assertEqual((figures["Transactions"][1], figures["Reads"][0]), ("–", "–"))
        self.assertNotEqual(figures["Reads"][1], "–")
        inspector.picture("load")
        # To files that others can read.
        runs = json.loads(self.export(inspector, "load-tests.json"))
        self.assertEqual([run["copy_of"] for run in runs], [f"{self.directory}/shared", None])
        self.assertEqual([list(run["kinds"]) for run in runs], [["transactions"], ["reads", "writes"]])
        self.assertTrue(all(run["wrong_values"] == 0 and run["operations_per_second"] > 0 for run in runs))
        table = list(csv.DictReader(self.export(inspector, "loads.csv").splitlines()))
        self.assertEqual([row["kind"] for row in table], ["transactions", "reads", "writes"])
        self.assertEqual(int(table[1]["operations"]), runs[1]["kinds"]["reads"]["operations"])
        # Another inspector knows them, too; the application's end does not matter.
        application.kill()
        inspector.wait_for("The database was closed")
        self.assertEqual(inspector.close(), (0, ""))

    def test_full_disk(self):
        """Somebody else fills the disk while it works: it ends, says so, and leaves nothing behind."""
        application = self.start()
        application.put(10)
        cache, signal = f"{self.directory}/cache", f"{self.directory}/signal"
        os.mkdir(cache)
        # A disk that only this inspector sees, and who fills it.
        disk = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c",
                'mount -t tmpfs -o size=128m none "$0" || exit 77; signal=$1; shift; '
                '(while [ ! -e "$signal" ]; do sleep 0.1; done; cat /dev/zero > "$0/full") 2>/dev/null & exec "$@"', cache, signal]
        if subprocess.run([*disk[:-1], "/", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no file system can be mounted here")
        inspector = self.inspect(before=disk)
        inspector.wait_for(f"{self.directory}/shared")
        inspector.press("Tab")
        inspector.press("Return")
        inspector.wait_for("Time of Reads")
        inspector.show_page("Load Tester", "No Load Test Yet")
        inspector.choose("Preset", 5)  # overwrites
        self.set(inspector, "Records", 1000)
        self.set(inspector, "Bytes of a value", 1000)
        self.set(inspector, "Seconds", 3600)
        inspector.use("Start")
        inspector.wait_for("Working:")
        pathlib.Path(signal).touch()
        inspector.wait_for("No space left on device")
        inspector.picture("load-full")
        scratch = pathlib.Path(f"/proc/{inspector.process.pid}/root{self.scratch}")
        wait_for("that it is cleaned up", lambda: scratch.is_dir() and not list(scratch.iterdir()))
        wait_for("that it can be started", lambda: inspector.find("button", "Start").has_state(SENSITIVE))
        application.put(10)
        application.do("expect", "key00000019=value 19")
        status, output = inspector.close()
        self.assertEqual(status, 0)
        self.assertRegex(output.replace("\n", " "), "^.{0,20}lightning-inspector:[0-9]+\\): Ldb-WARNING .*No space left on device")

    def test_refusals(self):
        self.start().put(10)
        # What a crashed inspector left is removed by the next one; what is not ours stays.
        foreign = self.scratch / "database-others"
        (foreign / "data").mkdir(parents=True)
        crashing = self.open()
        self.set(crashing, "Seconds", 3600)
        crashing.use("Start")
        crashing.wait_for("Working:")
        crashing.process.kill()
        crashing.process.wait()
        self.assertEqual(len(self.left()), 2)
        inspector = self.open()
        wait_for("that it is removed", lambda: self.left() == [foreign])
        # Nothing to do.
        self.set(inspector, "Reads, %", 0)
        self.set(inspector, "Writes, %", 0)
        inspector.use("Start")
        inspector.wait_for("Give at least one kind of operation a share")
        inspector.use("Dismiss")
        # More than there is room for.
        inspector.choose("Preset", -9)
        self.set(inspector, "Records", 10000000)
        self.set(inspector, "Bytes of a value", 1048576)
        inspector.use("Start")
        inspector.wait_for("Choose fewer or smaller records, or make room")
        inspector.picture("load-error")
        # Stopped, by the button, and by leaving the page.
        self.set(inspector, "Bytes of a value", 100)
        self.set(inspector, "Records", 2000)
        self.set(inspector, "Seconds", 3600)
        inspector.use("Start")
        inspector.wait_for("Working:")
        inspector.use("Stop")
        wait_for("a result", lambda: len(inspector.rows("Load tests")) == 1)
        wait_for("that it can be started", lambda: inspector.find("button", "Start").has_state(SENSITIVE))
        inspector.use("Start")
        inspector.wait_for("Working:")
        inspector.show_page("Health", "Upkeep")
        wait_for("that it is cleaned up", lambda: self.left() == [foreign])
        # Closing ends it, too, and leaves nothing.
        inspector.press("Alt_L", "0")
        wait_for("that it can be started", lambda: inspector.find("button", "Start").has_state(SENSITIVE))
        inspector.use("Start")
        inspector.wait_for("Working:")
        self.assertEqual(inspector.close(), (0, ""))
        self.assertEqual(self.left(), [foreign])


if __name__ == "__main__":
    inspecting.main()
