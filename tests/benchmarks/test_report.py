# SPDX-License-Identifier: MIT
"""What the harness makes of figures that are made up: verdicts, tables, the report, what a run takes over from an
earlier one, and what it hands to the programs. None of them is needed, nothing is measured."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import re
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True

from harness import bars, engines, floors, groups, report, table  # noqa: E402

RECORDS = 1000
DATA = RECORDS * 100
PEER = 1024.0  # what the best peer reaches; a power of two, so that bar times peer divided by peer is the bar
LITTLE = 1 - 1e-9
BATCHES, SINGLE = (run for run, _ in bars.AMPLIFICATIONS)


def load_run():
    """tests/benchmarks/run as a module."""
    loader = importlib.machinery.SourceFileLoader("run", str(pathlib.Path(__file__).with_name("run")))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(module)
    return module


program = load_run()


def rounds(group, row, figures, side="rate", run=None, threads=1, **others):
    """The results of one row; `figures`: {engine: [a figure for each round]}."""
    return [{"group": group, "run": run or row, "engine": engine, "round": number, "records": RECORDS, "data": DATA,
             "row": row, "threads": threads, "operations": RECORDS, side: figure, **others}
            for engine, its in figures.items() for number, figure in enumerate(its)]


def failure(group, run, engine="lightning", number=0):
    return {"group": group, "run": run, "engine": engine, "round": number, "records": RECORDS,
            "failed": f"{engine}, {run}: made up"}


def all_failed():
    """No process of ours came to its end."""
    return [failure(group.name, run.rows) for group in groups.GROUPS for run in group.runs] \
        + [failure("languages", "calls", language) for language in ("python", "gjs")]


def cost(run, row, engine, written=0.0, disk=0, number=0, group="fill", **others):
    """A result with what a row wrote, in times of the data."""
    return rounds(group, row, {engine: [int(written * DATA)]}, "written", run, disk=disk, **{"round": number, **others})


def measured_with(results, **others):
    """What --output has, of engines that are the same in all groups."""
    names = sorted({result["engine"] for result in results} & set(engines.ALL))
    return {"date": "2026-01-02", "command": "tests/benchmarks/run --made-up", "rounds": 3,
            "machine": [("Processor", "abacus"), ("Source", "abc of 2026-01-01")], "rows": {}, "absent": [],
            "engines": {name: {"version": "1", "settings": f"plain {name}"} for name in names},
            "settings": {}, "whole": sorted({result["group"] for result in results}), "results": results, **others}


class Judging(unittest.TestCase):
    """bars.judge"""

    def verdict(self, what, results):
        found = [verdict for verdict in bars.judge(results) if verdict.what == what]
        self.assertEqual(len(found), 1, what)
        return found[0]

    def expect(self, what, results, word, figure=None):
        verdict = self.verdict(what, results)
        self.assertEqual(verdict.word(), word, verdict)
        if figure is not None:
            self.assertEqual(verdict.figure, figure)

    def test_nothing_measured(self):
        verdicts = bars.judge([])
        self.assertEqual({verdict.word() for verdict in verdicts}, {"not measured"})
        self.assertEqual(len({verdict.what for verdict in verdicts}), len(verdicts), "a name is there twice")

    def test_each_bar_has_its_row(self):
        """A bar of a row that no group has would never be measured."""
        having = {group.name: {name if "@" in name else name + "@1" for run in group.runs
                               for name in f"{run.rows},{run.then}".split(",")} for group in groups.GROUPS}
        wanted = [bar[:3] for bar in (*bars.RATES, *bars.LIMITS)]
        wanted += [(*bar[:2], 1) for bar in (*bars.ABSOLUTE, *bars.PAIRS)]
        wanted += [(*bar[:2], 1) for bar in bars.LATENCIES]
        wanted += [("threads", bar[0], threads) for bar in bars.CROWDS for threads in (2, 8)]
        for group, row, threads in wanted:
            self.assertIn(f"{row}@{threads}", having[group], group)
        fills = [run.rows for group in groups.GROUPS if group.name == "fill" for run in group.runs]
        for run, _ in bars.AMPLIFICATIONS:
            self.assertIn(run, fills)

    def test_rates(self):
        for group, row, threads, side, what, bar, aim in bars.RATES:
            for ours, word in ((bar * LITTLE, "**LOST**"), (bar, "met"), (aim * LITTLE, "met"), (aim, "aim reached")):
                # The best peer is that of the row, neither the first nor the last; an array is none.
                figures = {"lightning": [ours * PEER], "lmdb": [1], "leveldb": [PEER], "sqlite": [2], "limit": [1e9]}
                self.expect(what, rounds(group, row, figures, side, threads=threads), word,
                            f"{ours:.2f} × leveldb ({table.short(ours * PEER)} to 1.02k)")
            for missing in ({"lightning": [1]}, {"lmdb": [1]}, {"lightning": [1], "limit": [1]}):
                self.expect(what, rounds(group, row, missing, side, threads=threads), "not measured", "–")

    def test_best_peer_of_each_row(self):
        results = rounds("read", "readrandom", {"lightning": [400], "lmdb": [100], "rocksdb": [150]}) \
            + rounds("read", "readhot", {"lightning": [400], "lmdb": [90], "rocksdb": [50]})
        self.expect("readrandom", results, "met", "2.67 × rocksdb (400 to 150)")
        self.expect("readhot", results, "met", "4.44 × lmdb (400 to 90)")

    def test_another_row_is_no_substitute(self):
        """Neither other threads, nor another group, nor the other side."""
        peers_and_ours = {"lightning": [400], "lmdb": [100]}
        self.expect("readrandom", rounds("read", "readrandom", peers_and_ours, threads=2), "not measured")
        self.expect("readrandom", rounds("budget64", "readrandom", peers_and_ours), "not measured")
        self.expect("reader beside a writer: writes", rounds("mixed", "readwhilewriting", peers_and_ours),
                    "not measured")

    def test_medians(self):
        """Neither means nor best rounds, of both."""
        self.expect("readrandom", rounds("read", "readrandom", {"lightning": [1, 210, 9000], "lmdb": [100, 1, 900]}),
                    "met", "2.10 × lmdb (210 to 100)")
        self.expect("readrandom", rounds("read", "readrandom", {"lightning": [190, 190, 9000], "lmdb": [100] * 3}),
                    "**LOST**")
        # Of two rounds the middle.
        self.expect("readrandom", rounds("read", "readrandom", {"lightning": [150, 250], "lmdb": [100] * 2}), "met")

    def test_impossible_peer(self):
        results = rounds("read", "multiget", {"lightning": [300], "lmdb": [100]})
        results += rounds("read", "multiget", {"leveldb": [True]}, "impossible")
        self.expect("multi_get 100", results, "met", "3.00 × lmdb (300 to 100)")

    def test_limits(self):
        for group, row, threads, what, bar, aim in bars.LIMITS:
            for ours, word in ((bar * LITTLE, "**LOST**"), (bar, "met"), (aim or 9, "aim reached" if aim else "met")):
                figures = {"lightning": [ours * PEER], "lmdb": [1e9], "limit": [PEER]}
                self.expect(what, rounds(group, row, figures, threads=threads), word)
            self.expect(what, rounds(group, row, {"lightning": [1], "lmdb": [1]}, threads=threads), "not measured")

    def test_pairs(self):
        """Each round by itself: what changes both of its runs alike changes nothing."""
        for group, row, what, bar, aim in bars.PAIRS:
            speeds = [PEER, 2 * PEER, PEER / 3]
            for ratio, word in ((bar - 0.001, "**LOST**"), (bar, "met"), (aim, "aim reached")):
                results = [{"group": group, "run": row, "row": row, "threads": 1, "engine": engine, "round": number,
                            "records": 1, "rate": speed * (ratio * (1 + 1e-9) if engine == "lightning" else 1)}
                           for number, speed in enumerate(speeds) for engine in ("limit", "lightning")]
                text = f"{ratio:.2f} × limit (95 %: {ratio:.2f} to {ratio:.2f}, 3 pairs)"
                self.expect(what, results, word, text)
                alone = [one for one in results if one["engine"] == "lightning" or one["round"] > 0]
                self.expect(what, alone, word, text.replace("3 pairs", "2 pairs"))
            self.expect(what, [one for one in results if one["engine"] == "limit"], "not measured", "–")

    def test_interval(self):
        """As tables of the sign test have it."""
        self.assertEqual(bars.interval(list(range(1, 31))), (10, 21))
        self.assertEqual(bars.interval(list(range(1, 101))), (41, 60))
        self.assertEqual(bars.interval([1, 2, 3]), (1, 3))
        self.assertEqual(bars.interval([5]), (5, 5))

    def test_absolute(self):
        for group, row, what, bar in bars.ABSOLUTE:
            self.expect(what, rounds(group, row, {"lightning": [1, bar, 2 * bar]}), "met", table.short(bar))
            self.expect(what, rounds(group, row, {"lightning": [bar - 1, bar - 1, 9 * bar]}), "**LOST**")
            self.expect(what, rounds(group, row, {"lmdb": [bar]}), "not measured")

    def test_latencies(self):
        """Lower is better, and the best peer has the lowest."""
        for group, row, title in bars.LATENCIES:
            for name, other, what in (("p99", "p999", f"P99 of {title}"), ("p999", "p99", f"P99.9 of {title}")):
                for ours, word in ((401, "**LOST**"), (400, "met"), (201, "met"), (200, "aim reached")):
                    figures = {"lightning": [ours], "lmdb": [900], "rocksdb": [400], "sqlite": [500], "limit": [1]}
                    results = rounds(group, row, {engine: [{name: its[0], other: 1 if engine == "lmdb" else 9e9}]
                                                  for engine, its in figures.items()}, "latency")
                    self.expect(what, results, word, f"{ours} ns to 400 ns (rocksdb)")
                self.expect(what, rounds(group, row, {"lightning": [{name: 1}]}, "latency"), "not measured")

    def test_amplification(self):
        """What the rows behind a fill write counts, too; what counts as put is what the fill put."""
        for run, what in bars.AMPLIFICATIONS:
            for settled, word, figure in ((1.2, "met", "3.20"), (1.3, "**LOST**", "3.30")):
                results = []
                for number, fill in enumerate((2, 9, 1)):
                    results += cost(run, run.split(",")[0], "lightning", fill, number=number)
                    results += cost(run, "settle", "lightning", settled, number=number)
                results += cost("fillseq,settle", "fillseq", "lightning", 99)
                self.expect(what, results, word, figure)
            self.expect(what, cost(run, run.split(",")[0], "lmdb", 1), "not measured")

    def test_written_for(self):
        """For each byte put, in as many rows as put; where none is put, for each byte in the database; nothing
        where nobody knows how much."""
        def of(run, **rows):
            results = [one for row, (written, share) in rows.items()
                       for one in cost(run, row, "lmdb", written, operations=int(share * RECORDS))]
            return bars.written_for(results, "fill", run)

        self.assertEqual(of("a", fillrandom=(2, 1), overwriteall=(2, 1), settle=(2, 0)), {"lmdb": [3.0]})
        self.assertEqual(of("b", overwrite=(1, 0.5), readseq=(0, 1)), {"lmdb": [2.0]})
        self.assertEqual(of("c", deleterandom=(1, 0.5), settle=(1, 0)), {"lmdb": [2.0]})
        for row in ("mixed", "readwhilewriting", "transactions"):
            self.assertEqual(of("d", settle=(1, 0), **{row: (1, 1)}), {})

    def test_disk(self):
        what = "size on disk after the fill in batches"
        for ours, word in ((105, "met"), (106, "**LOST**")):
            results = [one for engine, size in (("lightning", ours), ("lmdb", 180), ("leveldb", 100), ("limit", 1))
                       for row, factor in (("fillrandom-batch", 3 if engine == "lightning" else 0.01), ("settle", 1))
                       for one in cost(BATCHES, row, engine, disk=size * factor * 1e6)]
            self.expect(what, results, word, f"{ours} MB to 100 MB (leveldb)")
        self.expect(what, cost(BATCHES, "settle", "lightning", disk=1), "not measured")
        self.expect(what, cost(SINGLE, "settle", "lightning", disk=1) + cost(SINGLE, "settle", "lmdb", disk=1),
                    "not measured")

    def test_crowds(self):
        for row, what, bar in bars.CROWDS:
            for eight, word in ((bar * PEER, "met"), (bar * PEER * LITTLE, "**LOST**")):
                results = rounds("threads", row, {"lightning": [9e9], "lmdb": [9e9]}, threads=1)
                results += rounds("threads", row, {"lightning": [PEER], "lmdb": [1]}, threads=2)
                results += rounds("threads", row, {"lightning": [eight], "lmdb": [1]}, threads=8)
                self.expect(what, results, word)
            self.expect(what, results[:-2], "not measured")

    def test_reopening(self):
        what = "reopening after a kill with a full log"
        for seconds, word in ((0.1, "met"), (0.1001, "**LOST**")):
            self.expect(what, rounds("reopen", "first_read", {"lightning": [9, seconds, 0.001], "lmdb": [0.001]},
                                     "first_read", "fillrandom,kill"), word, "100.1 ms" if seconds > 0.1 else "100.0 ms")
        self.expect(what, rounds("reopen", "check", {"lightning": [1]}), "not measured")

    def test_languages(self):
        for language, title in (("python", "Python"), ("gjs", "GJS")):
            for operation in ("get", "put"):
                what = f"{title}: a {operation} above a no-op of the same signature"
                bare = rounds("languages", f"no-op {operation}", {language: [1, 2000, 9e9], "c": [1]}, "nanoseconds")
                for cost_of_it, word, figure in ((3000, "met", "1 µs"), (3001, "**LOST**", "1 µs"),
                                                 (9000, "**LOST**", "7 µs")):
                    its = rounds("languages", operation, {language: [cost_of_it] * 3, "c": [1]}, "nanoseconds")
                    self.expect(what, bare + its, word, figure)
                self.expect(what, bare, "not measured")

    def test_failed(self):
        """A process of ours that failed loses each bar of its rows, whatever other rounds gave, and no other bar."""
        def lost(*results):
            return {verdict.what for verdict in bars.judge([*good, *results]) if verdict.won is False}

        good = rounds("read", "readrandom", {"lightning": [9e9], "lmdb": [1], "limit": [1]})
        good += rounds("mixed", "mixed", {"lightning": [9e9], "lmdb": [1]})
        good += rounds("latency", "read-latency", {"lightning": [{"p99": 1, "p999": 1}],
                                                   "lmdb": [{"p99": 9, "p999": 9}]}, "latency")
        self.assertEqual(lost(), set())
        self.assertEqual(lost(failure("read", "readrandom,readhot@2")), {"readrandom", "readrandom against the limit"})
        self.assertEqual(lost(failure("read", "readseq")),
                         {"readseq", "scan, verified records a second"})
        self.assertEqual(lost(failure("mixed", "mixed@2")), {"mixed 80/20, 2 threads"})
        self.assertEqual(lost(failure("sync", "fillsync@8")), {"fillsync, 8 threads"})
        self.assertEqual(lost(failure("threads", "mixed@4")), set())
        for threads in (2, 8):
            self.assertEqual(lost(failure("threads", f"mixed@{threads}")), {"mixed 80/20, 8 threads against 2"})
        self.assertEqual(lost(failure("latency", "read-latency")), {"P99 of single gets", "P99.9 of single gets"})
        self.assertEqual(lost(failure("fill", BATCHES)),
                         {"fillrandom, 1000 per batch", dict(bars.AMPLIFICATIONS)[BATCHES],
                          "size on disk after the fill in batches"})
        self.assertEqual(lost(failure("reopen", "fillrandom,kill")), {"reopening after a kill with a full log"})
        self.assertEqual(lost(failure("languages", "calls", "gjs")),
                         {f"GJS: a {operation} above a no-op of the same signature" for operation in ("get", "put")})
        self.assertEqual(lost(failure("languages", "calls", "c"), failure("read", "readrandom", "lmdb")), set())
        self.expect("readrandom", good + [failure("read", "readrandom")], "**LOST**", "failed")
        self.assertEqual({verdict.word() for verdict in bars.judge(all_failed())}, {"**LOST**"})


class Tables(unittest.TestCase):
    """Figures as text."""

    def test_ratio(self):
        figures = {"lightning": [100, 300, 200], "lmdb": [50], "sqlite": [400], "limit": [1000]}
        self.assertEqual(table.ratio(figures, "readrandom"), 0.5)
        for row in ("settle", "compact", "first_read"):
            self.assertEqual(table.ratio(figures, row), 0.25)
        for missing in ("lightning", "peers"):
            its = {name: values for name, values in figures.items()
                   if name == "limit" or (name == "lightning") != (missing == "lightning")}
            self.assertIsNone(table.ratio(its, "readrandom"))
        self.assertIsNone(table.ratio({"lightning": [0], "lmdb": [1]}, "settle"))

    def test_short(self):
        for number, text in ((0.25, "0.25"), (9.5, "9.5"), (10.4, "10"), (999, "999"), (1000, "1.00k"), (12340, "12.3k"),
                             (999_000, "999k"), (1_234_567, "1.23M"), (18e6, "18.0M"), (2.5e9, "2.50G")):
            self.assertEqual(table.short(number), text)

    def test_durations(self):
        for number, text in ((12.4, "12 ns"), (999, "999 ns"), (1000, "1 µs"), (1234, "1.23 µs"), (999_700, "1000 µs"),
                             (45_600_000, "45.6 ms"), (2.5e9, "2.5 s"), (-1500, "-1.5 µs")):
            self.assertEqual(table.nanoseconds(number), text)
        self.assertEqual([table.milliseconds(seconds) for seconds in (0.0123, 9.99, 10)],
                         ["12.3 ms", "9990.0 ms", "10.0 s"])
        self.assertEqual([table.megabytes(size) for size in (1_234_567, 45_600_000, 1_530_000_000)],
                         ["1.23", "45.6", "1530"])

    def test_spread(self):
        self.assertEqual(table.spread([]), "–")
        self.assertEqual(table.spread([5000]), "5.00k")
        self.assertEqual(table.spread([3000, 1000, 9000]), "3.00k (1.00k–9.00k)")
        self.assertEqual(table.spread([0.3, 0.1], table.milliseconds), "200.0 ms (100.0 ms–300.0 ms)")

    def test_of_group(self):
        """What the terminal shows of durations and of a row with two sides."""
        group = groups.Group("change", "Made up", (groups.Run("overwrite,settle"),))
        results = rounds("change", "readwhilewriting", {"lightning": [300], "lmdb": [100]}, other_rate=50)
        results += rounds("change", "settle", {"lightning": [0.2], "lmdb": [0.1]}, "seconds")
        lines = [line.split() for line in table.of_group(group, results, ["lightning", "sqlite", "lmdb"]).splitlines()]
        self.assertEqual(lines[2], ["lightning", "lmdb", "×", "best", "peer"])
        self.assertEqual([line[-1] for line in lines[3:]], ["3.00", "1.00", "0.50"])
        self.assertEqual(lines[5], ["settle", "200.0", "ms", "100.0", "ms", "0.50"])


class Report(unittest.TestCase):
    """report.write"""

    def write(self, results, **others):
        """benchmarks.md of these results, which went through a file as --from takes them."""
        with tempfile.TemporaryDirectory() as place:
            directory = pathlib.Path(place)
            program.save(measured_with(results, **others), directory / "kept" / "results.json")
            measured = json.loads((directory / "kept" / "results.json").read_text())
            self.assertEqual(measured, json.loads(json.dumps(measured_with(results, **others))))
            report.write(measured, directory)
            text = (directory / "benchmarks.md").read_text()
            for picture in re.findall(r"!\[[^]]*\]\(([^)]*)\)", text):
                self.assertIn("</svg>", (directory / picture).read_text())
        return text.removeprefix(report.INTRODUCTION.read_text())

    def row(self, text, name):
        """The cells of the only row of a table that has this name."""
        found = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        self.assertEqual(len(found), 1, name)
        return [cell.strip() for cell in found[0].split("|")[2:-1]]

    def test_bars(self):
        results = rounds("read", "readhot", {"lightning": [500], "lmdb": [100], "limit": [400]})
        results += rounds("read", "readmissing", {"lightning": [150], "lmdb": [100]})
        text = self.write(results)
        for verdict in bars.judge(results):
            self.assertEqual(self.row(text[text.index("## Bars"):text.index("## Reading")], verdict.what),
                             [verdict.bar, verdict.aim, verdict.figure, verdict.word()])
        self.assertIn(f"\n2 met, 1 lost, {len(bars.judge([])) - 3} not measured.\n", text)
        self.assertIn("- **lmdb 1**: plain lmdb\n", text)
        self.assertIn("3 interleaved rounds", text)
        self.assertIn("| Processor | abacus |", text)

    def test_reservations(self):
        results = rounds("read", "readrandom", {"lightning": [1], "lmdb": [1]})
        absent, few = "Not there to be compared with: sqlite, wiredtiger.", "Fewer rounds than the three"
        text = self.write(results, absent=["sqlite", "wiredtiger"], rounds=2)
        self.assertLess(text.index("## Bars"), text.index(absent))
        self.assertLess(text.index(few), text.index("not measured.\n"))
        text = self.write(results)
        self.assertNotIn(absent[:9], text)
        self.assertNotIn(few, text)
        other, failed = "Other numbers of records or other times", "Failed in places, which makes bars easier: lmdb."
        self.assertNotIn(other, text)
        self.assertNotIn(failed, text)
        for option in ("--records 5000", "--quick", "--seconds 1"):
            self.assertIn(other, self.write(results, command=f"tests/benchmarks/run {option}"))
        results.append(dict(results[0], engine="lmdb", run="mixed", failed="no reason"))
        self.assertIn(failed, self.write(results))

    def test_other_settings(self):
        results = rounds("read", "readrandom", {"lightning": [1], "lmdb": [1]})
        results += rounds("sync", "fillsync", {"lightning": [1], "lmdb": [1]})
        text = self.write(results, settings={"read": {"lightning": "plain lightning", "lmdb": "plain lmdb"},
                                             "sync": {"lightning": "plain lightning", "lmdb": "sync, lmdb"}})
        self.assertEqual(re.findall("Settings of .*", text), ["Settings of lmdb here: sync, lmdb"])
        self.assertLess(text.index("## Durable commits"), text.index("Settings of lmdb"))

    def test_bold(self):
        """From 1.2 on, in favour of ours only, and for durations the other way."""
        rows = {"fillseq": ("rate", 120, "**1.20**"), "fillrandom": ("rate", 119.4, "1.19"),
                "fillseq-batch": ("rate", 50, "0.50"), "settle": ("seconds", 50, "**2.00**"),
                "compact": ("seconds", 200, "0.50")}
        text = self.write([one for row, (side, ours, _) in rows.items()
                           for one in rounds("large", row, {"lightning": [ours], "lmdb": [100]}, side)])
        for row, (_, _, compared) in rows.items():
            self.assertEqual(self.row(text, row)[-1], compared, row)
        text = self.write(rounds("mixed", "readwhilewriting", {"lightning": [100], "lmdb": [100]}, other_rate=10))
        self.assertEqual(self.row(text, "… and its writes"), ["10", "10", "1.00"])

    def test_what_is_lost(self):
        """Each lost bar with what is known of it, and no other."""
        results = rounds("read", "seek", {"lightning": [1], "lmdb": [1]})
        results += rounds("read", "readseq", {"lightning": [20e6], "lmdb": [1e6]})
        text = self.write(results)
        self.assertEqual(re.findall(r"\n- \*\*(.*)\*\*: (.*)\n", text[text.index("### What is lost, and why"):]),
                         [("seekrandom + 10", "not known yet.")])
        self.assertNotIn("What is lost", self.write(results[2:]))
        text = self.write(all_failed())
        for what, why in floors.FLOORS.items():
            self.assertIn(f"\n- **{what}**: {why}\n", text)

    def test_check(self):
        """A bar that was renamed would lose its explanation in silence."""
        report.check()
        with mock.patch.dict(floors.FLOORS, {"no such bar": "Why not."}):
            with self.assertRaisesRegex(SystemExit, "no such bar"):
                report.check()

    def test_failures(self):
        text = self.write(rounds("read", "readrandom", {"lightning": [1]}) + [failure("read", "seek", "lmdb")])
        self.assertIn("## Failed\n\n- read: lmdb, seek: made up\n", text)
        self.assertNotIn("## Failed", self.write(rounds("read", "readrandom", {"lightning": [1]})))

    def test_costs(self):
        """Disk and memory of a process; also of an engine that cannot do its last row."""
        run = next(group.runs[0].rows for group in groups.GROUPS if group.name == "large")
        first, *_, last = run.split(",")
        self.assertEqual(last, "readlent", "which LevelDB cannot do")
        results = []
        for engine, size in (("lightning", 10), ("leveldb", 20)):
            results += cost(run, first, engine, 1.5, disk=99e6, group="large", memory=5e6)
            results += cost(run, "settle", engine, 0.25, disk=size * 1e6, group="large", operations=0, memory=7e6)
        results += cost(run, last, "lightning", disk=10e6, group="large", memory=6e6)
        results += rounds("large", last, {"leveldb": [True]}, "impossible", run)
        text = self.write(results)
        self.assertEqual(self.row(text, f"{first}: written for each byte of data"), ["1.75", "1.75"])
        self.assertEqual(self.row(text, f"{first}: on disk, MB"), ["10", "20"])
        self.assertEqual(self.row(text, f"{first}: anonymous memory at most, MB"), ["7", "7"])

    def test_growth(self):
        """Each size by itself, and what is written by fill and settling together."""
        results = [one for records in (1000, 2000) for row, written in (("fillrandom-batch", 2), ("settle", 1))
                   for one in cost("growing", row, "lightning", written * records / RECORDS, group="growth",
                                   records=records, data=DATA * records // RECORDS, rate=records)]
        text = self.write(results)
        self.assertEqual(re.findall(r"\| lightning \| (.*) \| (.*) \|", text), [("1.00k", "2.00k"), ("3", "3")])

    def test_headline(self):
        text = self.write(rounds("headline", "bulkload", {"lightning": [1e6, 3e6, 2e6]}))
        self.assertEqual(self.row(text, "A13")[-2], "2.00M (1.00M–3.00M), 200 MB/s")

    def test_languages(self):
        text = self.write(rounds("languages", "get", {"c": [100, 300, 200], "gjs": [1500] * 3}, "nanoseconds"))
        self.assertEqual(self.row(text, "get"), ["200 ns (100 ns–300 ns)", "–", "1.5 µs (1.5 µs–1.5 µs)"])


class GoingOn(unittest.TestCase):
    """What a run takes over from an earlier one."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.file = pathlib.Path(place.name) / "results.json"
        self.earlier = measured_with(
            rounds("fill", "fillseq", {"lightning": [1], "lmdb": [2]}) + rounds("read", "seek", {"lightning": [3]}),
            whole=["fill"], settings={"fill": {"lmdb": "plain lmdb"}})
        program.save(self.earlier, self.file)

    def go_on(self, **others):
        measured = measured_with([], **others)
        program.go_on(measured, self.file)
        return measured

    def test_whole_groups(self):
        measured = self.go_on()
        self.assertEqual(measured["whole"], ["fill"])
        self.assertEqual(measured["results"], self.earlier["results"][:2])
        self.assertEqual(measured["engines"], self.earlier["engines"])
        self.assertEqual(measured["settings"], self.earlier["settings"])

    def test_nothing_there(self):
        self.file.unlink()
        self.assertEqual(self.go_on(), measured_with([]))

    def test_refused(self):
        for what, other in (("command", "tests/benchmarks/run --other"), ("rounds", 5), ("absent", ["sqlite"]),
                            ("machine", [("Processor", "slide rule"), ("Source", "abc of 2026-01-01")]),
                            ("machine", [("Processor", "abacus"), ("Source", "def of 2026-01-02")])):
            with self.assertRaisesRegex(SystemExit, f"another {what}"):
                self.go_on(**{what: other})

    def test_uncommitted(self):
        """Also where both were: nobody knows whether the changes are the same."""
        for source in ([("Source", "abc of 2026-01-01 with changes")], []):
            program.save({**self.earlier, "machine": source}, self.file)
            with self.assertRaisesRegex(SystemExit, "committed"):
                self.go_on(machine=source)

    def test_finish(self):
        """A group is whole when it is saved; the first settings are the plain ones."""
        measured = self.go_on()
        engine = types.SimpleNamespace(name="lmdb", about={"version": "1", "settings": "sync"}, settings="sync")
        unused = types.SimpleNamespace(name="lightning", about={}, settings="")
        program.finish(measured, "sync", [engine, unused], self.file)
        saved = json.loads(self.file.read_text())
        self.assertEqual(saved["whole"], ["fill", "sync"])
        self.assertEqual(saved["engines"], self.earlier["engines"])
        self.assertEqual(saved["settings"], {"fill": {"lmdb": "plain lmdb"}, "sync": {"lmdb": "sync"}})
        self.assertEqual(engine.settings, "")

    def test_another_version(self):
        measured = self.go_on()
        engine = types.SimpleNamespace(name="lmdb", about={"version": "2", "settings": "plain lmdb"}, settings="")
        with self.assertRaisesRegex(SystemExit, "lmdb 1 was measured until now, and 2"):
            program.finish(measured, "sync", [engine], self.file)
        self.assertEqual(json.loads(self.file.read_text())["whole"], ["fill"])


