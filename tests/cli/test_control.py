# SPDX-License-Identifier: MIT
"""What lightning-cli has a running application do: memory, compact, checkpoint, backup. The application is
the one of the library's own tests, which opens db-0 and does what it is told."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess

import command_line
from command_line import DONE, FAILED, LOCKED
from test_live import LiveTest

MIB = 1 << 20


class ControlTest(LiveTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("application"))
        self.database = self.path("application/db-0")
        self.application = subprocess.Popen(
            [os.environ["LIGHTNING_APPLICATION"], "--application", self.path("application")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=self.environment)
        self.addCleanup(self.end, self.application)
        self.assertEqual(self.application.stdout.readline(), b"ok\n")
        self.order("open 0")

    def order(self, line):
        self.application.stdin.write(f"{line}\n".encode())
        self.assertEqual(self.application.stdout.readline(), b"ok\n", line)

    def quit(self):
        self.application.communicate()
        self.assertEqual(self.application.returncode, 0)

    def live_json(self, *arguments):
        return json.loads(self.run_live(*arguments, "--json"))

    def refuse(self, *arguments, status=FAILED):
        made = self.run_raw(*arguments, XDG_RUNTIME_DIR=self.runtime)
        self.assertEqual(made.returncode, status, (arguments, made.stdout, made.stderr))
        self.assertEqual(made.stdout, b"")
        return made.stderr.decode()


class Memory(ControlTest):
    def test_looks(self):
        self.order("fill 0")
        memory = self.live_json("memory", self.database)
        parts = [bytes for name, bytes in memory.items()
                 if name not in ("memory_budget_bytes", "memory_used_bytes")]
        self.assertEqual(memory["memory_budget_bytes"], 64 * MIB)
        self.assertEqual(memory["memory_used_bytes"], sum(parts))
        self.assertEqual(len(parts), 9)
        self.assertGreater(memory["memory_memtable_bytes"], 0)
        lines = self.run_live("memory", self.database).decode().splitlines()
        self.assertEqual(len(lines), 11)
        self.assertRegex(lines[-1], r"^Memory budget +67\.1 MB  100\.0 % █{30}$")
        self.assertEqual(self.run_live("memory", self.database, "--quiet"), b"")

    def test_budget(self):
        self.assertIn("control-allowed", self.refuse("memory", self.database, "--budget", "32MiB"))
        self.assertEqual(self.live_json("memory", self.database)["memory_budget_bytes"], 64 * MIB)
        self.order("allow 0")
        changed = self.live_json("memory", self.database, "--budget", "32MiB")
        self.assertEqual(changed["memory_budget_bytes"], 32 * MIB)
        self.assertEqual(self.live_json("memory", self.database), changed)
        self.assertIn("1048576", self.refuse("memory", self.database, "--budget", "1MiB"))
        self.assertIn("“much”", self.refuse("memory", self.database, "--budget", "much"))
        # What is wrong with one keeps the other from being done.
        self.refuse("memory", self.database, "--budget", "16MiB", "--evict", "half")
        self.assertEqual(self.live_json("memory", self.database)["memory_budget_bytes"], 32 * MIB)

    def test_evict(self):
        self.order("allow 0")
        self.order("fill 0")
        self.run_live("checkpoint", self.database)
        self.run_live("compact", self.database)
        self.run_live("trace", self.database, "key-0001")  # reads a page
        full = self.live_json("memory", self.database)["memory_cache_bytes"]
        empty = self.live_json("memory", self.database, "--evict", "100%")["memory_cache_bytes"]
        self.assertLess(empty, full)
        for wrong in ("101", "-1", "50%%", "", "nan"):
            self.assertIn(f"“{wrong}”", self.refuse("memory", self.database, f"--evict={wrong}"))

    def test_shell(self):
        self.quit()
        lines = "memory --budget 16MiB --quiet\nmemory --json\nmemory --budget 1 -q\n"
        made = self.run_raw("shell", self.database, stdin=lines.encode())
        self.assertEqual(json.loads(made.stdout)["memory_budget_bytes"], 16 * MIB)
        self.assertEqual(made.returncode, FAILED)

    def test_closed(self):
        self.quit()
        message = self.refuse("memory", self.database)
        self.assertIn(self.database, message)
        self.assertIn("cache-size", message)
        self.refuse("memory")


class Upkeep(ControlTest):
    def test_refused(self):
        for command in (("compact",), ("checkpoint",), ("backup", self.path("backup"))):
            message = self.refuse(command[0], self.database, *command[1:], status=LOCKED)
            self.assertIn("control-allowed", message)
        # What sets options opens it here, or not at all.
        self.order("allow 0")
        message = self.refuse("compact", self.database, "-o", "cache-size=16MiB", status=LOCKED)
        self.assertNotIn("control-allowed", message)

    def test_done_there(self):
        self.order("allow 0")
        self.order("fill 0")
        self.run_live("checkpoint", self.database)
        events = self.run_live("events", self.database, "--json").splitlines()
        self.assertEqual([json.loads(line)["kind"] for line in events], ["opened", "flushed"])
        self.order("put 0 another key")
        self.run_live("compact", self.database)
        self.assertEqual(self.live_json("metrics", self.database)["runs"], 1)

    def test_backup(self):
        self.order("allow 0")
        self.order("fill 0")
        # The application works in another directory than the command.
        made = subprocess.run(
            [command_line.PROGRAM, "backup", self.database, "backup", "--json"], cwd=self.directory,
            env=self.environment, capture_output=True, check=True)
        self.assertEqual(json.loads(made.stdout)["sequence"], 2500)
        self.assertEqual(self.run_cli("scan", self.path("backup"), "--count"), b"2500\n")
        self.run_cli("check", self.path("backup"), "--deep")

    def interrupt_stopped(self):
        """Ctrl+C in a backup of an application that was stopped meanwhile; None: it was too quick for that."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        backup = subprocess.Popen([command_line.PROGRAM, "backup", self.database, self.path("backup")],
                                  env=self.environment, stdout=subprocess.PIPE, stderr=theirs)
        self.addCleanup(self.end, backup)
        os.close(theirs)
        if ours not in select.select([ours, backup.stdout], [], [])[0]:
            return None
        self.application.send_signal(signal.SIGSTOP)  # it has told how far it is
        try:
            if select.select([backup.stdout], [], [], 0.5)[0]:
                return None
            backup.send_signal(signal.SIGINT)
            backup.wait(600)
            return backup.returncode
        finally:
            self.application.send_signal(signal.SIGCONT)

    def test_interrupted_while_stopped(self):
        self.order("allow 0")
        self.order("close 0")
        rows = "".join(f"key{i},{os.urandom(400).hex()}\n" for i in range(50000))
        self.run_cli("import", "csv", self.write("rows", "k,v\n" + rows), self.database, "-q")
        self.order("open 0")
        self.order("allow 0")
        for _ in range(100):
            if (status := self.interrupt_stopped()) is not None:
                break
            shutil.rmtree(self.path("backup"))
        self.assertEqual(status, FAILED)

    def test_not_shared(self):
        self.quit()
        self.run_live("compact", self.database, status=DONE)
        self.run_live("backup", self.database, self.path("backup"), status=DONE)


if __name__ == "__main__":
    command_line.main()
