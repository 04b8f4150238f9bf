# SPDX-License-Identifier: MIT
"""lightning-cli on databases of running applications: metrics, monitor, top, latency,
profile, slow, hotkeys. The application is a
shell of the tool's own that is told to be inspectable by its environment."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from command_line import DONE, FAILED, NEGATIVE, PROGRAM, CommandLineTest


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

    def share_counters(self):
        """What is counted can be read without the application where the runtime directory is in memory."""
        if not os.path.isdir("/dev/shm"):
            self.skipTest("no file system in memory")
        directory = tempfile.TemporaryDirectory(prefix="lightning-cli-", dir="/dev/shm")
        self.addCleanup(directory.cleanup)
        kind = subprocess.run(["stat", "-f", "-c", "%T", directory.name], capture_output=True, check=True).stdout
        if kind.strip() != b"tmpfs":
            self.skipTest("no file system in memory")
        self.runtime = self.environment["XDG_RUNTIME_DIR"] = directory.name

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
        self.assertEqual(len(lines), len(metrics) - 3)  # path, running, answers

    def test_prometheus(self):
        """The application's, though it is written by another process."""
        if b"--prometheus" not in self.run_live("metrics", "--help"):
            self.skipTest("built without the monitor")
        self.share_counters()
        shell = self.start_application()
        self.tell(shell, "put a 1", "put b 2", "get a")
        lines = self.run_live("metrics", self.database, "--prometheus").decode().splitlines()
        self.assertIn('lightning_db_operations_total{type="write"} 2', lines)
        self.assertIn("# TYPE lightning_db_up gauge", lines)

    def test_stopped(self):
        """What it counts in shared memory is shown, and said to be that."""
        self.share_counters()
        shell = self.start_application()
        self.tell(shell, "put a 1", "put b 2", "get a")
        whole = self.metrics()
        shell.send_signal(signal.SIGSTOP)
        said = self.run_raw("metrics", self.database, XDG_RUNTIME_DIR=self.runtime)
        part = self.metrics()
        shell.send_signal(signal.SIGCONT)
        self.assertEqual(said.returncode, DONE)
        self.assertIn(f"(process {shell.pid}) does not answer", said.stderr.decode())
        self.assertIn("is missing", said.stderr.decode())
        lines = dict(line.split(" ") for line in said.stdout.decode().splitlines())
        self.assertEqual((lines["puts"], lines["gets"]), ("2", str(whole["gets"])))
        self.assertNotIn("keys", lines)
        self.assertEqual((whole["answers"], part["answers"], part["running"]), (True, False, True))
        self.assertEqual(len(lines), len(part) - 3)
        for name, value in part.items():
            if name != "answers" and "memory" not in name:
                self.assertEqual(value, whole[name], name)
        self.assertGreater(part["memory_used"], 0)
        self.assertGreater(part["memory_budget"], part["memory_used"])

    def test_stopped_without_counters(self):
        shell = self.start_application()
        for name in os.listdir(os.path.join(self.runtime, "lightning-db-1")):
            if name.endswith(".counters"):
                os.unlink(os.path.join(self.runtime, "lightning-db-1", name))
        shell.send_signal(signal.SIGSTOP)
        said = self.run_raw("metrics", self.database, XDG_RUNTIME_DIR=self.runtime)
        shell.send_signal(signal.SIGCONT)
        self.assertEqual(said.returncode, FAILED)
        self.assertIn("does not answer; it may be stopped", said.stderr.decode())

    def test_closed(self):
        self.run_live("put", "--create", self.database, "a", "1")
        metrics = self.metrics()
        self.assertNotIn("answers", metrics)
        self.assertFalse(metrics["running"])
        self.assertEqual(metrics["puts"], 0)
        self.assertEqual(metrics["sequence"], 1)

    def test_wrong(self):
        self.run_live("metrics", self.path("nothing"), status=FAILED)
        self.run_live("metrics", status=FAILED)


