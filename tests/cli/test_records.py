# SPDX-License-Identifier: MIT
"""create, get, put, del, scan, stores; the command line itself; exit status."""

import contextlib
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import threading
import time

from command_line import DONE, FAILED, NEGATIVE, PROGRAM, CommandLineTest, main


class CommandLine(CommandLineTest):
    def test_help_and_version(self):
        self.assertRegex(self.run_cli("--version"), rb"^lightning-cli \d+\.\d+\.\d+\n$")
        help_text = self.run_cli("--help").decode()
        for command in (
            "create get put del scan stores shell inspect stat check compact checkpoint backup restore "
            "repair dump load import storage bigkeys report latency profile trace slow hotkeys memory"
        ).split():
            self.assertRegex(help_text, rf"(?m)^  {command} ")
            text = self.run_cli(command, "--help").decode()
            self.assertIn(f"lightning-cli {command}", text)
            self.assertIn("--json", text)
        self.assertIn("--key-column", self.run_cli("import", "csv", "--help").decode())
        self.assertEqual(self.run_cli("help", "get"), self.run_cli("get", "--help"))

    def test_completion(self):
        """The shell completes the commands that there are."""
        there = re.findall(r"(?m)^  ([a-z]+) ", self.run_cli("--help").decode())
        script = pathlib.Path(__file__).parents[2] / "data" / "lightning-cli.bash"
        completed = re.search(r"commands='([^']*)'", script.read_text()).group(1).split()
        self.assertEqual(sorted(set(completed) - {"serve"}), sorted(set(there) - {"serve"}))

    def test_wrong_command_lines(self):
        self.assertIn("did you mean “inspect”", self.fail_cli("inspekt"))
        self.assertIn("“help” lists them", self.fail_cli("frobnicate"))
        self.run_raw()
        self.assertEqual(self.run_raw().returncode, FAILED)
        self.assertIn("--nonsense", self.fail_cli("get", "--nonsense"))
        self.assertIn("DATABASE is missing", self.fail_cli("get"))
        self.create()
        self.assertIn("KEY is missing", self.fail_cli("get", self.database))
        self.assertIn("one argument too many", self.fail_cli("put", self.database, "a", "b", "c"))
        self.assertIn("shell", self.fail_cli("begin"))
        self.assertIn("no form", self.fail_cli("get", self.database, "a", "--format", "xml"))

    def test_json_of_any_error(self):
        """With --json an error is JSON, whatever was typed."""
        self.create()
        odd = b"no/\xff\xfe"
        for arguments in (
            ("get", self.database, "-i", "hex", odd), ("get", odd, "k"), ("load", self.database, odd),
            ("import", "csv", odd, self.database), ("put", self.database, "k", "--file", odd),
            ("get", self.database, "k", "--store", odd), ("dump", self.database, odd), ("check", odd),
            ("create", "-o", b"page-size=" + odd, odd), ("scan", "--nonsense"), ("nonsense",), ("begin",),
            ("import", "xml"), ("scan", "--limit", "x"), ("get", self.database, "-f", odd, "k"),
        ):
            for where in (arguments + ("--json",), (arguments[0], "-j", *arguments[1:])):
                if arguments[0] == "import" and where[1] == "-j":
                    continue
                result = self.run_raw(*where)
                self.assertEqual(result.returncode, FAILED, where)
                self.assertIn("message", json.loads(result.stderr.decode()), where)

    def test_interrupt(self):
        """Ctrl+C in a scan: what was printed is not taken for all."""
        lines = "".join(f"key{i},{'v' * 100}\n" for i in range(100000))
        self.run_cli("import", "csv", "--create", self.write("rows", "k,v\n" + lines), self.database, "-q")
        with subprocess.Popen(
            [PROGRAM, "scan", self.database], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdout.read(1)  # it has begun, and waits for the pipe to be emptied
            process.send_signal(signal.SIGINT)
            output, error = process.communicate(timeout=600)
        self.assertEqual(process.returncode, FAILED)
        self.assertIn(b"interrupted", error)
        self.assertLess(output.count(b"\n"), 100000)

    def test_interrupt_before_the_first_byte(self):
        """Ctrl+C while nothing at all can be written: that is no fault of the output."""
        self.create()
        self.put("k", "v" * 100000)
        for command in "scan", "dump":
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writer, b"full" * 1024)
            os.set_blocking(writer, True)
            with subprocess.Popen(
                [PROGRAM, command, self.database], stdout=writer, stderr=subprocess.PIPE
            ) as process:
                os.close(writer)
                self.wait_for_write(process)
                process.send_signal(signal.SIGINT)
                threading.Timer(0.2, self.empty, [reader]).start()
                error = process.stderr.read().decode()
            self.assertEqual(process.returncode, FAILED)
            self.assertRegex(error, "^lightning-cli: interrupted; [^\n]+\n$")

    def wait_for_write(self, process):
        """Until it has slept, not waiting for a disk, for as long as nothing but a write lasts."""
        asleep = 0
        for _ in range(60000):
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as state:
                asleep = asleep + 1 if state.read().rpartition(")")[2].split()[0] == "S" else 0
            if asleep == 20:
                return
            time.sleep(0.01)
        self.fail("it does not write")

    @staticmethod
    def empty(reader):
        while os.read(reader, 65536):
            pass
        os.close(reader)

    def test_json_errors(self):
        message = self.fail_cli("get", self.path("nothing.db"), "a", "--json")
        self.assertIn('"error":"not-found"', message)
        self.assertIn("lightning-cli create", message)
        self.assertFalse(os.path.exists(self.path("nothing.db")))

    def test_full_output(self):
        self.create()
        for i in range(3):
            self.put(f"k{i}", "v" * 10000)
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [PROGRAM, "scan", self.database], stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual(result.returncode, FAILED)
        self.assertEqual(result.stderr.decode().count("cannot be written"), 1)


