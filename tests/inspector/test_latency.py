# SPDX-License-Identifier: MIT
"""How long operations take, in the inspector: test_latency.py INSPECTOR"""

import inspecting
from accessible import wait_for
from inspecting import IN_MEMORY

COUNT = 8  # the row of the percentiles that has the number of operations


class Latency(inspecting.Case):
    def test_latency(self):
        application = self.start()
        inspector = self.connect()
        inspector.show_page("Latency", "Durations over Time")
        inspector.wait_for("No operation took longer")
        application.do("slow", 1)  # not before: what the overview asks for reads the catalogue of stores
        inspector.choose("Operation", 1)  # all writes
        application.do("sync", 20)
        rows = wait_for("slow operations", lambda: inspector.rows("Slow Operations"))
        self.assertTrue(all(kind == "Batch" for time, kind, *rest in rows), rows)
        self.assertTrue(any("syncing the log" in spent for time, kind, duration, spent, *rest in rows), rows)
        if IN_MEMORY:
            self.compare(application, inspector)
        self.assertEqual(inspector.nameless(), [])
        application.end()
        inspector.wait_for("The database was closed")
        self.assertTrue(inspector.rows("Slow Operations"))  # what was seen stays
        self.assertEqual(inspector.close(), (0, ""))

    def compare(self, application, inspector):
        def counted(column):
            text = inspector.rows("Percentiles")[COUNT][column]
            return 0 if text == "–" else int(text)
        wait_for("writes", lambda: application.put(2000) or counted(1) > 0)
        inspector.use("Mark A")
        first = wait_for("span A", lambda: counted(2))
        wait_for("more writes", lambda: application.put(2000) or counted(1) > first)
        inspector.use("Pause")
        inspector.use("Mark B")
        second = wait_for("span B", lambda: counted(3))
        self.assertGreater(second, first)
        rows = inspector.rows("Percentiles")
        self.assertEqual(rows[COUNT][4], f"+{(second / first - 1) * 100:.0f} %")
        self.assertNotIn("–", (rows[0][2], rows[0][3], rows[0][4]))
        # What the heat map shows, as a table.
        next(inspector.find("group", "Durations over Time").all("button", "Show as table")).use()
        cells = wait_for("the table", lambda: inspector.rows("Durations over time"))
        self.assertEqual(sum(int(row[-1]) for row in cells), counted(1))
        for row in cells:
            self.assertEqual(sum(map(int, row[1:-1])), int(row[-1]))
        inspector.picture("latency")


if __name__ == "__main__":
    inspecting.main()
