# SPDX-License-Identifier: MIT
"""lightning-cli benchmark: it measures, verifies, and leaves nothing behind. No timings."""

import os

from command_line import CommandLineTest, main


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
