# SPDX-License-Identifier: MIT
"""storage, bigkeys, report: maps, pages, places and sizes, of sound and of damaged databases."""

import json
import os
import stat

from command_line import DONE, FAILED, NEGATIVE, CommandLineTest, main


class Storage(CommandLineTest):
    def fill(self):
        self.create()
        lines = "".join(f'{{"id": {i}, "text": "{"v" * (i % 90)}"}}\n' for i in range(3000))
        self.run_cli("import", "json", self.write("lines", lines), self.database, "--key", "id", "-q")
        self.put("large", "x" * 30000)
        self.run_cli("put", self.database, "bob", "Paris", "--store", "people", "--create")
        self.run_cli("put", self.database, "--input", "hex", "00ff0a", "61")
        self.run_cli("checkpoint", self.database, "-q")
        self.run_cli("compact", self.database, "-q")

    def segment(self):
        """The number of the only one."""
        found = []

        def visit(node):
            if node["kind"] == "segment":
                found.append(node["number"])
            for part in node.get("parts", []):
                visit(part)

        visit(self.run_json("storage", self.database)["database"])
        self.assertEqual(len(found), 1)
        return str(found[0])

    def decider(self, key, status=DONE):
        """The place from where the answer comes, of those that are told."""
        lines = self.run_cli("storage", self.database, "--locate", key, "--json", status=status)
        places = [json.loads(line) for line in lines.splitlines()]
        self.assertGreater(len(places), 1)  # the table in memory, and a run
        return next(place for place in places if place["decides"])

    def test_map(self):
        self.fill()
        text = self.run_cli("storage", self.database).decode()
        for words in ("level 0", "run ", ".seg", "large values", ".blob", "% alive", "log", "together",
                      "people", "(catalogue)", "█"):
            self.assertIn(words, text)
        plain = self.run_raw("storage", self.database, LC_ALL="C").stdout.decode()
        self.assertIn("#", plain)
        self.assertNotIn("█", plain)
        written = self.run_json("storage", self.database)
        self.assertEqual(written["faults"], [])
        self.assertEqual({store["name"] for store in written["stores"]},
                         {"catalogue", "default", "people"})
        database = written["database"]
        self.assertEqual(database["bytes"], sum(part["bytes"] for part in database["parts"]))
        on_disk = sum(entry.stat().st_size for entry in os.scandir(self.database))
        self.assertEqual(database["bytes"], on_disk)

    def test_long_names(self):
        """A store's name longer than its column is cut, so that columns stay columns."""
        self.create()
        for name in ("n" * 255, "\u65e5" * 85, "x" * 22, "y" * 21):
            self.run_cli("stores", self.database, "--create", name)
        lines = self.run_cli("storage", self.database).decode().splitlines()
        stores = lines[next(i for i, line in enumerate(lines) if line.startswith("STORE")) + 1:]
        self.assertEqual([line.split()[0] for line in stores if line[0] in "nxy\u65e5"],
                         ["n" * 20 + "\u2026", "x" * 20 + "\u2026", "y" * 21, "\u65e5" * 10 + "\u2026"])

    def test_pages(self):
        self.fill()
        segment = self.segment()
        text = self.run_cli("storage", self.database, "--segment", segment).decode()
        pages = [json.loads(line) for line in self.run_cli(
            "storage", self.database, "--segment", segment, "--read", "--json").splitlines()]
        self.assertEqual(len(text.splitlines()), len(pages) + 1)
        self.assertEqual([page["page"] for page in pages], list(range(len(pages))))
        records = sum(page["records"] for page in pages if page["level"] == 0)
        self.assertEqual(records, 3000 + 1 + 1 + 1 + 2)  # lines, large, hex, bob, the catalogue
        one = self.run_json("storage", self.database, "--segment", segment, "--page", "0")
        self.assertEqual(len(one["contents"]), pages[0]["records"])
        self.assertEqual(len(one["decoded_hex"]), 2 * pages[0]["used"])
        self.assertEqual(len(one["stored_hex"]), 2 * pages[0]["stored"])
        self.assertEqual(one["fields"][0], {"name": "kind", "offset": 0, "size": 1, "value": 1})
        words = self.run_cli("storage", self.database, "--segment", segment, "--page", "0").decode()
        for part in ("base sequence", "decoded:", "00000000  01"):
            self.assertIn(part, words)
        root = self.run_json("storage", self.database, "--segment", segment, "--page",
                             str(len(pages) - 1))
        self.assertGreater(root["level"], 0)
        self.assertTrue(all("child" in entry for entry in root["contents"]))

    def test_locate(self):
        self.fill()
        place = self.decider("77")
        self.assertEqual((place["verdict"], place["decides"]), ("found", True))
        page = self.run_json("storage", self.database, "--segment", str(place["segment"]), "--page",
                             str(place["page"]))
        self.assertEqual(page["contents"][place["slot"]]["key"], "77")
        self.assertIn("→", self.run_cli("storage", self.database, "--locate", "77").decode())
        self.run_cli("storage", self.database, "--locate", "nothing", status=NEGATIVE)
        self.assertIn("blob", self.run_cli("storage", self.database, "--locate", "large").decode())
        self.run_cli("storage", self.database, "--locate", "00ff0a", "--input", "hex")
        self.run_cli("storage", self.database, "--locate", "bob", status=NEGATIVE)
        self.run_cli("storage", self.database, "--locate", "bob", "--store", "people")
        self.run_cli("del", self.database, "77")
        self.run_cli("storage", self.database, "--locate", "77", status=NEGATIVE)

    def test_bigkeys(self):
        self.fill()
        text = self.run_cli("bigkeys", self.database, "--limit", "2").decode()
        self.assertEqual(text.splitlines()[0].split(), ["30,000", "large"])
        self.assertIn("█", text)
        sizes = self.run_json("bigkeys", self.database, "--limit", "3")
        self.assertEqual((sizes["records"], sizes["share"], sizes["faults"]), (3002, 1, 0))
        self.assertEqual(sizes["biggest"][0], {"key": "large", "size": 30000})
        self.assertEqual(len(sizes["biggest"]), 3)
        self.assertEqual(sizes["value_size"]["max"], 30000)
        self.assertEqual(sum(bucket["count"] for bucket in sizes["value_sizes"]), 3002)
        self.assertEqual(self.run_json("bigkeys", self.database, "--prefix", "29")["records"], 111)
        self.assertEqual(self.run_json("bigkeys", self.database, "--store", "people")["biggest"],
                         [{"key": "bob", "size": 5}])
        self.assertLess(self.run_json("bigkeys", self.database, "--time-limit", "1e-6")["share"], 1.1)
        self.assertIn("00ff0a", self.run_cli("bigkeys", self.database, "--json", "--limit", "9999").decode())
        self.run_cli("put", self.database, "--store", "long", "--create", "k" * 65536, "value")
        text = self.run_cli("bigkeys", self.database, "--store", "long").decode()
        self.assertIn("5  " + "k" * 60 + "… (65.5 kB)\n", text)
        self.assertEqual(len(self.run_json("bigkeys", self.database, "--store", "long")["biggest"][0]["key"]), 65536)

    def test_wrong_command_lines(self):
        self.create()
        for words, *arguments in (
            ("--segment", "storage", "--page", "1"), ("choose one", "storage", "--segment", "1", "--locate", "k"),
            ("from 0 on", "storage", "--segment", "-7"), ("--locate", "storage", "--input", "hex"),
            ("no segment 99", "storage", "--segment", "99"), ("--limit", "bigkeys", "--limit", "10001"),
            ("--limit", "bigkeys", "--limit", "-1"), ("--time-limit", "bigkeys", "--time-limit", "-1"),
            ("no store", "bigkeys", "--store", "none"), ("choose one", "bigkeys", "--prefix", "a", "--to", "b"),
        ):
            self.assertIn(words, self.fail_cli(arguments[0], self.database, *arguments[1:]))
        self.assertIn("together", self.run_cli("storage", self.database).decode())
        self.assertEqual(self.run_json("bigkeys", self.database)["records"], 0)
        self.assertEqual(self.run_cli("bigkeys", self.path("none.db"), status=FAILED), b"")

    def test_damage(self):
        self.fill()
        segment = self.segment()
        place = self.decider("1500")
        page = self.run_json("storage", self.database, "--segment", segment, "--page",
                             str(place["page"]))
        file = os.path.join(self.database, segment + ".seg")
        with open(file, "r+b") as damaged:
            damaged.seek(page["offset"] + 20)
            byte = damaged.read(1)[0]
            damaged.seek(page["offset"] + 20)
            damaged.write(bytes([byte ^ 16]))
        text = self.run_cli("storage", self.database, "--segment", segment, "--read",
                            status=NEGATIVE).decode()
        self.assertEqual(text.count("DAMAGED"), 1)
        self.assertIn(f"{segment}.seg: page {place['page']}: its checksum", text)
        self.run_cli("storage", self.database, "--segment", segment)  # the directory is sound
        words = self.run_cli("storage", self.database, "--segment", segment, "--page",
                             str(place["page"]), status=NEGATIVE).decode()
        self.assertIn("in the file:", words)
        found = self.decider("1500", status=NEGATIVE)
        self.assertEqual(found["verdict"], "fault")
        result = self.run_raw("bigkeys", self.database, "--json")
        self.assertEqual(result.returncode, NEGATIVE)
        self.assertGreater(json.loads(result.stdout)["faults"], 0)
        self.assertIn(f"{segment}.seg", result.stderr.decode())

    def test_report(self):
        self.fill()
        text = self.run_cli("report", self.database).decode()
        for words in ("Lightning DB report", "Stores", "people", "Options", "cache-size"):
            self.assertIn(words, text)
        self.assertNotIn("bob", text)
        self.assertIn("large", self.run_cli("report", self.database, "--keys").decode())
        written = self.run_json("report", self.database)
        self.assertEqual(written["storage"]["database"]["kind"], "database")
        self.assertNotIn("smallest", json.dumps(written))
        self.assertIn("smallest", json.dumps(self.run_json("report", self.database, "--keys")))
        page = self.path("report.html")
        self.assertEqual(self.run_cli("report", self.database, "--output", page), b"")
        with open(page, encoding="utf-8") as file:
            html = file.read()
        self.assertTrue(html.startswith("<!DOCTYPE html>") and html.endswith("</html>\n"))
        self.assertEqual(os.stat(page).st_mode & 0o777, 0o600)
        self.assertEqual(self.run_cli("report", self.database, "--format", "html")[:15], b"<!DOCTYPE html>")
        self.assertIn("choose text, json or html", self.fail_cli("report", self.database, "-f", "xml"))
        self.fail_cli("report", self.database, "--output", self.path("none/report.html"))

    def test_report_to_what_is_there(self):
        """What is no file is written to and stays what it is, a link stays one, a database stays whole."""
        self.create()
        pipe, link, target = self.path("pipe"), self.path("link"), self.write("target", "")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.run_cli("report", self.database, "--output", pipe)
        self.assertTrue(os.read(reader, 65536).startswith(b"Lightning DB report\n"))
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        os.symlink(target, link)
        self.run_cli("report", self.database, "--output", link)
        self.assertTrue(os.path.islink(link) and os.path.getsize(target) > 0)
        names = sorted(os.listdir(self.database))
        for name in ("CURRENT", "report.html"):
            self.assertIn("lies in the database",
                          self.fail_cli("report", self.database, "--output", os.path.join(self.database, name)))
        self.assertEqual(sorted(os.listdir(self.database)), names)
        self.run_cli("check", self.database)

    def test_shell(self):
        self.fill()
        text = self.run_cli("shell", self.database, stdin=b"storage\nbigkeys --limit 1\n").decode()
        self.assertIn("together", text)
        self.assertIn("30,000", text)


if __name__ == "__main__":
    main()
