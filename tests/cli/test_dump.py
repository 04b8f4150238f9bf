# SPDX-License-Identifier: MIT
"""dump and load: byte for byte, whole or not at all."""

import os
import random
import resource
import stat
import subprocess

from command_line import FAILED, PROGRAM, CommandLineTest, main


class Dump(CommandLineTest):
    def fill(self):
        self.create()
        self.run_cli("stores", self.database, "--create", "zwei: \t stores")
        generator = random.Random(7)
        lines = ["lightning-db-dump 1", "store default"]
        records = {}
        while len(records) < 400:
            key = generator.randbytes(generator.randint(1, 40))
            records[key] = generator.randbytes(generator.choice((0, 1, 10, 300, 20000)))
        for key in sorted(records):
            escaped = "".join(f"\\x{byte:02x}" for byte in key)
            value = "".join(f"\\x{byte:02x}" for byte in records[key])
            lines.append(f"+ {escaped}\t{value}")
        lines += ["store zwei: \\t stores", "+ schlüssel\twert\\n", "end 401", ""]
        self.run_cli("load", self.database, stdin="\n".join(lines).encode())
        return records

    def test_round_trip(self):
        records = self.fill()
        first = self.run_cli("dump", self.database)
        self.assertTrue(first.startswith(b"lightning-db-dump 1\n"))
        self.assertRegex(first.splitlines()[-1], rb"^end 401 [0-9a-f]{64}$")
        copy = self.path("copy.db")
        self.assertIn(b"401", self.run_cli("load", "--create", copy, stdin=first))
        self.assertEqual(self.run_cli("dump", copy), first)
        for key in list(records)[:20]:
            self.assertEqual(self.run_cli("get", copy, "-i", "hex", key.hex()), records[key])

    def test_file(self):
        self.fill()
        path = self.path("all.dump")
        self.run_cli("dump", self.database, path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), self.run_cli("dump", self.database))
        self.assertEqual(os.listdir(self.directory).count("all.dump"), 1)
        self.assertIn("cannot be written", self.fail_cli("dump", self.database, self.path("no/file")))
        self.assertIn("cannot be written", self.fail_cli("dump", self.database, "/dev/full/x"))
        self.run_cli("load", "--create", self.path("b.db"), path)

    def test_special_files(self):
        """What is no regular file is written to, not replaced; a link keeps its target."""
        self.fill()
        whole = self.run_cli("dump", self.database)
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        with open(self.path("piped"), "wb") as piped:
            reader = subprocess.Popen(["cat", pipe], stdout=piped)
        self.run_cli("dump", self.database, pipe)
        self.assertEqual(reader.wait(timeout=600), 0)
        with open(self.path("piped"), "rb") as file:
            self.assertEqual(file.read(), whole)
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        self.assertEqual(self.run_cli("dump", self.database, "/dev/stdout"), whole)
        self.assertIn("cannot be written", self.fail_cli("dump", self.database, str(self.directory)))
        self.write("target", "old")
        os.symlink("target", self.path("link"))
        self.run_cli("dump", self.database, self.path("link"))
        self.assertTrue(os.path.islink(self.path("link")))
        with open(self.path("target"), "rb") as file:
            self.assertEqual(file.read(), whole)

    def test_closed_streams(self):
        """What is printed with closed standard streams does not land in the database."""
        self.fill()
        whole = self.run_cli("dump", self.database)
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"):
            for command in ("scan", "put", "import csv -", "shell", "dump", "compact --verbose"):
                words = command.split()
                line = f'"$0" {words[0]} ' + (" ".join(words[1:]) + f' "$1" {closed}')
                subprocess.run(["sh", "-c", line, PROGRAM, self.database], stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=600, check=False)
        self.run_cli("check", "--deep", self.database)
        self.assertEqual(self.run_cli("dump", self.database), whole)

    def test_not_into_itself(self):
        """No file of the database is dumped over."""
        self.fill()
        whole = self.run_cli("dump", self.database)
        os.symlink(self.database, self.path("link"))
        for target in ("CURRENT", "LOCK", "new"):
            self.assertIn("lies in the database", self.fail_cli("dump", self.database, self.database + "/" + target))
            self.assertIn("lies in the database", self.fail_cli("dump", self.path("link"), self.database + "/" + target))
        self.assertEqual(self.run_cli("dump", self.database), whole)

    def test_endless(self):
        """What has no lines is no dump, and is not read to find that out."""
        self.create()
        with open("/dev/zero", "rb") as zeros:
            result = subprocess.run(
                [PROGRAM, "load", self.database], stdin=zeros, capture_output=True, timeout=600, check=False,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (20, 20)),
            )
        self.assertEqual(result.returncode, FAILED)
        self.assertIn(b"not a dump", result.stderr)

    def test_one_store(self):
        self.fill()
        one = self.run_cli("dump", self.database, "--store", "zwei: \t stores").decode()
        self.assertEqual(one.splitlines()[1:3], ["store zwei: \\t stores", "+ schlüssel\twert\\n"])
        everything = self.run_cli("dump", self.database)
        copy = self.path("copy.db")
        self.run_cli("load", "--create", copy, "--store", "zwei: \t stores", stdin=everything)
        self.assertEqual(self.run_cli("scan", copy, "--count"), b"0\n")
        self.fail_cli("dump", self.database, "--store", "nowhere")

    def refuse(self, text, *words):
        """Nothing of a refused dump is there, not even its stores."""
        data = text if isinstance(text, bytes) else text.encode()
        message = self.fail_cli("load", self.database, stdin=data)
        for word in words:
            self.assertIn(word, message)
        self.assertEqual(self.run_cli("scan", self.database, "--count"), b"0\n", message)
        self.assertEqual(self.run_cli("stores", self.database), b"default\n", message)

    def test_bad_dumps(self):
        self.create()
        head = "lightning-db-dump 1\nstore default\n"
        self.refuse("", "not a dump")
        self.refuse("SQLite format 3\0", "not a dump")
        self.refuse(os.urandom(1000), "not a dump")
        self.refuse("lightning-db-dump 2\n", "not a dump")
        self.refuse(head + "+ a\tb\n", "line 4", "“end” line is missing")
        self.refuse(head + "+ a\tb\nend 2\n", "line 4", "not whole")
        self.refuse(head + "+ a\tb\nend 1\n+ c\td\n", "line 5", "follows")
        self.refuse(head + "+ ab\nend 1\n", "line 3", "tabulator")
        self.refuse(head + "+ a\\z\tb\nend 1\n", "line 3", "escape")
        self.refuse(head + "+ \tb\nend 1\n", "line 3")
        self.refuse(head + "+ " + "k" * 65537 + "\tb\nend 1\n", "line 3")
        self.refuse(head + "what\nend 0\n", "line 3")
        self.refuse("lightning-db-dump 1\n+ a\tb\nend 1\n", "line 2", "before the first")
        for name in ("", "a\\x00b", "a\0b0", "\\xff", "n" * 256):
            dump = f"lightning-db-dump 1\nstore {name}\n+ a\tb\nend 1\n"
            self.refuse(dump, "line 2")
            if name == "" or "0" in name:
                self.fail_cli("load", self.database, "--store", "other", stdin=dump.encode())
        for count in ("", "-1", "+1", " 1", "1x", "0x1", "one", str(2**64 + 1)):
            self.refuse(head + f"+ a\tb\nend {count}\n", "line 4")
        self.refuse(head + "store new\n+ a\tb\n", "line 5")
        self.refuse(head + "+ a\tb\nend 1 " + "0" * 64 + "\n", "line 4", "checksum")
        self.assertIn("cannot be read", self.fail_cli("load", self.database, self.path("none")))
        self.assertIn("cannot be read", self.fail_cli("load", self.database, str(self.directory)))

    def test_every_cut(self):
        """A dump that was cut off anywhere is refused."""
        self.run_cli("put", "--create", self.database, "a", "1")
        self.put("b", "2")
        whole = self.run_cli("dump", self.database)
        for length in range(0, len(whole) - 1, 7):
            result = self.run_raw("load", "--create", self.path("cut.db"), stdin=whole[:length])
            # Cut within the checksum it is damaged; cut before it, it is a dump without one.
            if not whole[:length].endswith(b"end 2"):
                self.assertEqual(result.returncode, FAILED, whole[:length])
        self.assertFalse(os.path.exists(self.path("cut.db")), "a failed load takes back what it made")

    def test_comments(self):
        self.create()
        text = "lightning-db-dump 1\n# by hand\n\nstore default\r\n+ a\tb\r\nend 1\r\n\n"
        self.run_cli("load", self.database, stdin=text.encode())
        self.assertEqual(self.run_cli("get", self.database, "a"), b"b")


if __name__ == "__main__":
    main()
