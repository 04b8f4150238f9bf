# SPDX-License-Identifier: MIT
"""What is logged is the same everywhere: test_log_catalogue.py LIST.h MONITORING.md CATALOG

Each kind of line that the library has (name, level, id, fields) stands in the guide and in journald's
catalog once, and nothing else does.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest

list_path, guide_path, catalog_path = sys.argv[1:]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def kinds():
    """name → (level, id, fields)"""
    calls = re.findall(r"^LDB_LOG_KIND \((.*?)\)$", read(list_path), re.MULTILINE | re.DOTALL)
    parts = [re.match(r'\w+,\s+"([^"]+)",\s+(\w+),\s+"\w+",\s+"([^"]+)",\s+"([^"]*)"$', call).groups() for call in calls]
    return {name: (level.lower(), identity, fields.split()) for name, level, identity, fields in parts}


class LogCatalogue(unittest.TestCase):
    def test_list(self):
        found = kinds()
        self.assertGreater(len(found), 20)
        self.assertEqual(len({identity for _, identity, _ in found.values()}), len(found))
        for name, (level, identity, _) in found.items():
            with self.subTest(name):
                self.assertRegex(identity, "^[0-9a-f]{32}$")
                self.assertIn(level, ("warning", "message", "info", "debug"))

    def test_guide(self):
        told = {}
        section = read(guide_path).split("\n## The log\n")[1].split("\n## ")[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if re.fullmatch("`[0-9a-f]{32}`", cells[-1]):
                name, level, fields = cells[0].strip("`"), cells[1], re.findall("`([A-Z_]+)`", cells[3])
                self.assertNotIn(name, told)
                self.assertGreater(len(cells[2]), 10)
                told[name] = (level, cells[-1].strip("`"), fields)
        self.assertEqual(told, kinds())
        fields = {field for _, _, all_of_it in kinds().values() for field in all_of_it}
        explained = set(re.findall(r"^\| `(LDB_[A-Z_]+)` \|", section, re.MULTILINE))
        self.assertEqual(explained, fields | {"LDB_EVENT"})

    def test_catalog(self):
        entries = re.split(r"^-- ([0-9a-f]{32})$", read(catalog_path), flags=re.MULTILINE)[1:]
        told = dict(zip(entries[::2], entries[1::2]))
        self.assertEqual(len(entries), 2 * len(told))
        of_id = {identity: fields for _, identity, fields in kinds().values()}
        self.assertEqual(set(told), set(of_id))
        for identity, text in told.items():
            with self.subTest(identity):
                head, _, body = text.strip().partition("\n\n")
                self.assertRegex(head, r"^Subject: .+\nDefined-By: Lightning DB$")
                self.assertGreater(len(body), 20)
                self.assertEqual(set(re.findall("@([A-Z_]+)@", text)) - set(of_id[identity]), set())

    @unittest.skipUnless(shutil.which("journalctl"), "there is no journalctl")
    def test_journalctl(self):
        """It reads the catalog without a complaint."""
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["mkdir", "-p", f"{root}/usr/lib/systemd/catalog", f"{root}/var/lib/systemd/catalog"], check=True)
            shutil.copy(catalog_path, f"{root}/usr/lib/systemd/catalog/")
            done = subprocess.run(["journalctl", f"--root={root}", "--update-catalog"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            listed = subprocess.run(["journalctl", f"--root={root}", "--list-catalog"], capture_output=True, text=True, check=True)
            for _, identity, _ in kinds().values():
                self.assertIn(identity, listed.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
