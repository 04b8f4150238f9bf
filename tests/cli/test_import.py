# SPDX-License-Identifier: MIT
"""import csv, json and control: what comes in, and what is refused with its line."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import time

from command_line import FAILED, PROGRAM, CommandLineTest, main


class ImportTest(CommandLineTest):
    kind = None

    def load(self, content, *arguments, status=0):
        path = self.write("input", content)
        return self.run_cli("import", self.kind, "--create", path, self.database, *arguments, status=status)

    def refuse(self, content, *words, arguments=()):
        """The message has the words, and nothing is in the database, or there still is none."""
        path = self.write("input", content)
        existed = os.path.exists(self.database)
        message = self.fail_cli("import", self.kind, "--create", path, self.database, *arguments)
        for word in words:
            self.assertIn(word, message)
        self.assertEqual(os.path.exists(self.database), existed)
        if existed:
            self.assertEqual(self.run_cli("scan", self.database, "--count"), b"0\n")

    def values(self, *arguments):
        return {record["key"]: record["value"] for record in self.scan(*arguments)}


class Csv(ImportTest):
    kind = "csv"

    def test_rows(self):
        self.load("id,name,note\n1,Ada,\n2,Bo,\"a, b\"\n")
        self.assertEqual(
            {key: json.loads(value) for key, value in self.values().items()},
            {
                "1": {"id": "1", "name": "Ada", "note": ""},
                "2": {"id": "2", "name": "Bo", "note": "a, b"},
            },
        )

    def test_rfc_4180(self):
        text = '\ufeffk,v\r\n"a ""quoted"" key","two\r\nlines"\r\n\r\nb,"" \r\n'
        self.refuse(text, "line 5", "closing quote")
        text = 'k,v\r\n"a ""quoted"" key","two\r\nlines"\r\n\r\nb,""\r\nc,last without end'
        self.load("\ufeff" + text, "--value-column", "v")
        self.assertEqual(
            self.values(), {'a "quoted" key': "two\r\nlines", "b": "", "c": "last without end"}
        )

    def test_block_ends(self):
        """An empty line and a byte order mark are seen for what they are wherever a read ends."""
        block = 256 * 1024
        lines = [b"k,v"]
        size = len(lines[0]) + 2
        while size < block - 100:
            lines.append(b"%d,%s" % (len(lines), b"x" * 40))
            size += len(lines[-1]) + 2
        lines.append(b"end,%s" % (b"y" * (block - 1 - size - len("end,") - 2)))
        text = b"\r\n".join([*lines, b"", b"z,1", b""])
        self.assertEqual(text[block - 3 : block + 1], b"\r\n\r\n")
        self.load(text)
        self.assertEqual(len(self.values()), len(lines))
        self.assertEqual(self.values()["z"], '{"k":"z","v":"1"}')
        with subprocess.Popen(
            [PROGRAM, "import", "csv", "-", self.database, "--store", "bom"], stdin=subprocess.PIPE
        ) as process:
            for piece in (b"\xef", b"\xbb", b"\xbfk,v\n1,2\n"):
                process.stdin.write(piece)
                process.stdin.flush()
                time.sleep(0.1)
            process.stdin.close()
            self.assertEqual(process.wait(timeout=600), 0)
        self.assertEqual(self.values("--store", "bom"), {"1": '{"k":"1","v":"2"}'})

    def test_would_lose_something(self):
        self.create()
        self.refuse("id,v\r1,a\r2,b\r", "line 1", "carriage return")
        self.refuse("id,v\n1,a\rb\n", "line 2", "carriage return")
        self.refuse("id,id\n1,a\n", "line 1", "two columns", "id")
        self.refuse("id,v\n1,a\0b\n", "line 2", "zero byte", "v")
        self.load("id,id\n1,a\n", "--no-header")
        self.assertEqual(json.loads(self.values()["1"]), {"1": "1", "2": "a"})

    def test_columns(self):
        text = "name;id;x\nAda;1;u\nBo;2;v\n"
        self.load(text, "--delimiter", ";", "--key-column", "id", "--value-column", "3")
        self.assertEqual(self.values(), {"1": "u", "2": "v"})
        message = self.fail_cli("import", "csv", self.path("input"), self.database, "-k", "nix", "-d", ";")
        self.assertIn("there is no column “nix”; the columns are name, id, x", message)
        self.fail_cli("import", "csv", self.path("input"), self.database, "-d", "::")
        self.fail_cli("import", "csv", self.path("input"), self.database, "-d", '"')
        self.load("a\tb\n", "--no-header", "-d", "tab", "-v", "2", "--store", "tabs")
        self.assertEqual(self.values("--store", "tabs"), {"a": "b"})

    def test_no_header(self):
        self.load("a,b\nc,d\n", "--no-header")
        self.assertEqual(self.values(), {"a": '{"1":"a","2":"b"}', "c": '{"1":"c","2":"d"}'})

    def test_wrong_rows(self):
        self.refuse("k,v\na,1\nb\nc,3\n", "line 3", "1 field", "2 columns", "--skip-bad")
        self.refuse("k,v\na,1\nb,2,3\n", "line 3", "3 fields")
        self.refuse("k\na\nb,2\n", "line 3", "2 fields, but the file has 1 column ")
        self.refuse('k,v\na,1\n"b,2\nc,3\n', "line 3", "closing quote is missing")
        self.refuse('k,v\na,1\nb,x"y\n', "line 3", "not quoted")
        self.refuse("k,v\n,1\n", "line 2", "empty")
        self.refuse(b"k,v\na,\xff\xfe\n", "line 2", "UTF-8")
        self.refuse(b"k\xff,v\na,1\n", "UTF-8")
        self.refuse("k,v\n" + "x" * 65537 + ",1\n", "line 2")
        self.fail_cli("import", "csv", self.write("empty", ""), self.database)

    def test_nothing_half_imported(self):
        self.create()
        rows = "".join(f"{i},{'v' * 50}\n" for i in range(20000))
        self.refuse("k,v\n" + rows + "bad\n", "line 20002")
        self.fail_cli("import", "csv", self.path("input"), self.database, "-s", "new")
        self.assertEqual(self.run_cli("stores", self.database), b"default\n")
        self.load("k,v\n" + rows + "bad\n", "--skip-bad", "-v", "v")
        self.assertEqual(self.run_cli("scan", self.database, "--count"), b"20000\n")

    def test_skip_bad(self):
        path = self.write("input", 'k,v\na,1\nb\n"c"x,2\n,3\nd,4\n' + "x" * 65537 + ",5\n")
        result = self.run_raw("import", "csv", "--create", path, self.database, "--skip-bad", "-v", "v")
        self.assertEqual(result.returncode, 0)
        for line in (3, 4, 5, 7):
            self.assertIn(f"line {line}:".encode(), result.stderr)
        self.assertIn(b"Imported 2 records", result.stdout)
        self.assertIn(b"Skipped 4", result.stdout)
        self.assertEqual(self.values(), {"a": "1", "d": "4"})

    def test_pipe_and_json(self):
        result = self.run_json("import", "csv", "--create", "-", self.database, stdin=b"k,v\na,1\na,2\n")
        self.assertEqual((result["records"], result["skipped"]), (2, 0))
        self.assertEqual(self.values(), {"a": '{"k":"a","v":"2"}'})

    def test_garbage(self):
        self.create()
        for i in range(20):
            result = self.run_raw("import", "csv", "-", self.database, stdin=os.urandom(5000))
            self.assertNotEqual(result.stderr + result.stdout, b"")

    def test_against_another_reader(self):
        """What Python's csv module writes and reads comes out the same."""
        generator = random.Random(11)
        pieces = ["a", "ä", ",", '"', "\n", "\r\n", " ", "", "long " * 50, "\\", ";", "\t", "{}"]
        for delimiter, end in ((",", "\r\n"), (";", "\n"), ("\t", "\n")):
            rows = []
            for number in range(2000):
                cells = ["".join(generator.choices(pieces, k=generator.randint(0, 4))) for _ in range(3)]
                rows.append([f"key {number}", *cells])
            text = io.StringIO()
            csv.writer(text, delimiter=delimiter, lineterminator=end).writerows([["k", "1", "2", "3"], *rows])
            self.load(text.getvalue(), "-d", delimiter, "-s", f"store {ord(delimiter)}")
            values = self.values("-s", f"store {ord(delimiter)}")
            self.assertEqual(len(values), len(rows))
            for row in rows:
                self.assertEqual(list(json.loads(values[row[0]]).values()), row)

    def test_interrupt(self):
        """Ctrl+C while it waits for more: nothing of it is there."""
        self.create()
        with subprocess.Popen(
            [PROGRAM, "import", "csv", "-", self.database, "--store", "new"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdin.write(b"k,v\na,1\nb,2\n" * 20000)
            process.stdin.flush()
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            self.assertIn(b"interrupted; nothing of it was written", process.stderr.read())
            self.assertEqual(process.wait(), FAILED)
        self.assertEqual(self.run_cli("stores", self.database), b"default\n")

    def test_binary_keys(self):
        self.load(b"k,v\n\x00\xff,1\n", "-v", "v")
        self.assertEqual(self.run_cli("scan", self.database), b"\\x00\\xff\t1\n")


class Json(ImportTest):
    kind = "json"

    def test_lines(self):
        self.load('{"id": 7, "name": "Ada"}\n\n  {"id": "b"}  \n')
        self.assertEqual(self.values(), {"7": '{"id": 7, "name": "Ada"}', "b": '  {"id": "b"}  '})

    def test_key(self):
        self.load('{"user": {"name": "Ada"}}\r\n', "--key", "user.name")
        self.assertEqual(self.values(), {"Ada": '{"user": {"name": "Ada"}}'})

    def test_zero_in_key(self):
        """Keys are not cut off at a zero character, so that they cannot fall together."""
        self.refuse('{"id": "a\\u0000b"}\n', "line 1", "zero character")
        self.refuse('{"id": "\\u0000"}\n', "line 1", "zero character")
        good = {"a\\u0000b": '{"id": "a\\\\u0000b"}', "c": '{"id": "c", "v": "x\\u0000y"}'}
        self.load("\n".join(good.values()))
        self.assertEqual(self.values(), good)

    def test_wrong_lines(self):
        good = '{"id": 1}\n'
        self.refuse(good + "{]\n", "line 2")
        self.refuse(good + "[1]\n", "line 2", "not a JSON object")
        self.refuse(good + '{"name": 1}\n', "line 2", "no member “id”")
        self.refuse(good + '{"id": null}\n', "line 2", "no member “id”")
        self.refuse(good + '{"id": 1.5}\n', "line 2")
        self.refuse(good + '{"id": ""}\n', "line 2")
        self.refuse(good + '{"id": 1}{"id": 2}\n', "line 2")
        for lenient in ("{'id': 2}", '{"id": 2} // x', '{"id": 2 /* x */}', 'var a = {"id": 2}', '{id: 2}', '"id"'):
            self.refuse(good + lenient + "\n", "line 2")
        self.refuse(good + '{"id": "a\tb"}\n', "line 2", "control character")
        self.load('{"id": "quote \\" brace } and \\\\", "n": [1.5e-3, true, false, null]}\n', "-s", "odd")
        self.assertEqual(list(self.values("-s", "odd")), ['quote " brace } and \\'])
        self.refuse(b'{"id": "\xff"}\n', "line 1", "UTF-8")
        self.refuse(b'{"id": "a\x00b"}\n', "line 1")
        self.refuse('{"a":' * 100000 + "1" + "}" * 100000, "line 1", "nested")
        self.refuse("{\"a\":" + "[" * 1000000, "line 1", "nested")

    def test_strictly_json(self):
        """What is stored as JSON is JSON, whatever the parser would take."""
        for wrong in (
            "010", "-01", "00", "08", "1.", ".5", "+1", "1e", "1e+", "--1", "1-1", "tru", "truefalse",
            "[1,]", "[,]", "[1 2]", "[}", "{]", '{"a"}', '{"a":}', '{"a":1,}', "{:1}", "{1:2}", "NaN",
            '"\\q"', '"\\x41"', '"\\101"', '"\\\'"', '"\\u12"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"',
        ):
            self.refuse('{"id": 1, "v": ' + wrong + "}\n", "line 1")
        for wrong in ('{"id": 010}', '{"id": "\\q"}', '{"id": 1,}', '{"id": 1', '{"id": 1}}', '{"id": "a', '{"id" 1}'):
            self.refuse(wrong + "\n", "line 1")
        good = [
            '{"id": "a\\ud83d\\ude00b"}', '{"id": "\\u00e9\\/\\b\\f\\n\\r\\t"}', '{"id": -0, "v": [[], {}, [{"a": [0.5E+7]}]]}',
            '{ "id" : 5 , "v" : [ true , false , null , "" , -0.0 , 1e-400 ] }', '{"\\u0069d": "named by an escape"}',
        ]
        self.load("\n".join(good), "-s", "good")
        expected = {str(json.loads(line)["id"]): line for line in good}
        self.assertEqual(self.values("-s", "good"), expected)

    def test_large_integers(self):
        """Keys of more than 64 bits keep their digits, so that they cannot fall together."""
        self.refuse('{"id": 123456789012345678901.5}\n', "line 1", "no member “id”")
        numbers = [
            2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**40, 10**40 + 1, -(2**63), -(2**63) - 1, -(10**30),
            12345678901234567890,
        ]
        self.load("".join(f'{{"id": {number}, "v": {number}}}\n' for number in numbers))
        self.assertEqual(self.values(), {str(n): f'{{"id": {n}, "v": {n}}}' for n in numbers})

    def test_skip_bad(self):
        self.load('{"id": 1}\nnonsense\n{"id": 2}\n', "--skip-bad")
        self.assertEqual(sorted(self.values()), ["1", "2"])

    def test_garbage(self):
        self.create()
        for i in range(20):
            self.fail_cli("import", "json", "-", self.database, stdin=b"{" + os.urandom(3000))


class Control(ImportTest):
    kind = "control"
    stanza = "Package: bash\nVersion: 5.2\nDescription: shell\n with two lines\n"

    def test_stanzas(self):
        self.load("# comment\n\n" + self.stanza + "\n\npackage: git \nVersion: 2\n")
        self.assertEqual(self.values(), {"bash": self.stanza, "git": "package: git \nVersion: 2\n"})

    def test_key(self):
        self.load(self.stanza + "\nPackage: bash\nVersion: 6\n", "--key", "Package:Version")
        self.assertEqual(sorted(self.values()), ["bash:5.2", "bash:6"])

    def test_wrong_stanzas(self):
        self.refuse(self.stanza + "\nVersion: 3\n", "line 6", "no field “Package”")
        self.refuse(self.stanza + "\nPackage: x\nnonsense\n", "line 7", "Field: value")
        self.refuse(" continued\nPackage: x\n", "line 1", "continuation")
        self.refuse("Package:\nVersion: 1\n", "line 1", "no field “Package”")
        self.refuse(os.urandom(3000) + b"\nx", "line")

    def test_skip_bad(self):
        self.load(self.stanza + "\nVersion: 3\n\nPackage: git\n", "--skip-bad")
        self.assertEqual(sorted(self.values()), ["bash", "git"])


class Import(CommandLineTest):
    def test_kind(self):
        self.assertIn("import csv, import json or import control", self.fail_cli("import", "xml", "a", "b"))
        self.assertIn("import csv", self.fail_cli("import"))
        self.assertIn("DATABASE is missing", self.fail_cli("import", "csv", self.write("a", "k\n1\n")))
        self.assertIn("create", self.fail_cli("import", "csv", self.path("a"), self.database))
        self.assertIn("cannot be read", self.fail_cli("import", "csv", self.path("nix"), self.database))


if __name__ == "__main__":
    # The shared base class has no tests of its own.
    main()
