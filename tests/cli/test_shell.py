# SPDX-License-Identifier: MIT
"""The shell: from a pipe, with transactions, and on a terminal."""

import os
import pty
import select
import subprocess
import time

from command_line import FAILED, PROGRAM, CommandLineTest, main


class Shell(CommandLineTest):
    def shell(self, text, status=0):
        return self.run_cli("shell", self.database, stdin=text.encode(), status=status).decode()

    def setUp(self):
        super().setUp()
        self.create()

    def test_script(self):
        output = self.shell(
            "# a comment\n\nput 'a key' \"a value\"\nget -f escaped 'a key'\nscan\nstores\n"
            "stores --create other\nuse other\nput x y\nscan\nuse default\nscan --count\n"
        )
        self.assertEqual(output, "a value\na key\ta value\ndefault\nx\ty\n1\n")

    def test_stops_at_error(self):
        result = self.run_raw("shell", self.database, stdin=b"put a 1\nput\nput b 2\n")
        self.assertEqual(result.returncode, FAILED)
        self.assertIn(b"stopped at line 2", result.stderr)
        self.assertEqual([record["key"] for record in self.scan()], ["a"])
        for line in ("create x", "restore a b", "shell x", "commit", "nonsense", "put 'a b", "use nix"):
            result = self.run_raw("shell", self.database, stdin=line.encode())
            self.assertEqual(result.returncode, FAILED, line)
        self.shell("get nothing\nput still here\n")
        self.assertEqual(self.run_cli("get", self.database, "still"), b"here")

    def test_transactions(self):
        self.shell("begin\nput a 1\nput b 2\nget -f escaped a\nscan --count\ncommit\n")
        self.assertEqual(len(self.scan()), 2)
        self.assertEqual(
            self.shell("begin\ndel a\nput c 3\nscan --keys-only\nrollback\nscan --keys-only\n"), "b\nc\na\nb\n"
        )
        result = self.run_raw("shell", self.database, stdin=b"begin\nput d 4\n")
        self.assertIn(b"rolled back", result.stderr)
        self.assertEqual(len(self.scan()), 2)
        self.shell("begin --serializable\nbegin\n", status=FAILED)
        self.assertIn(
            "inside a transaction", self.fail_cli("shell", self.database, stdin=b"begin\nload\n")
        )

    def test_read_only(self):
        result = self.run_raw("shell", self.database, "--read-only", stdin=b"put a 1\n")
        self.assertEqual(result.returncode, FAILED)

    def test_garbage(self):
        for i in range(10):
            self.run_raw("shell", self.database, stdin=os.urandom(2000))
        for line in (b"put a\nvalue\n", b"load\n", b"import csv -\n", b"put a --file -\n"):
            self.fail_cli("shell", self.database, stdin=line)
        self.assertIn("zero byte", self.fail_cli("shell", self.database, stdin=b"get a\0b\n"))

    def test_endless_line(self):
        """A line without an end is refused before it fills the memory; what can't be read is no end."""
        with open("/dev/zero", "rb") as zeros:
            result = subprocess.run(
                [PROGRAM, "shell", self.database], stdin=zeros, capture_output=True, timeout=600, check=False
            )
        self.assertEqual(result.returncode, FAILED)
        self.assertIn(b"line 1: longer than", result.stderr)
        directory = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        result = subprocess.run(
            [PROGRAM, "shell", self.database], stdin=directory, capture_output=True, timeout=600, check=False
        )
        self.assertEqual(result.returncode, FAILED)
        self.assertIn(b"cannot be read", result.stderr)

    def test_made_and_filled(self):
        """What a session wrote stays, also when a later command fails."""
        made = self.path("made.db")
        self.fail_cli("shell", "--create", made, stdin=b"put a 1\nnonsense\n")
        self.assertEqual(self.run_cli("get", made, "a"), b"1")
        self.fail_cli("shell", "--create", self.path("other.db"), "surplus", stdin=b"put a 1\n")
        self.assertFalse(os.path.exists(self.path("other.db")))

    def test_terminal(self):
        """On a terminal: a prompt, completion, history, Ctrl+D."""
        self.put("alphabet", "abc")
        terminal, other = pty.openpty()
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "XDG_STATE_HOME": self.path("state")}
        with subprocess.Popen(
            [PROGRAM, "shell", self.database], stdin=other, stdout=other, stderr=other, env=environment,
            start_new_session=True,
        ) as process:
            os.close(other)
            shown = self.read_until(terminal, "test.db>")
            self.assertIn("Ctrl+D", shown)
            os.write(terminal, b"get alph\t\n")
            self.read_until(terminal, "abc")
            os.write(terminal, b"nonsense\n")
            self.read_until(terminal, "there is no command")
            os.write(terminal, b"ins\t\n")
            self.read_until(terminal, "Page utilisation")
            os.write(terminal, b"begin\n")
            self.read_until(terminal, "test.db*>")
            os.write(terminal, b"rollback\n")
            self.read_until(terminal, "test.db>")
            os.write(terminal, b"quit\n")
            self.assertEqual(process.wait(timeout=600), 0)
        os.close(terminal)
        history = self.path("state/lightning-db/history")
        with open(history, encoding="utf-8") as file:
            self.assertIn("nonsense", file.read())
        self.assertEqual(os.stat(history).st_mode & 0o777, 0o600)

    def read_until(self, terminal, text):
        shown = ""
        end = time.monotonic() + 600
        while text not in shown:
            self.assertLess(time.monotonic(), end, f"waited for {text!r}, saw {shown!r}")
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 65536).decode(errors="replace")
        return shown


if __name__ == "__main__":
    main()