class Create(CommandLineTest):
    def test_modes(self):
        self.assertIn(self.database, self.run_cli("create", self.database).decode())
        self.assertEqual(stat.S_IMODE(os.stat(self.database).st_mode), 0o700)
        for entry in os.scandir(self.database):
            self.assertEqual(stat.S_IMODE(entry.stat().st_mode), 0o600, entry.name)

    def test_exists(self):
        self.create()
        self.assertIn(self.database, self.fail_cli("create", self.database))

    def test_options(self):
        self.run_cli("create", self.database, "--option", "page-size=16KiB")
        self.put("a", "b")
        message = self.fail_cli("create", self.path("x.db"), "-o", "cache-sise=1")
        self.assertIn("cache-size", message)
        self.assertIn("page-size", self.fail_cli("create", self.path("x.db"), "-o", "page-size=5000"))
        self.assertIn("zstd", self.fail_cli("create", self.path("x.db"), "-o", "compression-type=gzip"))
        self.assertFalse(os.path.exists(self.path("x.db")))

    def test_strange_places(self):
        file = self.write("file", "not a database")
        self.assertIn(file, self.fail_cli("create", file))
        self.fail_cli("get", file, "a")
        with open(file, encoding="utf-8") as content:
            self.assertEqual(content.read(), "not a database")
        os.mkdir(self.path("full"))
        self.write("full/photo.jpeg", "…")
        self.fail_cli("create", self.path("full"))
        self.assertEqual(os.listdir(self.path("full")), ["photo.jpeg"])
        self.fail_cli("create", self.path("missing/parent/x.db"))


