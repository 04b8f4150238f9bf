# SPDX-License-Identifier: MIT
"""What the tests of the monitor stand on: lightning-cli serve in a process of its own, and a client that
sends whatever bytes it likes."""

import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

PROGRAM = os.environ["LIGHTNING_CLI"]
PATIENCE = 300  # seconds until something that has to happen counts as failed; never a measure of speed


class Server:
    """lightning-cli serve, with what it prints."""

    def __init__(self, database, *arguments, **environment):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", database, "--json", *arguments], stdout=subprocess.PIPE,
            stderr=self.errors, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
        line = self.process.stdout.readline()
        self.uris = json.loads(line)["uris"] if line else []

    def stop(self, number=signal.SIGTERM):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self, place=0, context=None):
        uri = urllib.parse.urlsplit(self.uris[place])
        if uri.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(uri.path)  # waits while the backlog is full, as with a timeout it would not
            connection.settimeout(PATIENCE)
        else:
            connection = socket.create_connection((uri.hostname, uri.port), PATIENCE)
        return context.wrap_socket(connection, server_hostname="localhost") if context else connection

    def send(self, data, place=0, context=None):
        """Sends bytes and reads until the server closes; what a reset leaves counts as read."""
        with self.connect(place, context) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
            return read_all(connection)

    def ask(self, path, *fields, method="GET", host="localhost", place=0, context=None):
        """(status, fields, body) of one well-formed request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]
        return parse(self.send("\r\n".join(lines).encode(), place, context))

    def metric(self, name, place=0, context=None):
        status, _, body = self.ask("/metrics", place=place, context=context)
        assert status == 200, status
        for line in body.splitlines():
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
        raise KeyError(name)


def read_all(connection):
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return b"".join(parts)


def parse(answer):
    """(status, fields, body); status None: there was no answer."""
    if not answer:
        return None, {}, ""
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]), fields, body


def wait_for(what):
    """Until it is true; what has to happen happens at some time."""
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it never happened")
        time.sleep(0.01)


class MonitorTest(unittest.TestCase):
    """A database in a directory of its own, and servers that are gone afterwards."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-monitor-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.database = str(self.directory / "test.db")
        self.run_cli("put", "--create", self.database, "secret-key", "secret-value")

    def run_cli(self, *arguments, status=0, **environment):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                              timeout=PATIENCE, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def serve(self, *arguments, **environment):
        server = Server(self.database, *arguments, **environment)
        self.addCleanup(server.errors.close)
        self.addCleanup(server.stop)
        self.assertNotEqual(server.uris, [], server.log())
        return server

    def serve_socket(self, *arguments, **environment):
        return self.serve("--socket", str(self.directory / "socket"), *arguments, **environment)

    def write(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)


class Certificates:
    """An authority, a server's certificate and clients' ones, made with openssl."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = self._self_signed("authority")
        self.stranger = self._self_signed("stranger")
        self.server = self._signed("localhost", "authority", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.client = self._signed("client", "authority")
        self.foreign = self._signed("foreign", "stranger")

    def path(self, name):
        return str(self.directory / name)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE)

    def _key(self, name):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-out", self.path(f"{name}.key"))
        os.chmod(self.path(f"{name}.key"), 0o600)

    def _self_signed(self, name):
        self._key(name)
        self._openssl("req", "-x509", "-new", "-key", self.path(f"{name}.key"), "-subj", f"/CN={name}",
                      "-days", "3650", "-out", self.path(f"{name}.pem"))
        return self.path(f"{name}.pem")

    def _signed(self, name, authority, extension="extendedKeyUsage=clientAuth"):
        self._key(name)
        self._openssl("req", "-new", "-key", self.path(f"{name}.key"), "-subj", f"/CN={name}",
                      "-out", self.path(f"{name}.csr"))
        extensions = self.directory / f"{name}.extensions"
        extensions.write_text(extension + "\n")
        self._openssl("x509", "-req", "-in", self.path(f"{name}.csr"), "-CA", self.path(f"{authority}.pem"),
                      "-CAkey", self.path(f"{authority}.key"), "-CAcreateserial", "-days", "3650",
                      "-extfile", str(extensions), "-out", self.path(f"{name}.pem"))
        return self.path(f"{name}.pem"), self.path(f"{name}.key")

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.authority)
        if client:
            context.load_cert_chain(*client)
        return context


def main():
    unittest.main(verbosity=2)
