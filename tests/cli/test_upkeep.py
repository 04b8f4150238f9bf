# SPDX-License-Identifier: MIT
"""inspect, check, compact, checkpoint, backup, restore, repair; two processes; languages."""

import glob
import os
import subprocess

from command_line import DONE, FAILED, LOCKED, NEGATIVE, PROGRAM, CommandLineTest, main


class Upkeep(CommandLineTest):
    def fill(self, count=2000):
        rows = "k,v\n" + "".join(f"{i:06},{'value ' * 10}{i}\n" for i in range(count))
        self.run_cli("import", "csv", "--create", "-v", "v", "-", self.database, stdin=rows.encode())

    def test_inspect(self):
        self.fill()
        lines = self.run_cli("inspect", self.database).decode().splitlines()
        self.assertEqual(lines[0], "Total keys: 2,000")
        self.assertRegex(lines[1], r"^Database size: [0-9.]+ [kM]B$")
        self.assertRegex(lines[2], r"^B\+Tree depth: [1-9]$")
        self.assertRegex(lines[3], r"^Page utilisation: [1-9][0-9]?0?%$")
        self.assertEqual(len(lines), 4)
        self.assertEqual(self.run_cli("stat", self.database).decode().splitlines(), lines)
        verbose = self.run_cli("inspect", self.database, "--verbose").decode()
        self.assertIn("Sorted runs: ", verbose)
        self.assertIn("Compression ratio: ", verbose)
        counts = self.run_json("inspect", self.database, "--count")
        self.assertEqual(counts["stores"], {"default": 2000})
        self.assertEqual(counts["keys"], 2000)

    def test_check(self):
        self.fill()
        lines = self.run_cli("check", self.database, "--deep").decode().splitlines()
        self.assertEqual(
            lines[:6],
            [
                "✓ Page checksums valid",
                "✓ B+Tree structure valid",
                "✓ Transaction log consistent",
                "✓ No orphaned pages",
                "✓ Large values intact",
                "✓ All checks passed",
            ],
        )
        self.assertIn("Read", lines[6])
        self.assertTrue(self.run_json("check", self.database)["passed"])
        self.assertIn(b"--deep", self.run_cli("check", self.database))
        self.assertIn(b"ok All checks passed", self.run_cli("check", self.database, LC_ALL="C"))
        self.fail_cli("check", self.path("nothing"))
        self.fail_cli("check", self.write("file", "x" * 5000))
        os.mkdir(self.path("empty"))
        self.fail_cli("check", self.path("empty"))

    def largest_file(self):
        files = [entry.path for entry in os.scandir(self.database) if entry.is_file()]
        return max(files, key=lambda path: (".log" not in path, os.path.getsize(path)))

    def damage(self):
        """Turns 100 bytes around in a data page of the largest segment."""
        self.run_cli("compact", self.database)
        path = self.largest_file()
        with open(path, "r+b") as file:
            file.seek(8000)
            old = file.read(100)
            file.seek(8000)
            file.write(bytes(byte ^ 0x55 for byte in old))
        return path

    def test_damage_and_repair(self):
        self.fill()
        path = self.damage()
        result = self.run_raw("check", self.database, "--deep")
        self.assertEqual(result.returncode, NEGATIVE)
        self.assertIn("✗ Page checksums wrong", result.stdout.decode())
        self.assertIn(os.path.basename(path), result.stdout.decode())
        report = self.run_json("check", self.database, "--deep", status=NEGATIVE)
        self.assertFalse(report["passed"])
        self.assertGreaterEqual(report["fault_count"], 1)
        self.assertIn("page", report["faults"][0])
        with open(path, "rb") as file:
            before = file.read()
        destination = self.path("saved.db")
        repaired = self.run_json("repair", self.database, destination, status=NEGATIVE)
        self.assertGreaterEqual(repaired["lost_pages"], 1)
        self.assertGreater(repaired["records"], 500)
        self.assertLess(repaired["records"], 2000)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before, "repair only reads the damaged database")
        self.run_cli("check", destination, "--deep")
        self.assertEqual(
            int(self.run_cli("scan", destination, "--count")), repaired["records"]
        )

    def test_repair_sound(self):
        self.fill()
        self.assertIn(b"Nothing was lost", self.run_cli("repair", self.database, self.path("same.db")))
        self.assertEqual(self.run_cli("dump", self.path("same.db")), self.run_cli("dump", self.database))
        self.fail_cli("repair", self.database, self.path("same.db"))
        self.fail_cli("repair", self.path("nothing"), self.path("other.db"))

    def test_garbage_files(self):
        """Whatever bytes stand in the files: an error or faults, never a crash or a hang."""
        self.fill()
        for name in os.listdir(self.database):
            path = os.path.join(self.database, name)
            with open(path, "rb") as file:
                whole = file.read()
            for content in (b"", b"\xff" * 4096, os.urandom(len(whole)), whole[: len(whole) // 2]):
                with open(path, "wb") as file:
                    file.write(content)
                for command in (("check", "--deep"), ("inspect",), ("scan", "--count")):
                    self.run_raw(command[0], self.database, *command[1:])
            with open(path, "wb") as file:
                file.write(whole)
        self.run_cli("check", self.database, "--deep")

    def test_compact_and_checkpoint(self):
        self.fill()
        self.run_cli("del", self.database, "--from", "000500")
        self.assertIn(b"Checkpoint: ", self.run_cli("checkpoint", self.database))
        result = self.run_json("compact", self.database)
        self.assertIn("bytes_after", result)
        self.assertEqual(self.run_json("inspect", self.database)["keys"], 500)
        self.assertEqual(self.run_json("inspect", self.database)["runs"], 1)

    def test_many_short_commands(self):
        """Each command leaves a run behind at most; now and then one stays to merge them."""
        self.create()
        for i in range(90):
            self.put(f"key {i}", "value")
        self.assertLess(self.run_json("inspect", self.database)["runs"], 40)
        self.assertEqual(self.run_cli("scan", self.database, "--count"), b"90\n")

    def test_backup_and_restore(self):
        self.fill()
        backup, restored = self.path("backup.db"), self.path("restored.db")
        first = self.run_json("backup", self.database, backup)
        self.put("new", "record")
        second = self.run_json("backup", self.database, backup)
        self.assertGreater(second["sequence"], first["sequence"])
        self.run_cli("compact", self.database)  # else a merge may replace all files in between
        self.run_cli("backup", self.database, backup)
        self.assertGreaterEqual(self.run_json("backup", self.database, backup)["kept_files"], 1)
        self.run_cli("check", backup, "--deep")
        self.assertIn(b"verified", self.run_cli("restore", backup, restored))
        self.assertEqual(self.run_cli("dump", restored), self.run_cli("dump", self.database))
        self.fail_cli("restore", backup, restored)
        self.fail_cli("restore", self.path("nothing"), self.path("x.db"))
        self.fail_cli("backup", self.database, self.write("file", ""))
        other = self.path("other.db")
        self.run_cli("create", other)
        self.fail_cli("backup", other, backup)

    def test_second_process(self):
        self.fill(10)
        with subprocess.Popen(
            [PROGRAM, "shell", self.database], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as writer:
            writer.stdin.write(b"put from-shell 1\nget -f escaped from-shell\n")
            writer.stdin.flush()
            self.assertEqual(writer.stdout.readline(), b"1\n")
            message = self.fail_cli("put", self.database, "a", "b", status=LOCKED)
            self.assertIn(self.database, message)
            self.assertEqual(self.run_cli("get", self.database, "from-shell"), b"1")
            self.assertEqual(self.run_cli("scan", self.database, "--count"), b"11\n")
            self.run_cli("check", self.database, "--deep")
            writer.stdin.close()
            self.assertEqual(writer.wait(), DONE)
        self.put("a", "b")

    def test_newer_format_or_foreign(self):
        os.mkdir(self.path("foreign"))
        self.write("foreign/data.mdb", "x")
        self.fail_cli("get", self.path("foreign"), "a")
        self.fail_cli("check", self.path("foreign"))
        self.assertEqual(os.listdir(self.path("foreign")), ["data.mdb"])

    def test_german(self):
        languages = os.environ.get("LIGHTNING_LANGUAGES")
        if not languages or not glob.glob(languages + "/de/LC_MESSAGES/*.mo"):
            self.fail("the German translation was not built")
        environment = {"TEXTDOMAINDIR": languages, "LANGUAGE": "de"}
        self.assertIn("Aufruf: lightning-cli", self.run_cli("--help", **environment).decode())
        self.assertIn("Keys", self.run_cli("scan", "--help").decode())
        self.fill()
        report = self.run_cli("report", self.database, **environment).decode()
        self.assertIn("Lightning-DB-Bericht\n====================\n", report)
        self.assertIn("\nZustand\n-------\n", report)
        page = self.run_cli("report", "--format", "html", self.database, **environment).decode()
        self.assertIn('<html lang="de">', page)
        self.assertIn("<h2>Auf dem Datenträger</h2>", page)


if __name__ == "__main__":
    main()