class Records(CommandLineTest):
    def test_put_get_delete(self):
        self.run_cli("put", self.database, "--create", "greeting", "hello")
        self.assertEqual(self.run_cli("get", self.database, "greeting"), b"hello")
        self.run_cli("put", self.database, "greeting", stdin=b"from\0a pipe\n")
        self.assertEqual(self.run_cli("get", self.database, "greeting"), b"from\0a pipe\n")
        path = self.write("value", os.urandom(300000))
        self.run_cli("put", self.database, "big", "--file", path)
        with open(path, "rb") as file:
            self.assertEqual(self.run_cli("get", self.database, "big"), file.read())
        self.run_cli("del", self.database, "greeting", "never-there")
        result = self.run_raw("get", self.database, "greeting")
        self.assertEqual(result.returncode, NEGATIVE)
        self.assertIn(b"greeting", result.stderr)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(self.run_cli("get", self.database, "big", "-f", "hex")[:4], self.run_cli("get", self.database, "big").hex().encode()[:4])

    def test_many_keys_and_json(self):
        self.create()
        self.put("a", "1")
        self.put("b", 'quote " and \\ and \t')
        output = self.run_cli("get", self.database, "a", "b", "c", "--json", status=NEGATIVE)
        self.assertEqual(
            output.decode().splitlines(),
            [
                '{"key":"a","value":"1"}',
                '{"key":"b","value":"quote \\" and \\\\ and \\t"}',
                '{"key":"c","value":null}',
            ],
        )

    def test_forms(self):
        self.create()
        self.run_cli("put", self.database, "-i", "hex", "00ff", "0a0d09")
        self.run_cli("put", self.database, "-i", "escaped", "\\x00\\xfe", "a\\nb")
        self.assertEqual(self.run_cli("get", self.database, "-i", "hex", "00ff"), b"\n\r\t")
        self.assertEqual(
            self.run_cli("scan", self.database), b"\\x00\\xfe\ta\\nb\n\\x00\\xff\t\\n\\r\\t\n"
        )
        self.assertEqual(self.run_cli("scan", self.database, "-f", "hex", "--keys-only"), b"00fe\n00ff\n")
        self.assertEqual(
            self.run_cli("scan", self.database, "--json", "--limit", "1"),
            b'{"key_hex":"00fe","value":"a\\nb"}\n',
        )
        self.assertIn("hex digit", self.fail_cli("get", self.database, "-i", "hex", "0g"))
        self.assertIn("odd", self.fail_cli("get", self.database, "-i", "hex", "012"))
        self.assertIn("escape", self.fail_cli("get", self.database, "-i", "escaped", "\\q"))

    def test_key_limits(self):
        self.create()
        self.fail_cli("put", self.database, "", "empty key")
        largest = "k" * 65536
        self.run_cli("put", self.database, largest, "v")
        self.assertEqual(self.run_cli("get", self.database, largest), b"v")
        self.assertIn("65", self.fail_cli("put", self.database, largest + "k", "v"))
        self.run_cli("put", self.database, "empty value", "")
        self.assertEqual(self.run_cli("get", self.database, "empty value"), b"")

    def test_scan_ranges(self):
        self.create()
        for name in ("a", "b", "ba", "bb", "c", "d"):
            self.put(name, name.upper())

        def keys(*arguments):
            return self.run_cli("scan", self.database, "--keys-only", *arguments).decode().split()

        self.assertEqual(keys(), ["a", "b", "ba", "bb", "c", "d"])
        self.assertEqual(keys("--prefix", "b"), ["b", "ba", "bb"])
        self.assertEqual(keys("--prefix", "b", "--reverse"), ["bb", "ba", "b"])
        self.assertEqual(keys("--from", "ba", "--to", "d"), ["ba", "bb", "c"])
        self.assertEqual(keys("--from", "ba", "--reverse", "--limit", "2"), ["d", "c"])
        self.assertEqual(keys("--to", "a"), [])
        self.assertEqual(keys("--limit", "0"), [])
        self.assertIn("--limit", self.fail_cli("scan", self.database, "--limit", "-1"))
        self.assertEqual(self.run_cli("scan", self.database, "--count"), b"6\n")
        self.assertEqual(self.run_cli("scan", self.database, "--values-only", "--prefix", "d"), b"D\n")
        self.assertEqual(self.run_json("scan", self.database, "--count"), {"count": 6})
        self.fail_cli("scan", self.database, "--prefix", "b", "--to", "c")
        self.fail_cli("scan", self.database, "--keys-only", "--values-only")
        self.run_cli("del", self.database, "--prefix", "b")
        self.assertEqual(keys(), ["a", "c", "d"])
        self.run_cli("del", self.database, "--from", "c")
        self.assertEqual(keys(), ["a"])

    def test_prefix_of_last_bytes(self):
        self.create()
        for key in ("fe", "ff", "ff00", "ffff"):
            self.run_cli("put", self.database, "-i", "hex", key, "")
        self.assertEqual(
            self.run_cli("scan", self.database, "-k", "-f", "hex", "-i", "hex", "--prefix", "ff"),
            b"ff\nff00\nffff\n",
        )

    def test_dash_and_language(self):
        self.create()
        self.run_cli("put", self.database, "--", "-key", "-value")
        self.assertEqual(self.run_cli("get", self.database, "--", "-key"), b"-value")
        self.assertIn("“--”", self.fail_cli("put", self.database, "-key", "-value"))
        self.run_cli("put", self.database, "schlüssel", "wert", LC_ALL="C")
        self.assertEqual(self.run_cli("get", self.database, "schlüssel"), b"wert")

    def test_written_json(self):
        self.create()
        put = self.run_json("put", self.database, "a", "1")
        self.assertEqual(put, {"store": "default", "sequence": 1})
        put = self.run_json("put", self.database, "b", "2", "--store", "notes", "--create")
        self.assertEqual(put, {"store": "notes", "sequence": 3})
        self.assertEqual(self.run_json("del", self.database, "a"), {"store": "default", "sequence": 4})
        deleted = self.run_json("del", self.database, "--prefix", "b", "--store", "notes")
        self.assertEqual(deleted, {"store": "notes", "sequence": 5})
        self.assertEqual(self.run_cli("put", self.database, "a", "1"), b"")
        session = b"put --json a 1\nbegin\nput --json a 2\ncommit\n"
        lines = self.run_cli("shell", self.database, stdin=session).splitlines()
        self.assertEqual(
            [json.loads(line) for line in lines if line.startswith(b"{")],
            [{"store": "default", "sequence": 7}, {"store": "default", "sequence": None}],
        )


