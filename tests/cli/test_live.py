# SPDX-License-Identifier: MIT
"""lightning-cli on databases of running applications: metrics, monitor, top. The application is a
shell of the tool's own that is told to be inspectable by its environment."""

import json
import os
import signal
import subprocess
import time
import unittest

from command_line import DONE, FAILED, PROGRAM, CommandLineTest


class LiveTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.path("runtime")
        os.mkdir(self.runtime, 0o700)
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": self.runtime,
                            "XDG_STATE_HOME": self.path("state")}

    def start(self, *arguments, **environment):
        process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            bufsize=0, env={**self.environment, **environment})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_live(self, *arguments, status=DONE):
        return self.run_cli(*arguments, status=status, XDG_RUNTIME_DIR=self.runtime)

    def adverts(self):
        folder = os.path.join(self.runtime, "lightning-db-1")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [name for name in names if name.endswith(".database") and not name.startswith(".")]

    def start_application(self):
        """A shell that works on the database, and shares it."""
        shell = self.start("shell", "--create", self.database, LIGHTNING_INSPECT="1")
        while not self.adverts():
            self.assertIsNone(shell.poll())
            time.sleep(0.01)
        return shell

    def tell(self, shell, *lines):
        """Has it do something, and waits until that is done."""
        shell.stdin.write("".join(f"{line}\n" for line in (*lines, "get done")).encode())
        while b"done" not in shell.stderr.readline():
            pass

    def metrics(self):
        return json.loads(self.run_live("metrics", self.database, "--json"))


class Metrics(LiveTest):
    def test_running(self):
        shell = self.start_application()
        self.tell(shell, "put a 1", "put b 2", "get a")
        metrics = self.metrics()
        self.assertTrue(metrics["running"])
        self.assertEqual(metrics["puts"], 2)
        self.assertEqual(metrics["commits"], 2)
        lines = self.run_live("metrics", self.database).decode().splitlines()
        self.assertIn("puts 2", lines)
        self.assertEqual(len(lines), len(metrics) - 2)

    def test_closed(self):
        self.run_live("put", "--create", self.database, "a", "1")
        metrics = self.metrics()
        self.assertFalse(metrics["running"])
        self.assertEqual(metrics["puts"], 0)
        self.assertEqual(metrics["sequence"], 1)

    def test_wrong(self):
        self.run_live("metrics", self.path("nothing"), status=FAILED)
        self.run_live("metrics", status=FAILED)


class Monitor(LiveTest):
    def follow(self, *arguments):
        monitor = self.start("monitor", self.database, *arguments)
        return monitor, monitor.stderr.readline().decode().strip()

    def test_running(self):
        shell = self.start_application()
        monitor, said = self.follow("--values", "--json", "--count", "3")
        self.assertEqual(said, "Following the application that has it open")
        self.tell(shell, "put a 1", "put b \\x00", "del a", "put c 3", "put d 4")
        changes = [json.loads(line) for line in monitor.stdout]
        self.assertEqual(monitor.wait(), DONE)
        self.assertEqual(len(changes), 3)
        self.assertTrue(all(change["store"] == "default" for change in changes))
        self.assertLessEqual({change["change"] for change in changes}, {"put", "delete"})

    def test_prefix(self):
        shell = self.start_application()
        monitor, _ = self.follow("--prefix", "user:", "--count", "1", "--values")
        self.tell(shell, "put a 1", "put user:1 Ada")
        self.assertEqual(monitor.stdout.read(), b"2\tput\tdefault\tuser:1\tAda\n")
        self.assertEqual(monitor.wait(), DONE)

    def test_files(self):
        """What is not shared is followed beside the application."""
        shell = self.start("shell", "--create", self.database)
        self.tell(shell, "put a 1")
        monitor, said = self.follow("--count", "1")
        self.assertEqual(said, "Following the files")
        self.tell(shell, "put b 2")
        self.assertEqual(monitor.stdout.read(), b"2\tput\tdefault\tb\n")
        self.assertEqual(monitor.wait(), DONE)

    def test_end(self):
        shell = self.start_application()
        monitor, _ = self.follow("--all-stores")
        shell.stdin.close()
        self.assertEqual(shell.wait(), DONE)
        self.assertEqual(monitor.wait(), DONE)
        shell.stdin = None

    def test_interrupt(self):
        self.start_application()
        monitor, _ = self.follow()
        monitor.send_signal(signal.SIGINT)
        self.assertEqual(monitor.wait(), DONE)


class Top(LiveTest):
    @staticmethod
    def look_until(top, wanted):
        while True:
            looked = json.loads(top.stdout.readline())
            if wanted(looked):
                return looked

    def test_running(self):
        shell = self.start_application()
        self.tell(shell, "put a 1")
        top = self.start("top", "--json", "--interval", "0.05")
        row, = self.look_until(top, lambda looked: looked and "commits_per_second" in looked[0])
        self.assertEqual(row["path"], self.database)
        self.assertEqual(row["program"], "lightning-cli")
        self.assertEqual(row["process"], shell.pid)
        self.assertEqual(row["puts"], 1)
        shell.send_signal(signal.SIGSTOP)
        row, = self.look_until(top, lambda looked: not looked[0]["answers"])
        self.assertEqual(row["puts"], 1)
        shell.kill()
        self.look_until(top, lambda looked: not looked)
        top.send_signal(signal.SIGINT)
        self.assertEqual(top.wait(), DONE)

    def test_table(self):
        shell = self.start_application()
        self.tell(shell, "put a 1")
        table = self.run_live("top", "--count", "1", "--interval", "0.05", self.database).decode()
        head, row = table.splitlines()
        self.assertTrue(head.startswith("PROGRAM"))
        self.assertTrue(row.startswith("lightning-cli"))
        self.assertIn(self.database, row)
        nobody = self.run_live("top", "--count", "1", "--interval", "0.05", "/nowhere").decode()
        self.assertIn("No running application", nobody)


if __name__ == "__main__":
    unittest.main()