def room_is_short(directory):
    """Then a database in it is not healthy, whatever the test does."""
    disk = os.statvfs(directory)
    available = disk.f_bavail * disk.f_frsize
    return available < 1 << 30 and available < disk.f_blocks * disk.f_frsize // 40


class Health(LiveTest):
    def setUp(self):
        super().setUp()
        if room_is_short(self.runtime):
            self.skipTest("the disk is almost full")

    def health(self, *arguments, status=DONE):
        return json.loads(self.run_live("health", self.database, "--json", *arguments, status=status))

    def test_closed(self):
        self.run_live("put", "--create", self.database, "a", "1")
        health = self.health()
        self.assertTrue(health["healthy"])
        os.chmod(self.database, 0o777)
        health = self.health(status=NEGATIVE)
        issue = next(issue for issue in health["issues"] if issue["id"] == "exposed")
        self.assertEqual(issue["severity"], "warning")
        self.assertEqual(issue["action"], "restrict-access")
        text = self.run_live("health", self.database, status=NEGATIVE).decode()
        self.assertIn("WARNING: Other users can get into the directory (mode 0777)", text)
        self.assertIn("“--apply exposed” does it.", text)
        self.assertIn("The database is not healthy", text)
        self.assertEqual(self.run_live("health", self.database, "-q", status=NEGATIVE), b"")
        self.run_live("health", self.database, "--apply", "nonsense", status=FAILED)
        self.assertTrue(self.health("--apply", "exposed")["healthy"])
        self.assertEqual(os.stat(self.database).st_mode & 0o777, 0o700)

    def test_running(self):
        self.start_application()
        os.chmod(self.database, 0o777)
        self.assertFalse(self.health(status=NEGATIVE)["healthy"])
        self.run_live("health", self.database, "--apply", "exposed", status=FAILED)  # no control
        os.chmod(self.database, 0o700)
        self.assertTrue(self.health()["healthy"])

    def test_wrong(self):
        self.run_live("health", self.path("nothing"), status=FAILED)
        self.run_live("health", status=FAILED)


class Events(LiveTest):
    def test_running(self):
        shell = self.start_application()
        self.tell(shell, "put a 1", "checkpoint")
        lines = [json.loads(line) for line in
                 self.run_live("events", self.database, "--json").splitlines()]
        self.assertEqual(lines[0]["kind"], "opened")
        self.assertEqual([line["number"] for line in lines], list(range(1, len(lines) + 1)))
        text = self.run_live("events", self.database).decode()
        self.assertIn("The database was opened", text)
        later = self.run_live("events", self.database, "--after", str(len(lines)))
        self.run_live("events", self.database, "--after", "-1", status=FAILED)
        self.assertNotIn(b"opened", later)

    def test_follow(self):
        self.start_application()
        events = self.start("events", self.database, "--follow", "--json")
        self.assertEqual(json.loads(events.stdout.readline())["kind"], "opened")
        os.chmod(self.database, 0o777)
        self.run_live("health", self.database, status=NEGATIVE)
        told = json.loads(events.stdout.readline())
        self.assertEqual(told["kind"], "health")
        self.assertIn("exposed", told["text"])
        events.send_signal(signal.SIGINT)
        self.assertEqual(events.wait(), DONE)

    def test_closed(self):
        self.run_live("put", "--create", self.database, "a", "1")
        self.run_live("events", self.database, status=FAILED)