class Stores(CommandLineTest):
    def test_names_that_steer(self):
        self.create()
        name = "\x1b[31m\n\\\u009b"
        self.run_cli("stores", self.database, "--create", name)
        self.assertEqual(self.run_cli("stores", self.database), rb"""default
\x1b[31m\n\\\xc2\x9b
""")
        self.assertEqual(self.run_json("stores", self.database)["stores"], ["default", name])

    def test_stores(self):
        self.create()
        self.assertEqual(self.run_cli("stores", self.database), b"default\n")
        created = self.run_json("stores", self.database, "--create", "notes")
        self.assertEqual(created, {"created": "notes", "sequence": 1})
        self.put("a", "in notes", "--store", "notes")
        self.put("a", "in default")
        self.assertEqual(self.run_cli("get", self.database, "a", "-s", "notes"), b"in notes")
        self.assertEqual(self.run_cli("get", self.database, "a"), b"in default")
        self.assertEqual(set(self.run_json("stores", self.database)["stores"]), {"default", "notes"})
        dropped = self.run_json("stores", self.database, "--drop", "notes")
        self.assertEqual(dropped, {"dropped": "notes", "sequence": 4})
        self.assertEqual(self.run_cli("stores", self.database), b"default\n")
        message = self.fail_cli("get", self.database, "a", "-s", "notes")
        self.assertIn("there is no store “notes”", message)
        self.fail_cli("put", self.database, "a", "b", "-s", "notes")
        self.run_cli("put", self.database, "a", "b", "-s", "notes", "--create")


if __name__ == "__main__":
    main()
