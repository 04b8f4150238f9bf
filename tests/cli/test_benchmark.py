# SPDX-License-Identifier: MIT
"""lightning-cli benchmark: it measures, verifies, and leaves nothing behind. No timings."""

import json
import os
import subprocess

from command_line import FAILED, PROGRAM, CommandLineTest, main


class Benchmark(CommandLineTest):
    def test_rows(self):
        lines = self.run_cli(
            "benchmark", self.path("bench"), "--records", "2000", "--seconds", "0.2", "--quiet"
        ).decode().splitlines()
        self.assertEqual(len(lines), 17)
        self.assertRegex(lines[0], r"^fill in order, single puts +[0-9,]+ records/s  P50 ")
        self.assertTrue(any(line.startswith("80 % reads, 20 % overwrites, 8 threads") for line in lines))
        self.assertFalse(os.path.exists(self.path("bench")))

    def test_json_and_keep(self):
        self.run_cli(
            "benchmark", self.path("bench"), "--records", "1000", "--rows",
            "readrandom@2,deleterandom,check", "--keep", "--json",
        )
        self.assertEqual(self.run_json("inspect", self.path("bench"), "--count")["stores"]["default"], 0)

    def test_rows_without_fill(self):
        lines = self.run_cli(
            "benchmark", self.path("bench"), "--records", "1000", "--rows", "readhot", "--json"
        ).decode().splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn('"row":"readhot"', lines[2])
        self.assertIn('"p999_ns":', lines[2])

    def test_mix(self):
        """The kinds of operations that the inspector's load tests have, by their shares."""
        mix = {"reads": 30, "missing": 10, "writes": 20, "scans": 10, "transactions": 10, "deletes": 20}
        lines = self.run_cli(
            "benchmark", self.path("bench"), "--records", "1000", "--seconds", "0.5", "--threads", "2", "--order", "hot",
            "--mix", ",".join(f"{kind}={share}" for kind, share in mix.items()), "--json"
        ).decode().splitlines()
        rows = [json.loads(line) for line in lines]
        self.assertEqual([row["row"] for row in rows[:2]], ["fillrandom-batch", "settle"])
        self.assertEqual({row["kind"]: row["share"] for row in rows[2:]}, mix)
        for row in rows[2:]:
            self.assertGreater(row["operations"], 0, row)
            self.assertEqual(row["threads"], 2)
            self.assertLessEqual(row["p50_ns"], row["longest_ns"])
        self.assertFalse(os.path.exists(self.path("bench")))
        lines = self.run_cli("benchmark", self.path("bench"), "--records", "1000", "--seconds", "0.2", "--mix", "deletes=1",
                             "--quiet").decode().splitlines()
        self.assertRegex(lines[-1], r"^Deletions +[0-9,]+ operations/s  P50 ")

    def test_wrong_mix(self):
        for arguments, text in ((["--mix", "reads"], "kinds are: reads, missing"), (["--mix", "read=5"], "kinds are:"),
                                (["--mix", "reads=-1"], "kinds are:"), (["--mix", "reads=0"], "at least one kind"),
                                (["--mix", "reads=1", "--order", "odd"], "evenly, hot, in-order"),
                                (["--mix", "reads=1", "--rows", "seek"], "instead of rows"),
                                (["--order", "hot"], "of a mix"), (["--threads", "2"], "of a mix"),
                                (["--mix", "reads=1", "--threads", "65"], "from 1 to 64")):
            self.assertIn(text, self.fail_cli("benchmark", self.path("bench"), *arguments))
        self.assertFalse(os.path.exists(self.path("bench")))

    def test_full_disk(self):
        """It says what is the matter, and leaves nothing behind."""
        disk = self.path("disk")
        os.mkdir(disk)
        mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 'mount -t tmpfs -o size=16m none "$0" || exit 77; "$@"; status=$?; ls -A "$0"; exit $status', disk]
        if subprocess.run([*mount, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no file system can be mounted here")
        for arguments in (["--rows", "fillrandom,readrandom"], ["--rows", "fillrandom-batch"], ["--rows", "bulkload"],
                          ["--mix", "writes=90,deletes=10"]):
            result = subprocess.run(
                [*mount, PROGRAM, "benchmark", f"{disk}/bench", "--records", "2000000", "--no-compression", *arguments],
                capture_output=True, check=False, timeout=600, env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.assertEqual((result.returncode, result.stdout.decode()), (FAILED, ""), result.stderr)
            self.assertIn("No space left on device", result.stderr.decode())

    def test_wrong(self):
        os.mkdir(self.path("there"))
        self.assertIn("is there already", self.fail_cli("benchmark", self.path("there")))
        message = self.fail_cli("benchmark", self.path("bench"), "--rows", "readrandom,nothing")
        self.assertIn("readmissing", message)
        self.fail_cli("benchmark", self.path("bench"), "--rows", "readrandom@0")
        self.fail_cli("benchmark", self.path("bench"), "--records", "5")
        self.fail_cli("benchmark", self.path("bench"), "--value-size", "-5")
        self.fail_cli("benchmark", self.path("bench"), "--key-size", "3")
        self.fail_cli("benchmark", self.path("bench"), "--cache-size", "many")
        self.fail_cli("benchmark", self.path("bench"), "--cache-size", "1KiB")
        self.assertFalse(os.path.exists(self.path("bench")))


if __name__ == "__main__":
    main()
