# SPDX-License-Identifier: MIT
"""What the monitor does with clients that mean it no good."""

import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import unittest

import monitor

TOKEN = "correct-horse-battery-staple"
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Hostile(monitor.MonitorTest):
    def assert_well(self, server):
        """It answers, and nothing of GLib's or a sanitizer's was printed."""
        self.assertEqual(server.ask("/health")[0], 200)
        for trouble in ("CRITICAL", "WARNING", "Sanitizer", "runtime error"):
            self.assertNotIn(trouble, server.log())

    def assert_logged(self, server, *reasons):
        """Each of them, but no line for each of many."""
        for reason in reasons:
            with self.subTest(reason):
                monitor.wait_for(lambda: f"({reason})" in server.log())
        self.assertLess(server.log().count("The monitor refused"), 60)

    # ---- who may ask ----

    def test_hosts(self):
        server = self.serve_socket("--allow-host", "Db.Example", "--max-requests", "10000")
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80",
                     "db.example", "DB.EXAMPLE:99", "127.1.2.3"):
            with self.subTest(host):
                self.assertEqual(server.ask("/health", host=host)[0], 200)
        for host in ("evil.example", "localhost.evil.example", "db.example.evil", "localhost:", "localhost:x",
                     "[::1", "[::1]x", "[]", ":80", "192.0.2.1", "0.0.0.0", "db.example:80:80", "a@localhost",
                     "localhost localhost", "2130706433", "localhost\\", "%6cocalhost"):
            with self.subTest(host):
                status, _, body = server.ask("/health", host=host)
                self.assertIn(status, (400, 421))
                self.assertNotIn("healthy", body)
        for head in (b"GET /health HTTP/1.1", b"GET /health HTTP/1.0",
                     b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
                     b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
                     b"GET http://evil.example/health HTTP/1.1\r\nHost: localhost",
                     b"GET http://localhost/health HTTP/1.1\r\nHost: evil.example",
                     b"GET //evil.example/health HTTP/1.1\r\nHost: localhost"):
            with self.subTest(head):
                status, _, body = monitor.parse(server.send(head + b"\r\n\r\n"))
                self.assertIn(status, (400, 404, 421))
                self.assertNotIn("healthy", body)
        self.assertGreater(server.metric('lightning_db_monitor_refusals_total{reason="host"}'), 10)
        self.assert_logged(server, "host")
        self.assert_well(server)

    def test_pages_of_others(self):
        server = self.serve_socket()
        for field in ("Origin: http://localhost", "Origin: null", "Origin: ", "oRIGIN: x",
                      "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"):
            with self.subTest(field):
                status, fields, _ = server.ask("/health", field)
                self.assertEqual(status, 403)
                self.assertFalse([name for name in fields if name.startswith("access-control")])
        self.assertEqual(server.ask("/health", "Sec-Fetch-Site: none")[0], 200)
        status, fields, _ = server.ask("/health", "Origin: http://a", "Access-Control-Request-Method: GET",
                                       method="OPTIONS")
        self.assertIn(status, (403, 405))
        self.assertNotIn("access-control-allow-origin", fields)
        self.assert_logged(server, "origin")

    def test_methods(self):
        server = self.serve_socket()
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "CONNECT", "PROPFIND", "X"):
            with self.subTest(method):
                status, fields, body = server.ask("/health", method=method)
                self.assertIn(status, (400, 405))
                self.assertNotIn("healthy", body)
                if status == 405:
                    self.assertEqual(fields["allow"], "GET, HEAD")
        self.assert_logged(server, "method")
        self.assertEqual(server.ask("*", method="OPTIONS")[0], 405)
        status, fields, body = server.ask("/health", method="HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertEqual(int(fields["content-length"]), len(server.ask("/health")[2]))

    def test_paths(self):
        server = self.serve_socket()
        for path in ("/", "/health/", "/Health", "/../health", "/x/../../etc/passwd", "/%2e%2e/etc/passwd", "//health",
                     "/health%00", "/health%2f", "/health;a", "/stats", "/metrics/../health/x",
                     "/" + "a" * 4000):
            with self.subTest(path):
                status, _, body = server.ask(path)
                self.assertIn(status, (400, 404) if path != "/../health" else (200, 400, 404))
                self.assertNotIn("root:", body)
        self.assert_logged(server, "path")
        self.assertEqual(server.ask("/health?verbose=1&x=%ff#y")[0], 200)
        self.assert_well(server)

    def test_token(self):
        file = self.write("token", TOKEN + "\n")
        server = self.serve_socket("--token-file", file, "--max-requests", "100000")
        self.assertEqual(server.ask("/health", f"Authorization: Bearer {TOKEN}")[0], 200)
        self.assertEqual(server.ask("/metrics", f"authorization: bearer {TOKEN}")[0], 200)
        for field in ("X: y", "Authorization:", "Authorization: Bearer", "Authorization: Bearer ", f"Authorization: {TOKEN}",
                      f"Authorization: Basic {TOKEN}", f"Authorization: Bearer {TOKEN}x",
                      f"Authorization: Bearer {TOKEN[:-1]}", f"Authorization: Bearer {TOKEN.upper()}",
                      f"Authorization: Bearer {TOKEN} {TOKEN}", "Authorization: Bearer " + "x" * 4000):
            for path in ("/health", "/metrics", "/ready", "/stats.json", "/nothing"):
                with self.subTest(field[:60], path=path):
                    status, fields, body = server.ask(path, field)
                    self.assertEqual(status, 401)
                    self.assertEqual(fields["www-authenticate"], "Bearer")
                    self.assertEqual(body, "Refused: token\n")
        self.assertEqual(server.ask("/health", "Authorization: Bearer wrong-wrong-wrong",
                                    f"Authorization: Bearer {TOKEN}")[0], 401)
        self.assertEqual(server.ask(f"/health?token={TOKEN}")[0], 401)
        self.assertEqual(server.stop(), 0)
        self.assertIn("(token)", server.log())
        self.assertNotIn(TOKEN, server.log())

    # ---- what they send ----

    def test_bodies(self):
        server = self.serve_socket()
        for fields in (b"Content-Length: 5", b"Content-Length: 99999999999", b"Content-Length: -1",
                       b"Content-Length: 0\r\nContent-Length: 5", b"Transfer-Encoding: chunked",
                       b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Transfer-Encoding: x",
                       b"Content-Length: 5\r\nExpect: 100-continue", b"Expect: 100-continue"):
            with self.subTest(fields):
                answer = server.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n\r\nabcde")
                self.assertIn(monitor.parse(answer)[0], (400, 413, 501))
                self.assertEqual(answer.count(b"HTTP/1."), 1)
                self.assertNotIn(b"100 Continue", answer)
        self.assert_logged(server, "body")
        self.assertEqual(server.ask("/health", "Content-Length: 0")[0], 200)
        self.assert_well(server)

    def test_bodies_that_libsoup_warns_of(self):
        """A length below zero, however it is written: where a warning ends the program it goes on, too."""
        server = self.serve_socket("--max-requests", "100", G_DEBUG="fatal-warnings")
        before = server.descriptors()
        starts = (b"GET /health HTTP/1.1", b"GET /health HTTP/1.0", b"POST /health HTTP/1.1", b"OPTIONS * HTTP/1.1",
                  b"GET /%2e%2e/health HTTP/1.1", b"GET /x/%2e%2e/y HTTP/1.1", b"GET https://localhost/ HTTP/1.1",
                  b"GET /health HTTP/1.1\r\nExpect: 100-continue")
        for length in (b"-5", b"18446744073709551611", b"-9223372036854775808", b"9223372036854775808"):
            for start in starts:
                with self.subTest(start, length=length):
                    status, _, body = monitor.parse(server.send(
                        start + b"\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\nabcde"))
                    self.assertIn(status, (400, 413, 429))
                    self.assertNotIn("healthy", body)
        # Also when there were too many requests to be looked at.
        statuses = [monitor.parse(server.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"))[0]
                    for _ in range(300)]
        self.assertLessEqual(set(statuses), {413, 429})
        monitor.wait_for(lambda: server.descriptors() <= before)
        monitor.wait_for(lambda: server.ask("/health")[0] == 200)
        self.assert_logged(server, "body")
        self.assertNotIn("WARNING", server.log())
        self.assertEqual(server.stop(), 0)

    def test_huge_headers(self):
        server = self.serve_socket()
        for flood in (b"GET /health HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"x" * 1000000,
                      b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100000,
                      b"GET /" + b"a" * 1000000, b"A" * 1000000, b"\r\n" * 500000, b"\0" * 1000000):
            with self.subTest(flood[:20]):
                self.assertIn(monitor.parse(server.send(flood))[0], (None, 400, 431))
        self.assertGreater(server.metric('lightning_db_monitor_refusals_total{reason="header"}'), 3)
        self.assert_logged(server, "header")
        # Just what fits.
        self.assertEqual(server.ask("/health", "X: " + "y" * 7900)[0], 200)
        self.assert_well(server)

    def test_garbage(self):
        server = self.serve_socket("--max-requests", "100000")
        chance = random.Random(20260)
        pieces = [b"GET ", b"/health", b" HTTP/1.1", b"\r\n", b"\n", b"Host: localhost", b"Host:", b":", b" ", b"\0",
                  b"\xff\xfe", b"HTTP/9.9", b"Content-Length: 1", b"Origin: x", b"\t", b"[::1", b"%", b"http://", b"Range: bytes=0-1,0-1"]
        for number in range(400):
            data = b"".join(chance.choice(pieces) for _ in range(chance.randrange(1, 12)))
            if chance.random() < 0.3:
                data = chance.randbytes(chance.randrange(1, 300))
            answer = server.send(data + b"\r\n\r\n")
            with self.subTest(number, data=data):
                self.assertLessEqual(answer.count(b"HTTP/1."), 1)
                self.assertIn(monitor.parse(answer)[0], (None, 200, 400, 403, 404, 405, 413, 421, 501, 505))
        self.assert_logged(server, "malformed")
        for line in server.log().splitlines():
            self.assertTrue(line.isprintable(), repr(line))
        self.assert_well(server)

    def test_pipelined(self):
        """One request a connection; what follows it is not looked at."""
        server = self.serve_socket()
        answer = server.send(REQUEST * 50)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 1)
        self.assertIn(b"Connection: close\r\n", answer)
        self.assertEqual(server.metric("lightning_db_monitor_answers_total"), 2)

    def test_ranges(self):
        server = self.serve_socket()
        whole = server.ask("/stats.json")[2]
        status, _, body = server.ask("/stats.json", "Range: bytes=" + ",".join(["0-"] * 500))
        self.assertEqual((status, len(body)), (200, len(whole)))

    # ---- how they send it ----

    def test_slow(self):
        """Slow readers of nothing, a byte at a time, in the middle of the request: each has its time, no more."""
        server = self.serve_socket("--timeout", "1")
        connections = [server.connect() for _ in range(20)]
        for number, connection in enumerate(connections):
            connection.sendall(REQUEST[:number])
        for number, connection in enumerate(connections):
            with self.subTest(number), connection:
                self.assertNotIn(b"200", monitor.read_all(connection))
        with server.connect() as connection:  # a byte now and then does not help
            try:
                while True:
                    connection.sendall(b"G")
                    connection.settimeout(0.2)
                    try:
                        if not connection.recv(1):
                            break
                    except TimeoutError:
                        pass
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertGreaterEqual(server.metric('lightning_db_monitor_refusals_total{reason="timeout"}'), 21)
        self.assert_logged(server, "timeout")
        self.assert_well(server)

    def test_too_many_connections(self):
        """Those that are silent make way, the longest first; those that are answered do not."""
        server = self.serve_socket("--max-connections", "3", "--timeout", "300")
        held = [server.connect() for _ in range(3)]
        held[0].sendall(REQUEST[:20])  # as good as nothing
        self.assertEqual(server.ask("/health")[0], 200)
        self.assertEqual(monitor.read_all(held[0]), b"")
        self.assertGreaterEqual(server.metric('lightning_db_monitor_refusals_total{reason="connections"}'), 1)
        self.assert_logged(server, "connections")
        for connection in held:
            connection.close()
        self.assert_well(server)
        followers = [server.connect() for _ in range(3)]
        for connection in followers:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(connection.recv(1))
        self.assertEqual(server.send(REQUEST), b"")
        followers.pop().close()
        monitor.wait_for(lambda: server.ask("/health")[0] == 200)
        for connection in followers:
            connection.close()

    def test_silent_ones_shut_nobody_out(self):
        server = self.serve_socket("--max-connections", "16", "--timeout", "300", "--max-requests", "100000")
        silent = [server.connect() for _ in range(100)]
        for _ in range(100):
            self.assertEqual(server.ask("/health")[0], 200)
        for connection in silent:
            connection.close()
        self.assert_well(server)

    def test_one_leaves_others_something(self):
        """Whoever asks without end takes half of the turns."""
        server = self.serve_socket("--max-requests", "2")
        path = str(self.directory / "socket")
        other = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                 "s.sendall(sys.argv[2].encode()); print(s.recv(12).decode())")
        server.process.send_signal(signal.SIGSTOP)
        connections = [server.connect() for _ in range(40)]
        for connection in connections:
            connection.sendall(REQUEST)
        process = subprocess.Popen([sys.executable, "-c", other, path, REQUEST.decode()],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        server.process.send_signal(signal.SIGCONT)
        statuses = [monitor.parse(monitor.read_all(connection))[0] for connection in connections]
        self.assertIn(429, statuses)
        self.assertEqual(process.communicate(timeout=monitor.PATIENCE)[0].split()[1], "200")
        for connection in connections:
            connection.close()

    def test_too_many_requests(self):
        server = self.serve_socket("--max-requests", "1")
        # They all come while it is stopped, so that they come at once.
        server.process.send_signal(signal.SIGSTOP)
        connections = [server.connect() for _ in range(60)]
        for connection in connections:
            connection.sendall(REQUEST)
        server.process.send_signal(signal.SIGCONT)
        answers = []
        for connection in connections:
            with connection:
                answers.append(monitor.parse(monitor.read_all(connection)))
        statuses = [status for status, _, _ in answers]
        self.assertIn(200, statuses)
        self.assertIn(429, statuses)
        self.assertEqual(set(statuses), {200, 429})
        self.assertEqual(answers[statuses.index(429)][1]["retry-after"], "1")
        self.assert_logged(server, "rate")

    def test_ten_thousand_connections(self):
        """Opened and dropped, in all ways: no descriptor is left, and the service still answers."""
        server = self.serve("--metrics-port", "0", "--port", "-1", "--max-requests", "100000")
        unix = self.serve_socket("--max-requests", "100000", "--max-connections", "100")
        for its, count in ((server, 2000), (unix, 8000)):
            its.ask("/metrics")
            before = its.descriptors()
            for number in range(count):
                connection = its.connect()
                connection.sendall(REQUEST[:number % len(REQUEST)])
                if its is server or number % 2:  # a reset; and no port is left waiting for a minute
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            monitor.wait_for(lambda: its.metric("lightning_db_monitor_connections") == 1)
            monitor.wait_for(lambda: its.descriptors() <= before)

    def test_no_descriptors_left(self):
        """It waits until there are some again, and the application has half of them for itself."""
        limit = 60
        path = str(self.directory / "limited")
        program = monitor.PROGRAM
        monitor.PROGRAM = self.write("limited.sh", f'#!/bin/sh\nulimit -n {limit}\nexec "{program}" "$@"\n', 0o700)
        try:
            server = self.serve("--socket", path, "--timeout", "300")
        finally:
            monitor.PROGRAM = program
        server.ask("/health")
        before = server.descriptors()
        held = [server.connect() for _ in range(limit * 2)]
        for connection in held[:limit]:  # silent ones, the oldest first, make way
            self.assertEqual(monitor.read_all(connection), b"")
        self.assertLessEqual(server.descriptors(), before + limit // 2)
        for connection in held:
            connection.close()
        monitor.wait_for(lambda: server.ask("/health")[0] == 200)

    def test_other_users(self):
        server = self.serve_socket()
        path = server.uris[0].removeprefix("unix:")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        if os.getuid() != 0:
            self.skipTest("only root can become somebody else")
        os.chmod(self.directory, 0o755)
        child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            try:
                server.connect()
            except PermissionError:
                os._exit(7)
            os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)

    def test_says_nothing_of_the_data(self):
        server = self.serve_socket()
        for path in ("/metrics", "/health", "/ready", "/stats.json", "/nothing"):
            answer = server.ask(path)
            for word in ("secret-key", "secret-value", str(self.directory)):
                self.assertNotIn(word, str(answer))


class Tls(monitor.MonitorTest):
    def setUp(self):
        super().setUp()
        self.certificates = monitor.Certificates(self.directory)
        self.token = self.write("token", TOKEN)
        certificate, key = self.certificates.server
        self.tls = ("--tls-certificate", certificate, "--tls-key", key)
        self.ports = ("--metrics-port", "0", "--port", "-1")

    def test_beyond_loopback(self):
        """Not without both."""
        ports = ("--address", "0.0.0.0", *self.ports)
        for arguments, word in (((), "no certificate"), (self.tls, "no token"), (("--token-file", self.token), "no certificate")):
            with self.subTest(word):
                self.assertIn(word, self.run_cli("serve", self.database, *ports, *arguments, status=2))
        server = self.serve(*ports, *self.tls, "--token-file", self.token)
        server.uris[0] = server.uris[0].replace("0.0.0.0", "127.0.0.1")
        context = self.certificates.context()
        self.assertEqual(server.ask("/metrics", f"Authorization: Bearer {TOKEN}", context=context)[0], 200)
        self.assertEqual(server.ask("/metrics", context=context)[0], 401)
        self.assertEqual(server.ask("/metrics", f"Authorization: Bearer {TOKEN}", host="evil", context=context)[0], 421)

    def test_client_certificates(self):
        server = self.serve(*self.ports, *self.tls, "--tls-ca", self.certificates.authority)
        status = server.ask("/metrics", context=self.certificates.context(self.certificates.client))[0]
        self.assertEqual(status, 200, server.log())
        for client in (None, self.certificates.foreign):
            with self.subTest(client):
                try:
                    answer = server.ask("/metrics", context=self.certificates.context(client))
                except (ssl.SSLError, ConnectionError):
                    continue
                self.assertIsNone(answer[0])
        context = self.certificates.context(self.certificates.client)
        self.assertEqual(server.metric('lightning_db_monitor_refusals_total{reason="handshake"}', context=context), 2)
        monitor.wait_for(lambda: server.log().count("(handshake)") == 2)

    def test_not_tls(self):
        server = self.serve(*self.ports, *self.tls)
        self.assertNotIn(b"200", server.send(REQUEST))
        self.assertNotIn(b"200", server.send(os.urandom(3000)))
        self.assertEqual(server.ask("/metrics", context=self.certificates.context())[0], 200)

    def test_half_open(self):
        """Handshakes that are begun and left alone hold up nobody for longer than their time."""
        # It is told to end with handshakes under way, on threads of GTask's: what these hold is no leak.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        server = self.serve(*self.ports, *self.tls, "--timeout", "2", "--max-requests", "1000", ASAN_OPTIONS=options)
        context = self.certificates.context()
        server.ask("/metrics", context=context)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        connections = [server.connect() for _ in range(60)]
        for number, connection in enumerate(connections):
            connection.sendall((b"", hello, hello[:20], b"\x16")[number % 4])
        for connection in connections:
            with connection:
                monitor.read_all(connection)
        self.assertEqual(server.ask("/metrics", context=context)[0], 200)
        monitor.wait_for(lambda: server.metric("lightning_db_monitor_connections", context=context) == 1)
        self.assertGreaterEqual(
            server.metric('lightning_db_monitor_refusals_total{reason="handshake"}', context=context), 60)
        # It ends at once, also in the middle of handshakes.
        held = [server.connect() for _ in range(8)]
        for connection in held:
            connection.sendall(hello)
        status = server.stop()
        self.assertEqual(status, 0, server.log())
        for connection in held:
            connection.close()

    def test_dropped(self):
        server = self.serve(*self.ports, *self.tls, "--max-requests", "100000")
        context = self.certificates.context()
        server.ask("/metrics", context=context)
        before = server.descriptors()
        for number in range(150):
            with server.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if number % 3 == 0:
                    connection.sendall(b"\x16\x03\x01")
                elif number % 3 == 1:
                    with context.wrap_socket(connection, server_hostname="localhost") as wrapped:
                        wrapped.sendall(REQUEST[:10])
        monitor.wait_for(lambda: server.metric("lightning_db_monitor_connections", context=context) == 1)
        monitor.wait_for(lambda: server.descriptors() <= before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
