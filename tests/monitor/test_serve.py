# SPDX-License-Identifier: MIT
"""lightning-cli serve: its options, its end, and a database that another process writes to meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import monitor


class Serve(monitor.MonitorTest):
    def test_ports(self):
        server = self.serve("--metrics-port", "0", "--port", "0")
        self.assertEqual(len(server.uris), 2)
        for uri in server.uris:
            self.assertTrue(uri.startswith("http://127.0.0.1:"), uri)
        self.assertEqual(server.ask("/metrics", place=0)[0], 200)
        self.assertEqual(server.ask("/health", place=0)[0], 404)
        self.assertEqual(server.ask("/metrics", place=1)[0], 404)
        health = json.loads(server.ask("/health", place=1)[2])
        self.assertEqual((health["status"], health["issues"]), ("healthy", []))
        self.assertEqual(server.ask("/ready", place=1)[0], 200)
        stats = json.loads(server.ask("/stats.json", place=1)[2])
        self.assertEqual((stats["keys"], stats["read_only"], stats["open"]), (1, True, True))

    def test_health(self):
        """What is wrong, though not badly, is told with the status of success, and without a path."""
        server = self.serve_socket()
        for path in (self.database, *(its.path for its in os.scandir(self.database))):
            os.chmod(path, 0o755)
        status, _, body = server.ask("/health")
        health = json.loads(body)
        self.assertEqual((status, health["status"]), (200, "degraded"))
        issue = next(its for its in health["issues"] if its["id"] == "exposed")
        self.assertEqual(issue["severity"], "warning")
        self.assertGreater(issue["evidence"]["files"], 0)
        self.assertIn("0700", issue["remedy"])
        self.assertNotIn(str(self.directory), body)
        self.assertEqual(server.ask("/ready")[0], 200)

    def test_events(self):
        server = self.serve_socket()
        with server.connect() as connection:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n")
            text = b""
            while b"event: opened" not in text:
                text += connection.recv(4096)
            os.chmod(self.database, 0o755)
            self.assertEqual(server.ask("/health")[0], 200)
            while b"event: health" not in text or not text.endswith(b"\n\n\r\n"):
                text += connection.recv(4096)
            self.assertIn(b'"kind":"health"', text)
            self.assertIn(b"exposed", text)
            self.assertNotIn(str(self.directory).encode(), text)
        self.assertEqual(server.ask("/events", method="HEAD")[0], 200)
        self.assertEqual(server.ask("/events", method="POST")[0], 405)
        self.assertEqual(server.ask("/events", host="evil.example")[0], 421)

    def test_live(self):
        """Of an application that shares what it counts the metrics are the application's."""
        runtime = self.directory / "runtime"
        runtime.mkdir(0o700)
        directory = tempfile.mkdtemp(prefix="ldb-monitor-", dir="/dev/shm") if os.path.isdir("/dev/shm") else str(runtime)
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        environment = {"XDG_RUNTIME_DIR": directory, "LIGHTNING_INSPECT": "1"}
        writer = subprocess.Popen([monitor.PROGRAM, "shell", self.database], stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        self.addCleanup(writer.kill)
        monitor.wait_for(lambda: any(its.endswith(".database") for its in os.listdir(f"{directory}/lightning-db-1"))
                         if os.path.isdir(f"{directory}/lightning-db-1") else False)
        server = self.serve_socket(XDG_RUNTIME_DIR=directory)
        body = server.ask("/metrics")[2]
        if "lightning_db_commits_total" not in body:
            self.skipTest("there is no memory file system for counters")
        before = server.metric("lightning_db_commits_total")
        for number in range(3):
            print("put", f"key{number}", "value", file=writer.stdin, flush=True)
        monitor.wait_for(lambda: server.metric("lightning_db_commits_total") == before + 3)
        self.assertEqual(server.metric('lightning_db_operations_total{type="write"}'), before + 3)
        for number in range(3):
            print("get", f"key{number}", file=writer.stdin, flush=True)
        monitor.wait_for(lambda: server.metric('lightning_db_operations_total{type="read"}') == 3)
        self.assertEqual(server.metric("lightning_db_cache_hits_total"), 3)  # the memtable's
        self.assertEqual(server.metric("lightning_db_cache_misses_total"), 0)
        os.kill(writer.pid, signal.SIGSTOP)  # what a stopped one counted is there all the same
        self.assertEqual(server.metric("lightning_db_commits_total"), before + 3)
        self.assertEqual(json.loads(server.ask("/stats.json")[2])["commits"], before + 3)
        writer.kill()
        writer.wait()
        writer.stdin.close()
        self.assertNotIn("lightning_db_commits_total", server.ask("/metrics")[2])

    def test_ipv6(self):
        try:
            with monitor.socket.create_server(("::1", 0), family=monitor.socket.AF_INET6):
                pass
        except OSError:
            self.skipTest("there is no IPv6 here")
        server = self.serve("--address", "::1", "--metrics-port", "0", "--port", "-1")
        self.assertTrue(server.uris[0].startswith("http://[::1]:"), server.uris)
        self.assertEqual(server.ask("/metrics", host="[::1]")[0], 200)

    def test_ends(self):
        """By SIGTERM and SIGINT, with its socket gone and the status of success."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                server = self.serve_socket()
                path = server.uris[0].removeprefix("unix:")
                held = server.connect()
                self.assertEqual(server.ask("/ready")[0], 200)
                self.assertTrue(os.path.exists(path))
                self.assertEqual(server.stop(number), 0)
                self.assertFalse(os.path.exists(path))
                held.close()
                self.assertEqual(server.log(), "")

    def test_killed(self):
        """What is left of it is taken over."""
        server = self.serve_socket()
        self.assertEqual(server.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.exists(server.uris[0].removeprefix("unix:")))
        self.assertEqual(self.serve_socket().ask("/ready")[0], 200)

    def test_output(self):
        for arguments, expected in (((), "Listening on unix:"), (("--quiet",), "")):
            process = subprocess.Popen(
                [monitor.PROGRAM, "serve", self.database, "--socket", str(self.directory / "s"), *arguments],
                stdout=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.kill)
            if expected:
                self.assertIn(expected, process.stdout.readline())
            else:
                monitor.wait_for(lambda: os.path.exists(self.directory / "s"))
            process.terminate()
            self.assertEqual(process.stdout.read(), "")
            self.assertEqual(process.wait(monitor.PATIENCE), 0)

    def test_environment(self):
        server = self.serve("--port", "-1", LIGHTNING_DB_METRICS_PORT="0")
        self.assertEqual(server.ask("/metrics")[0], 200)
        server = self.serve("--port", "-1", "--metrics-port", "0", LIGHTNING_DB_METRICS_PORT="ninety")
        self.assertEqual(server.ask("/metrics")[0], 200)
        for text in ("ninety", "70000", "-1", ""):
            self.assertIn("LIGHTNING_DB_METRICS_PORT", self.run_cli(
                "serve", self.database, "--port", "-1", status=2, LIGHTNING_DB_METRICS_PORT=text))

    def test_mistakes(self):
        readable = self.write("readable", "0123456789abcdef", 0o644)
        empty = self.write("empty", "")
        for arguments, word in (
                (("--port", "70000"), "--port"), (("--port", "-3"), "--port"), (("--metrics-port", "x"), "metrics-port"),
                (("--max-connections", "0"), "--max-connections"), (("--max-requests", "-1"), "--max-requests"),
                (("--timeout", "301"), "--timeout"), (("--address", "localhost"), "numeric"),
                (("--port", "-1", "--metrics-port", "-1"), "-1"), (("--tls-key", empty), "--tls-certificate"),
                (("--tls-certificate", empty, "--tls-key", empty), "PEM"), (("--token-file", readable), "chmod 600"),
                (("--token-file", empty), "16"), (("--token-file", "/nowhere/token"), "/nowhere/token"),
                (("--socket", "/nowhere/socket"), "/nowhere/socket"), (("--socket", self.database), "something else"),
                (("--nonsense",), "--nonsense"), (("another.db",), "another.db")):
            with self.subTest(arguments):
                self.assertIn(word, self.run_cli("serve", self.database, *arguments, status=2))
        self.assertIn("nowhere", self.run_cli("serve", str(self.directory / "nowhere.db"), status=2))

    def test_beside_the_writer(self):
        """The writer is not in its way, nor it in the writer's, and it sees what is committed."""
        server = self.serve_socket("--max-requests", "100000")
        before = server.metric("lightning_db_sequence")
        writer = subprocess.Popen([monitor.PROGRAM, "shell", self.database], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(writer.kill)
        for number in range(20):
            writer.stdin.write(f"put key-{number} value\n")
        writer.stdin.flush()
        monitor.wait_for(lambda: server.metric("lightning_db_sequence") == before + 20)
        self.run_cli("put", self.database, "refused", "value", status=3)
        # What the writer did is known to the writer only; it is left out rather than told wrongly.
        status, _, body = server.ask("/metrics")
        self.assertEqual(status, 200)
        self.assertNotIn('type="write"', body)
        self.assertNotIn("lightning_db_commits_total", body)
        writer.stdin.close()
        self.assertEqual(writer.wait(monitor.PATIENCE), 0)
        self.assertEqual(server.ask("/health")[0], 200)
        # Another one may write then.
        self.run_cli("put", self.database, "another", "value")
        monitor.wait_for(lambda: server.metric("lightning_db_sequence") == before + 21)

    def test_help(self):
        text = self.run_cli("serve", "--help")
        for option in ("--socket", "--address", "--metrics-port", "--port", "--tls-certificate", "--tls-key", "--tls-ca",
                       "--token-file", "--allow-host", "--max-connections", "--max-requests", "--timeout"):
            self.assertIn(option, text)
        self.assertIn("serve", self.run_cli("help"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