class Timing(LiveTest):
    """latency, profile, slow, hotkeys."""

    def start_sampled(self):
        """An application in which each operation is timed."""
        shell = self.start("shell", "--create", self.database, "--option", "sampling-interval=1",
                           LIGHTNING_INSPECT="1")
        while not self.adverts():
            self.assertIsNone(shell.poll())
            time.sleep(0.01)
        return shell

    def test_latency(self):
        self.share_counters()
        shell = self.start_sampled()
        self.tell(shell, "put a 1", "put b 2", "get a")
        latency = json.loads(self.run_live("latency", self.database, "--json"))
        self.assertTrue(latency["running"])
        self.assertEqual(latency["nanoseconds"]["put"]["count"], 2)
        puts = latency["nanoseconds"]["put"]
        self.assertTrue(0 < puts["p50"] <= puts["p99"] <= puts["max"] <= puts["sum"])
        os.kill(shell.pid, signal.SIGSTOP)
        stopped = self.run_live("latency", self.database).decode()
        os.kill(shell.pid, signal.SIGCONT)
        self.assertRegex(stopped, r"(?m)^put +2 ")
        self.assertNotRegex(stopped, r"(?m)^delete ")

    def test_not_in_memory(self):
        """A runtime directory on a disk has no counters that could be read; the application is asked."""
        runtime = tempfile.TemporaryDirectory(prefix="lightning-cli-", dir=os.path.dirname(os.path.abspath(PROGRAM)))
        self.addCleanup(runtime.cleanup)
        self.runtime = self.environment["XDG_RUNTIME_DIR"] = runtime.name
        shell = self.start_sampled()
        self.tell(shell, "put a 1", "put b 2", "get a")
        names = os.listdir(os.path.join(runtime.name, "lightning-db-1"))
        if any(name.endswith(".counters") for name in names):
            self.skipTest("the build is in memory")
        latency = json.loads(self.run_live("latency", self.database, "--json"))
        self.assertTrue(latency["running"])
        self.assertEqual(latency["nanoseconds"]["put"]["count"], 2)
        self.assertGreater(self.profile_samples(shell), 0)

    def test_closed(self):
        lines = "".join(f'{{"id": {i}, "text": "v"}}\n' for i in range(500))
        self.create()
        self.run_cli("import", "json", self.write("lines", lines), self.database, "--key", "id", "-q")
        self.run_cli("checkpoint", self.database, "-q")
        profile = json.loads(self.run_live("profile", self.database, "--duration", "0.2", "--json"))
        self.assertFalse(profile["running"])
        self.assertGreater(profile["samples"], 0)
        self.assertAlmostEqual(sum(one["share"] for one in profile["categories"]), 1, places=6)
        names = [one["name"] for one in profile["categories"]]
        self.assertIn("Snapshot::visibility", names)
        self.assertNotIn("Log::append", names)
        shares = [one["share"] for one in profile["categories"]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        text = self.run_live("profile", self.database, "--duration", "0.2").decode()
        self.assertRegex(text, r"(?m)^  Snapshot::visibility +\d+\.\d%")
        latency = json.loads(self.run_live("latency", self.database, "--duration", "0.2", "--json"))
        self.assertGreater(latency["nanoseconds"]["get"]["count"], 0)

    def check_trace(self, *arguments, **expected):
        trace = json.loads(self.run_live("trace", self.database, *arguments, "--json",
                                         status=0 if expected["found"] else NEGATIVE))
        self.assertEqual({name: trace[name] for name in expected}, expected)
        self.assertEqual(sum(trace["steps"].values()), trace["nanoseconds"])
        self.assertGreater(trace["nanoseconds"], 0)
        return trace

    def test_trace(self):
        self.create()
        self.run_cli("put", self.database, "a", "value")
        self.run_cli("stores", self.database, "--create", "other")
        self.run_cli("put", self.database, "--store", "other", "b", "22")
        self.run_cli("compact", self.database, "-q")
        cold = self.check_trace("a", running=False, found=True, size=5, key="a", store="default", leaves=1)
        self.assertGreater(cold["steps"]["page_read"], 0)
        self.check_trace("62", "--store", "other", "--input", "hex", running=False, found=True, size=2, key="b",
                         store="other")
        self.check_trace("nothing", running=False, found=False, size=0)
        text = self.run_live("trace", self.database, "a").decode()
        self.assertRegex(text, r"(?m)^  page_read +[\d,]+ ns +\d+\.\d%$")
        self.assertRegex(text, r"(?m)^  total +[\d,]+ ns  100\.0%$")
        self.assertIn("Found, with a value of 5 bytes. Filters asked: ", text)
        self.assertIn("Not found.", self.run_live("trace", self.database, "b", status=NEGATIVE).decode())
        self.run_live("trace", self.database, status=FAILED)
        self.run_live("trace", self.database, "a", "--store", "none", status=FAILED)
        shell = self.start_sampled()
        self.tell(shell, "get a")
        warm = self.check_trace("a", running=True, found=True, size=5)
        self.assertEqual(warm["steps"]["page_read"], 0)
        self.check_trace("b", "--store", "other", running=True, found=True, size=2)
        self.check_trace("b", running=True, found=False)
        self.run_live("trace", self.database, "a", "--store", "none", status=FAILED)

    def profile_samples(self, shell):
        """How many of the puts that fall into the time it saw."""
        for _ in range(100):  # one does sooner or later
            profile = self.start("profile", self.database, "--json", "--duration", "0.2")
            while profile.poll() is None:
                self.tell(shell, "put a 1")
            told = json.loads(profile.stdout.read())
            if told["samples"] > 0:
                break
        self.assertTrue(told["running"])
        self.assertAlmostEqual(sum(one["share"] for one in told["categories"]), 1, places=6)
        return told["samples"]

    def test_profile_running(self):
        self.share_counters()
        shell = self.start_sampled()
        self.assertIn("Nothing was sampled", self.run_live("profile", self.database, "--duration", "0.1").decode())
        self.assertGreater(self.profile_samples(shell), 0)

    def test_hotkeys(self):
        shell = self.start_sampled()
        self.tell(shell, *["get often"] * 5, "get once", "put often 1", "begin", "put often 2", "commit")
        reads = [json.loads(line) for line in self.run_live("hotkeys", self.database, "--json").splitlines()]
        often = next(one for one in reads if one["key"] == "often")
        self.assertEqual((often["count"], often["uncertainty"], often["store"]), (5, 0, "default"))
        self.assertAlmostEqual(often["share"], 5 / often["total"], places=5)
        writes = self.run_live("hotkeys", self.database, "--kind", "writes").decode().splitlines()
        self.assertRegex(writes[1], r"^100\.00% ± 0\.00  often$")
        conflicts = self.run_live("hotkeys", self.database, "--kind", "conflicts").decode()
        self.assertEqual(conflicts, "No commit was in conflict.\n")
        self.assertEqual(len(self.run_live("hotkeys", self.database, "--limit", "1").splitlines()), 2)
        self.run_live("hotkeys", self.database, "--kind", "cold", status=FAILED)

    def test_slow(self):
        shell = self.start_application()
        self.tell(shell, "put a 1")
        for line in self.run_live("slow", self.database, "--json").splitlines():
            operation = json.loads(line)  # whatever this machine was slow at
            self.assertGreaterEqual(operation["nanoseconds"], 10_000_000)
        self.run_live("slow", self.database, "--after", "1000000")
        self.assertIn("No operation", self.run_live("slow", self.database, "--after", "1000000").decode())

    def test_not_shared(self):
        self.create()
        for key in "abc":
            self.put(key, "value")
        slow = self.run_live("slow", self.database, "--duration", "0.1").decode().splitlines()
        self.assertIn("read at random for 0.1 s", slow[0])
        self.assertEqual(self.run_live("slow", self.database, "--duration", "0.1", "--after", "1000000", "--json"), b"")
        hot = [json.loads(line) for line in
               self.run_live("hotkeys", self.database, "--duration", "0.2", "--json").splitlines()]
        self.assertGreater(len(hot), 1)
        self.assertGreater(hot[0]["count"], 0)
        self.assertGreaterEqual(hot[0]["total"], sum(key["count"] - key["uncertainty"] for key in hot))
        shown = self.run_live("hotkeys", self.database, "--duration", "0.2", "--limit", "1").decode()
        self.assertRegex(shown, r"(?s)read at random for 0.2 s.*Of [0-9,]+ keys")
        writes = self.run_live("hotkeys", self.database, "--duration", "0.1", "--kind", "writes")
        self.assertIn("Nothing was sampled", writes.decode())
        for command in ("slow", "hotkeys", "profile", "latency"):
            self.run_live(command, self.database, "--duration", "0", status=FAILED)
            self.run_live(command, self.path("nothing"), status=FAILED)
        self.run_live("slow", self.database, "--after", "-1", status=FAILED)
        self.run_live("hotkeys", self.database, "--limit", "-1", status=FAILED)


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

    def test_reader_leaves(self):
        """Who reads no more wants nothing more; that is not a full disk."""
        shell = self.start_application()
        monitor, _ = self.follow()
        self.tell(shell, "put a 1")
        self.assertEqual(monitor.stdout.readline(), b"1\tput\tdefault\ta\n")
        monitor.stdout.close()
        self.tell(shell, "put b 2")
        self.assertEqual(monitor.stderr.read(), b"")
        self.assertEqual(monitor.wait(), -signal.SIGPIPE)

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

    def test_dropped(self):
        """Who does not read for ten seconds is dropped; that is no end of what there is to be told."""
        shell = self.start_application()
        monitor, _ = self.follow("--values")
        events = self.start("events", self.database, "--follow")
        self.assertIn(b"opened", events.stdout.readline())
        said = b""
        while monitor.poll() is None:
            monitor.send_signal(signal.SIGSTOP)
            for key in range(200):
                self.tell(shell, f"put {key} {str(time.monotonic()) * 1000}")
            time.sleep(11)
            monitor.send_signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                _, said = monitor.communicate(timeout=5)
        self.assertEqual(monitor.returncode, FAILED)
        self.assertIn(b"has ended the connection", said)
        self.assertIsNone(events.poll())  # nothing waited for it
        shell.stdin.close()
        self.assertEqual(shell.wait(), DONE)
        self.assertEqual(events.wait(), DONE)
        shell.stdin = None

    def test_interrupt(self):
        self.start_application()
        monitor, _ = self.follow()
        monitor.send_signal(signal.SIGINT)
        self.assertEqual(monitor.wait(), DONE)


class Storage(LiveTest):
    """What looks at how a database lies on the disk is asked of the application: a reader beside it would be
    read-only, and has written nothing."""

    def setUp(self):
        super().setUp()
        self.shell = self.start_application()
        self.tell(self.shell, "put a 1", "put b " + "b" * 3000, "compact", "put a 22")

    def look(self, *arguments):
        return json.loads(self.run_live(*arguments, "--json"))

    def test_map(self):
        map_ = self.look("storage", self.database)
        memory = next(part for part in map_["database"]["parts"] if part["name"] == "memtables")
        self.assertEqual(memory["records"], 1)  # the second “a”
        self.assertEqual(map_["sequence"], 3)
        self.assertIn("in memory", self.run_live("storage", self.database).decode())
        segment = next(run["parts"][0]["number"] for level in map_["database"]["parts"]
                       if level["kind"] == "level" for run in level["parts"])
        lines = self.run_live("storage", self.database, "--segment", str(segment), "--read", "--json").splitlines()
        page = json.loads(lines[0])
        self.assertGreater(page["records"], 0)
        contents = self.look("storage", self.database, "--segment", str(segment), "--page", "0")
        self.assertGreater(contents["records"], 0)
        self.assertTrue(contents["decoded_hex"])

    def test_locate(self):
        lines = self.run_live("storage", self.database, "--locate", "a", "--json").splitlines()
        places = [json.loads(line) for line in lines]
        self.assertEqual([its["verdict"] for its in places], ["found", "found"])
        self.assertEqual([its["decides"] for its in places], [True, False])
        self.run_live("storage", self.database, "--locate", "nothing", status=NEGATIVE)
        self.run_live("storage", self.database, "--locate", "a", "--store", "nowhere", status=FAILED)

    def test_bigkeys(self):
        sizes = self.look("bigkeys", self.database)
        self.assertEqual((sizes["store"], sizes["records"], sizes["share"]), ("default", 2, 1))
        self.assertEqual(sizes["biggest"][0], {"key": "b", "size": 3000})
        self.assertEqual(self.look("bigkeys", self.database, "--limit", "1001")["records"], 2)
        self.assertEqual(self.look("bigkeys", self.database, "--prefix", "a")["records"], 1)
        self.run_live("bigkeys", self.database, "--store", "nowhere", status=FAILED)

    def test_stopped(self):
        """A stopped application does not answer: that is said at once, and its files are read."""
        self.shell.send_signal(signal.SIGSTOP)
        try:
            result = self.run_raw("storage", self.database, "--json", XDG_RUNTIME_DIR=self.runtime)
            events = self.run_raw("events", self.database, XDG_RUNTIME_DIR=self.runtime)
        finally:
            self.shell.send_signal(signal.SIGCONT)
        self.assertEqual(result.returncode, DONE)
        said = result.stderr.decode()
        self.assertIn(f"(process {self.shell.pid}) does not answer; it may be stopped", said)
        self.assertIn("Its files are read", said)
        self.assertIn(json.loads(result.stdout)["sequence"], (2, 3))
        self.assertEqual(events.returncode, FAILED)  # which only it knows
        self.assertIn("does not answer", events.stderr.decode())

    def test_report(self):
        report = self.look("report", self.database)
        self.assertEqual((report["path"], report["read_only"]), (self.database, False))
        self.assertEqual(report["stats"]["puts"], 3)
        self.assertEqual(report["options"]["wal-sync-mode"], "async")
        self.assertIn("issues", report["health"])
        self.assertIn("for writing", self.run_live("report", self.database).decode())
        self.assertIn("<h2>Health</h2>", self.run_live("report", self.database, "--format", "html").decode())
        for other in (("--format", "html"), ("--format", "text"), ("--output", self.path("report.html"))):
            said = self.run_raw("report", self.database, "--json", *other, XDG_RUNTIME_DIR=self.runtime)
            self.assertEqual((said.returncode, said.stdout), (FAILED, b""))
            self.assertIn("give one of them", said.stderr.decode())
        self.assertFalse(os.path.exists(self.path("report.html")))
        self.assertIn("issues", self.look("report", self.database, "--format", "json")["health"])

    def test_inspect(self):
        looked = self.look("inspect", self.database, "--count")
        self.assertEqual((looked["path"], looked["stores"]["default"]), (self.database, 2))
        self.assertEqual(self.look("stat", self.database)["keys"], looked["keys"])


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

    def test_unsafe_folder(self):
        """It is not used, neither by applications nor here; that is no reason to say that there are none."""
        self.run_live("put", "--create", self.database, "a", "1")
        folder = os.path.join(self.runtime, "lightning-db-1")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        for command in (("top", "--count", "1"), ("top", "--json"), ("hotkeys", self.database),
                        ("events", self.database)):
            with self.subTest(command):
                said = self.run_raw(*command, XDG_RUNTIME_DIR=self.runtime)
                self.assertEqual((said.returncode, said.stdout), (FAILED, b""))
                self.assertIn(f'"{folder}" is another user\'s or open to others', said.stderr.decode().replace("\\", ""))
                self.assertIn("set its mode to 0700", said.stderr.decode())
        os.rmdir(folder)
        os.symlink(self.path("elsewhere"), folder)
        os.mkdir(self.path("elsewhere"), 0o700)
        said = self.run_raw("top", "--count", "1", XDG_RUNTIME_DIR=self.runtime)
        self.assertEqual(said.returncode, FAILED)
        self.assertIn("is a link or a file, and has to be a folder; remove it", said.stderr.decode())
        os.unlink(folder)
        self.assertIn(b"No running application", self.run_live("top", "--count", "1", "--interval", "0.05"))

    def test_counts(self):
        for command in ("top", "monitor"):
            for count in ("-1", "0"):
                with self.subTest(command, count=count):
                    said = self.run_raw(command, self.database, "--count", count, XDG_RUNTIME_DIR=self.runtime)
                    self.assertEqual(said.returncode, FAILED)
                    self.assertIn("1 or more; without it there is no end", said.stderr.decode())

    def test_table(self):
        shell = self.start_application()
        self.tell(shell, "put a 1")
        self.run_live("top", "--count", "1", "--interval", "nan")
        self.run_live("top", "--count", "1", "--interval", "-1", status=FAILED)
        table = self.run_live("top", "--count", "1", "--interval", "0.05", self.database).decode()
        head, row = table.splitlines()
        self.assertTrue(head.startswith("PROGRAM"))
        self.assertTrue(row.startswith("lightning-cli"))
        self.assertIn(self.database, row)
        nobody = self.run_live("top", "--count", "1", "--interval", "0.05", "/nowhere").decode()
        self.assertIn("No running application", nobody)

    def test_small_terminal(self):
        """No line is longer than the terminal is wide, and no table longer than it is high."""
        for i in range(5):
            shell = self.start("shell", "--create", self.path(f"{i}.db"), LIGHTNING_INSPECT="1")
            while len(self.adverts()) <= i:
                self.assertIsNone(shell.poll())
                time.sleep(0.01)
        table = self.show_on_terminal(lines=6, columns=20)
        self.assertEqual(len(table), 5)
        self.assertEqual(table[-1], "  and 2 more")
        self.assertEqual({len(line) for line in table[:-1]}, {20})
        self.assertEqual(len(self.show_on_terminal(lines=7, columns=200)), 6)
        self.assertEqual(len(self.show_on_terminal(lines=1, columns=1)), 3)
        table = self.show_on_terminal(lines=0, columns=0)  # a terminal that does not know
        self.assertEqual(len(table), 6)
        self.assertTrue(all(line.endswith(".db") for line in table[1:]))

    def show_on_terminal(self, lines, columns):
        """What top shows on one, line by line."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        subprocess.run([PROGRAM, "top", "--count", "1", "--interval", "0.1"], stdin=theirs, stdout=theirs,
                       check=True, env=self.environment)
        os.close(theirs)
        shown = b""
        with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # EIO: that was all
            while part := terminal.read(65536):
                shown += part
        return shown.decode().removeprefix("\033[H\033[J").splitlines()

    def test_names_that_steer(self):
        """Of a path that an application chose, a terminal obeys nothing, nor is it more than one line."""
        self.database = self.path("evil\x1b]0;title\x07\u009b31m\nPROGRAM")
        self.start_application()
        for arguments in (("top", "--count", "1", "--interval", "0.05"), ("inspect", self.database, "--verbose"),
                          ("report", self.database), ("report", self.database, "--json"), ("metrics", self.database, "--json"),
                          ("health", self.database, "--apply", "a\x1bb")):
            told = self.run_raw(*arguments, XDG_RUNTIME_DIR=self.runtime)
            for letter in "\x1b\x07\u009b":
                self.assertNotIn(letter, (told.stdout + told.stderr).decode(), arguments)
        table = self.run_live("top", "--count", "1", "--interval", "0.05").decode()
        self.assertEqual(len(table.splitlines()), 2)
        self.assertIn("evil\\x1b]0;title\\x07\\xc2\\x9b31m\\x0aPROGRAM", table)


if __name__ == "__main__":
    unittest.main()