class Choosing(unittest.TestCase):
    """Groups that are made smaller, and the order in which they run."""

    def test_smaller(self):
        plain = groups.Group("a", "", groups.fresh("fillseq"), sizes=(100_000, 300_000))
        large = groups.Group("b", "", (), groups.LARGE)
        self.assertEqual(groups.smaller(plain), plain)
        self.assertEqual(groups.smaller(plain, records=500, seconds=1).settings,
                         groups.Settings(records=500, seconds=1))
        self.assertEqual(groups.smaller(large, records=500).settings, groups.LARGE)
        quick = groups.smaller(large, quick=True).settings
        self.assertEqual((quick.records, quick.operations, quick.seconds), (200, 1000, 0.5))
        self.assertEqual(groups.smaller(plain, quick=True).sizes, (2000, 6000))
        self.assertEqual(groups.smaller(plain, quick=True).runs, plain.runs)

    def test_only_rows(self):
        """What fills or changes stays before a row, what is behind it goes; of rows that only read the others go."""
        group = groups.Group("a", "", (
            groups.Run("fillrandom,settle,readrandom,seek,settle", fresh=True, then="openclose"),
            groups.Run("overwrite,readrandom,seek", changes=True),
            groups.Run("readseq,readrandom,readrandom@2,seek"),
            groups.Run("readhot")))
        cut = groups.only_rows(group, ["readrandom"])
        self.assertEqual([run.rows for run in cut.runs],
                         ["fillrandom,settle,readrandom", "overwrite,readrandom", "readrandom"])
        self.assertEqual([run.then for run in cut.runs], ["", "", ""])
        self.assertEqual([(run.fresh, run.changes) for run in cut.runs], [(True, False), (False, True), (False, False)])
        self.assertEqual([run.rows for run in groups.only_rows(group, ["readrandom@2", "readhot"]).runs],
                         ["readrandom@2", "readhot"])
        whole = groups.only_rows(group, ["settle"])
        self.assertEqual(whole.runs, group.runs[:1])
        self.assertIsNone(groups.only_rows(group, ["mixed"]))

    def test_rows_of_several_groups(self):
        """Each row in the first group that has it."""
        def names(rows, all_groups=False):
            return [(group.name, [run.rows for run in group.runs])
                    for group in program.with_rows(groups.GROUPS, rows, all_groups)]

        self.assertEqual(names(["overwrite", "fillrandom"]), [("fill", ["fillrandom"]), ("change", ["overwrite"])])
        self.assertEqual(names(["mixed", "mixed@2"]), [("mixed", ["mixed", "mixed@2"])])
        self.assertIn(("threads", ["mixed@2"]), names(["mixed@2"], all_groups=True))
        with self.assertRaisesRegex(SystemExit, "no row fillrendom;"):
            names(["overwrite", "fillrendom"])

    def test_rounds_of_its_own(self):
        """A group that needs more rounds has them; in a hurry it has no more than others."""
        class Made:
            name = "lightning"

            def perform(self, run, settings):
                return [{"row": run.rows, "rate": 1}]

        group = groups.Group("a", "", groups.prepared("seek"), rounds=4)
        for asked, its, expected in ((3, group, 4), (5, group, 5), (1, groups.smaller(group, quick=True), 1)):
            found = []
            program.run_group(its, [Made()], asked, found)
            self.assertEqual([one["round"] for one in found], list(range(expected)))

    def test_rounds(self):
        """Every engine does a run before any does it again; the orders differ, and are the same each time."""
        class Made:
            def __init__(self, name):
                self.name = name

            def perform(self, run, settings):
                if self.name == "lmdb" and run.rows == "seek":
                    raise engines.Failed("it broke")
                return [{"row": run.rows, "rate": settings.records}]

        group = groups.Group("a", "", groups.prepared("readseq", "seek"), without=("sqlite",), sizes=(10, 20),
                             once_above=10)
        taking_part = [name for name in engines.ALL if name != "sqlite"]

        def results():
            found = []
            with contextlib.redirect_stderr(io.StringIO()):
                program.run_group(group, [Made(name) for name in engines.ALL], 5, found)
            return [{key: value for key, value in one.items() if key != "at"} for one in found]

        first = results()
        self.assertEqual(results(), first)
        size = len(taking_part)
        chunks = [first[at:at + size] for at in range(0, len(first), size)]
        self.assertEqual([(chunk[0]["records"], chunk[0]["round"], chunk[0]["run"]) for chunk in chunks],
                         [(10, number, run) for number in range(5) for run in ("readseq", "seek")]
                         + [(20, 0, "readseq"), (20, 0, "seek")])
        orders = [[one["engine"] for one in chunk] for chunk in chunks]
        for order in orders:
            self.assertEqual(sorted(order), sorted(taking_part))
        self.assertGreater(len(set(map(tuple, orders))), len(orders) // 2)
        self.assertEqual({(one["engine"], one["run"]) for one in first if "failed" in one}, {("lmdb", "seek")})


FAKE = """#!/bin/sh
# Notes what it is told; says that it did each row.
echo "$*" >>"$0.told"
while [ $# -gt 0 ]; do
  case $1 in --rows) rows=$2 ;; --directory) mkdir -p "$2" ;; esac
  shift
done
echo '{"engine": "fake", "version": "1", "settings": "made up", "first_read": 0.05}'
IFS=,
for row in $rows; do
  case $row in
    bulkload|multiget) echo "{\\"row\\": \\"$row\\", \\"threads\\": 1, \\"impossible\\": true}" ;;
    broken) echo "it broke" >&2; exit 1 ;;
    kill|starved) kill -9 $$ ;;
    *) echo "{\\"row\\": \\"${row%@*}\\", \\"threads\\": 1, \\"rate\\": 7}" ;;
  esac
done
"""


class Performing(unittest.TestCase):
    """engines.Engine with a program that does nothing."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.begun = []  # processes that had begun before each sync
        syncing = mock.patch.object(  # others may be measuring here
            engines.os, "sync", lambda: self.begun.append(len(list(self.place.rglob("*.told")))))
        syncing.start()
        self.addCleanup(syncing.stop)

    def engine(self, name="lmdb"):
        engine = engines.Engine(name, self.place / "build", self.place / "work")
        engine.program.parent.mkdir(parents=True, exist_ok=True)
        engine.program.write_text(FAKE)
        engine.program.chmod(0o755)
        return engine

    def told(self, engine):
        """[(directory, rows, operations, existing)] of each process."""
        found = []
        for line in pathlib.Path(f"{engine.program}.told").read_text().splitlines():
            words = line.split()
            options = dict(zip(words, words[1:]))
            found.append((pathlib.Path(options["--directory"]).name, options["--rows"], options["--operations"],
                          "--existing" in words))
        return found

    def rows(self, engine, run, settings=groups.Settings()):
        return [line["row"] for line in engine.perform(run, settings)]

    def test_fresh(self):
        engine = self.engine()
        self.assertEqual(self.rows(engine, groups.Run("fillseq,readrandom@2", fresh=True)), ["fillseq", "readrandom"])
        self.assertEqual(self.told(engine), [("fresh", "fillseq,readrandom@2", "0", False)])
        self.assertFalse((engine.work / "fresh").exists())
        self.assertEqual((engine.about["version"], engine.settings), ("1", "made up"))
        self.assertEqual(self.begun, [0])

    def test_prepared(self):
        """One database for all who only read it, a copy for who changes it; others for other settings."""
        engine = self.engine()
        self.assertEqual(self.rows(engine, groups.Run("seek")), ["seek"])
        self.rows(engine, groups.Run("overwrite", changes=True))
        self.rows(engine, groups.Run("readseq"), groups.Settings(operations=5))
        self.rows(engine, groups.Run("seek"), groups.Settings(budget=1))
        self.assertEqual(self.told(engine), [
            ("prepared-0", groups.LOAD, "0", False), ("prepared-0", "seek", "0", True), ("copy", "overwrite", "0", True),
            ("prepared-0", "readseq", "5", True), ("prepared-1", groups.LOAD, "0", False),
            ("prepared-1", "seek", "0", True)])
        self.assertEqual(sorted(path.name for path in engine.work.iterdir()), ["prepared-0", "prepared-1"])

    def test_impossible_fill(self):
        """What follows would be measured in an empty database. Not so other rows that are impossible."""
        engine = self.engine()
        self.assertEqual(self.rows(engine, groups.Run("bulkload,settle", fresh=True, then="check")), ["bulkload"])
        self.assertEqual(len(self.told(engine)), 1)
        self.assertEqual(self.rows(engine, groups.Run("fillseq,multiget,seek", fresh=True)),
                         ["fillseq", "multiget", "seek"])
        self.assertEqual(self.rows(engine, groups.Run("multiget,seek")), ["multiget", "seek"])

    def test_once(self):
        engine = self.engine()
        for once in (True, False):
            self.rows(engine, groups.Run("fillseq", fresh=True, once=once), groups.Settings(records=500, operations=20))
        self.assertEqual([operations for _, _, operations, _ in self.told(engine)], ["500", "20"])

    def test_rows_of_a_run(self):
        """Figures are told apart by run, row and threads: a row that comes twice would be mixed with itself."""
        for group in groups.GROUPS:
            for run in group.runs:
                rows = run.rows.split(",") + [row for row in run.then.split(",") if row]
                self.assertEqual(len(rows), len(set(rows)), f"{group.name}: {run.rows}")

    def test_limit(self):
        """It keeps nothing: it loads in the same process, whose rows are not those of the run."""
        engine = self.engine("limit")
        self.assertEqual(self.rows(engine, groups.Run("overwrite,settle", changes=True)), ["overwrite", "settle"])
        self.assertEqual(self.rows(engine, groups.Run("fillseq,settle", fresh=True, then="openclose")),
                         ["fillseq", "settle"])
        self.assertEqual(self.told(engine), [("fresh", groups.LOAD + ",overwrite,settle", "0", False),
                                             ("fresh", "fillseq,settle", "0", False)])

    def test_killed(self):
        """Only where it is asked for; then the second process says how long opening took."""
        engine = self.engine()
        lines = engine.perform(groups.Run("fillrandom,kill", fresh=True, then="check"), groups.Settings())
        self.assertEqual([line["row"] for line in lines], ["fillrandom", "first_read", "check"])
        self.assertEqual(table.value_of(lines[1]), 0.05)
        self.assertEqual(self.told(engine)[1], ("fresh", "check", "0", True))
        for rows, why in (("fillrandom,starved", "-9"), ("fillrandom,broken", "it broke"), ("broken,kill", "it broke"),
                          ("readkill,starved", "-9")):
            with self.assertRaisesRegex(engines.Failed, f"lmdb, {rows}: {why}"):
                engine.perform(groups.Run(rows, fresh=True), groups.Settings())

    def test_failed_load(self):
        """A database that could not be filled is no prepared one."""
        engine = self.engine()
        with mock.patch.object(engines, "LOAD", "fillrandom-batch,broken"):
            for _ in range(2):
                with self.assertRaises(engines.Failed):
                    self.rows(engine, groups.Run("seek"))
        self.assertEqual(self.rows(engine, groups.Run("seek")), ["seek"])


if __name__ == "__main__":
    unittest.main()
