# SPDX-License-Identifier: MIT
"""The bars: what has to be reached, judged on the figures of one run, whichever way it goes."""

from dataclasses import dataclass
from statistics import median

from . import engines, table

# (group, row, threads, side, what, bar, aim): ours to the best other engine's, in operations a second.
RATES = (
    ("read", "readrandom", 1, "rate", "readrandom", 2.0, 2.8),
    ("read", "readrandom", 2, "rate", "readrandom, 2 threads", 1.8, 2.3),
    ("read", "readhot", 1, "rate", "readhot", 4, 6),
    ("read", "readmissing", 1, "rate", "readmissing", 2, 4),
    ("read", "multiget", 1, "rate", "multi_get 100", 3, 4),
    ("read", "readseq", 1, "rate", "readseq", 1.7, 2.5),
    ("read", "readreverse", 1, "rate", "readreverse", 1.5, 2),
    ("read", "seek", 1, "rate", "seekrandom + 10", 1.5, 2),
    ("mixed", "mixed", 1, "rate", "mixed 80/20, 1 thread", 2.5, 3.5),
    ("mixed", "mixed", 2, "rate", "mixed 80/20, 2 threads", 2.0, 3),
    ("mixed", "readwhilewriting", 1, "rate", "reader beside a writer: reads", 1.8, 2.5),
    ("mixed", "readwhilewriting", 1, "other_rate", "reader beside a writer: writes", 1.8, 2.5),
    ("fill", "fillseq", 1, "rate", "fillseq, single puts", 1.3, 1.7),
    ("fill", "fillseq-batch", 1, "rate", "fillseq, 1000 per batch", 1.3, 1.6),
    ("fill", "fillrandom", 1, "rate", "fillrandom, single puts", 2.2, 3),
    ("fill", "fillrandom-batch", 1, "rate", "fillrandom, 1000 per batch", 2.0, 3),
    ("change", "overwrite", 1, "rate", "overwrite", 2.5, 4),
    ("change", "deleterandom", 1, "rate", "deleterandom", 2.5, 3.5),
    ("sync", "fillsync", 8, "rate", "fillsync, 8 threads", 1.8, 2.5),
    ("large", "fillrandom", 1, "rate", "100 KB values, put", 1.2, 1.5),
    ("large", "readrandom", 1, "rate", "100 KB values, read", 1.2, 1.5),
    ("cold", "readrandom", 1, "rate", "cold reads", 1.2, 1.5),
)
# (group, row, threads, what, bar, aim): ours to the limit's.
LIMITS = (
    ("read", "readrandom", 1, "readrandom against the limit", 0.6, None),
    ("read", "readhot", 1, "readhot against the limit", 0.5, None),
)
# (group, row, what, bar, aim): ours to the limit's, round by round.
PAIRS = (
    ("syncpairs", "fillsync", "fillsync, 1 thread, against a bare write + fdatasync", 0.9, 0.95),
)
# (group, row, what, bar): operations a second.
ABSOLUTE = (
    ("read", "readseq", "scan, verified records a second", 18e6),
    ("read", "readreverse", "scan backwards, verified records a second", 18e6),
)
# (row, what, bar): with eight threads to with two, ours.
CROWDS = (
    ("readrandom", "readrandom, 8 threads against 2", 0.8),
    ("mixed", "mixed 80/20, 8 threads against 2", 0.8),
    ("overwrite", "overwrite, 8 threads against 2", 0.8),
)
# (run, what): bytes written for each byte of data.
AMPLIFICATIONS = (
    ("fillrandom-batch,settle", "write amplification, random fill in batches and settle"),
    ("fillrandom,settle", "write amplification, random fill by single puts and settle"),
)
LATENCIES = (("latency", "fill-latency", "single puts, filling"),
             ("latency", "overwrite-latency", "single puts, overwriting"),
             ("latency", "read-latency", "single gets"))


@dataclass
class Verdict:
    """One bar. `won` is None where the run has not measured it; where ours failed it is lost."""
    what: str
    bar: str
    aim: str
    figure: str
    won: bool = None
    reached_aim: bool = False

    def word(self):
        if self.won is None:
            return "not measured"
        return "aim reached" if self.reached_aim else "met" if self.won else "**LOST**"


def _medians(results, group, row, threads, value):
    """{engine: median} of a figure; the first run of the group that has the row."""
    for key, figures in table.collect(results, group, value).items():
        if key[1] == row and key[2] == threads:
            return {name: median(values) for name, values in figures.items() if values}
    return {}


def _failed(results, group, row, threads=1, engine="lightning"):
    """Did a process of ours fail that had this row with as many threads?"""
    return any("failed" in result and result["engine"] == engine and result["group"] == group
               and f"{row}@{threads}" in {name if "@" in name else name + "@1"
                                          for name in result["run"].split(",")}
               for result in results)


def _verdict(what, bar, aim, failed, measured):
    """`measured`: figure, whether it is won, and where there is an aim whether that is reached; None: nothing."""
    if failed:
        return Verdict(what, bar, aim, "failed", False)
    return Verdict(what, bar, aim, *(measured or ("–",)))


def _at_least(what, bar, aim, ours, other, other_name, failed):
    measured = None
    if ours is not None and other:
        reached = ours / other
        measured = (f"{reached:.2f} × {other_name} ({table.short(ours)} to {table.short(other)})",
                    reached >= bar, bool(aim) and reached >= aim)
    return _verdict(what, f"≥ {bar:g} ×", f"{aim:g} ×" if aim else "", failed, measured)


def _rates(results):
    for group, row, threads, side, what, bar, aim in RATES:
        figures = _medians(results, group, row, threads, lambda result, side=side: result.get(side))
        peers = {name: figures[name] for name in engines.PEERS if name in figures}
        best = max(peers, key=peers.get) if peers else ""
        yield _at_least(what, bar, aim, figures.get("lightning"), peers.get(best), best,
                        _failed(results, group, row, threads))


def _limits(results):
    for group, row, threads, what, bar, aim in LIMITS:
        figures = _medians(results, group, row, threads, table.value_of)
        yield _at_least(what, bar, aim, figures.get("lightning"), figures.get("limit"), "limit",
                        _failed(results, group, row, threads))


def _ratios(results, group, row, other):
    """Ours to another's in each round that both have."""
    rates = {(result["engine"], result["round"]): table.value_of(result) for result in results
             if result["group"] == group and result.get("row") == row}
    return sorted(rate / rates[other, number] for (engine, number), rate in rates.items()
                  if engine == "lightning" and rates.get((other, number)))


def interval(ordered):
    """Where the median of what these were taken from lies by 95 %: their ranks alone tell, whatever the shape."""
    skipped = max(0, int((len(ordered) - 1.96 * len(ordered) ** 0.5) / 2))
    return ordered[skipped], ordered[-1 - skipped]


def _pairs(results):
    for group, row, what, bar, aim in PAIRS:
        ratios = _ratios(results, group, row, "limit")
        measured = None
        if ratios:
            least, most = interval(ratios)
            measured = (f"{median(ratios):.2f} × limit (95 %: {least:.2f} to {most:.2f}, {len(ratios)} pairs)",
                        median(ratios) >= bar, median(ratios) >= aim)
        yield _verdict(what, f"≥ {bar:g} ×", f"{aim:g} ×", _failed(results, group, row), measured)


def _crowds(results):
    for row, what, bar in CROWDS:
        two, eight = (_medians(results, "threads", row, threads, table.value_of).get("lightning")
                      for threads in (2, 8))
        yield _at_least(what, bar, None, eight, two, "2 threads",
                        any(_failed(results, "threads", row, threads) for threads in (2, 8)))


def _absolute(results):
    for group, row, what, bar in ABSOLUTE:
        ours = _medians(results, group, row, 1, table.value_of).get("lightning")
        yield _verdict(what, f"≥ {table.short(bar)}", "", _failed(results, group, row),
                       None if ours is None else (table.short(ours), ours >= bar))


def _latencies(results):
    for group, row, what in LATENCIES:
        for name, title in (("p99", "P99"), ("p999", "P99.9")):
            figures = _medians(results, group, row, 1,
                               lambda result, name=name: result.get("latency", {}).get(name))
            ours = figures.get("lightning")
            peers = {peer: figures[peer] for peer in engines.PEERS if peer in figures}
            measured = None
            if ours is not None and peers:
                best = min(peers, key=peers.get)
                measured = (f"{table.nanoseconds(ours)} to {table.nanoseconds(peers[best])} ({best})",
                            ours <= peers[best], ours <= peers[best] / 2)
            yield _verdict(f"{title} of {what}", "≤ best peer", "half", _failed(results, group, row), measured)


UNCOUNTED = ("mixed", "readwhilewriting", "transactions")  # rows that put, too
PUTTING = ("fill", "overwrite", "bulkload")  # how rows that put records begin


def written_for(results, group, run, records=None):
    """{engine: [bytes written by all rows of a process for each byte put, or, where none is put, for each byte
    in the database]}; nothing where rows put, but don't count what"""
    sums = {}
    for result in results:
        if (result["group"], result["run"]) != (group, run) or "written" not in result:
            continue
        if records is not None and result["records"] != records:
            continue
        if result["row"] in UNCOUNTED:
            return {}
        its = sums.setdefault((result["engine"], result["round"]), [0, 0, result["data"]])
        its[0] += result["written"]
        if result["row"].startswith(PUTTING):
            its[1] += result["operations"] * result["data"] // result["records"]
    found = {}
    for (engine, _), (written, put, data) in sums.items():
        found.setdefault(engine, []).append(written / (put or data))
    return found


def disk_after(results, group, run):
    """{engine: [bytes after the last row that the engine could do]}"""
    last = {}
    for result in results:
        if (result["group"], result["run"]) == (group, run) and "disk" in result:
            last[result["engine"], result["round"]] = result["disk"]
    found = {}
    for (engine, _), disk in last.items():
        found.setdefault(engine, []).append(disk)
    return found


def _storage(results):
    for run, what in AMPLIFICATIONS:
        written = written_for(results, "fill", run).get("lightning")
        yield _verdict(what, "≤ 3.2", "", _failed(results, "fill", run.split(",")[0]),
                       (f"{median(written):.2f}", median(written) <= 3.2) if written else None)
    run = AMPLIFICATIONS[0][0]
    disk = {name: median(values) for name, values in disk_after(results, "fill", run).items()}
    peers = {name: disk[name] for name in engines.PEERS if name in disk}
    measured = None
    if peers and "lightning" in disk:
        best = min(peers, key=peers.get)
        measured = (f"{disk['lightning'] / 1e6:.0f} MB to {peers[best] / 1e6:.0f} MB ({best})",
                    disk["lightning"] <= peers[best] * 1.05)
    yield _verdict("size on disk after the fill in batches", "≤ smallest peer + 5 %", "",
                   _failed(results, "fill", run.split(",")[0]), measured)


def _reopening(results):
    ours = _medians(results, "reopen", "first_read", 1, table.value_of).get("lightning")
    yield _verdict("reopening after a kill with a full log", "≤ 100 ms", "", _failed(results, "reopen", "kill"),
                   None if ours is None else (table.milliseconds(ours), ours <= 0.1))


def _languages(results):
    for language, title in (("python", "Python"), ("gjs", "GJS")):
        for operation in ("get", "put"):
            cost = _medians(results, "languages", operation, 1,
                            lambda result: result.get("nanoseconds")).get(language)
            bare = _medians(results, "languages", "no-op " + operation, 1,
                            lambda result: result.get("nanoseconds")).get(language)
            yield _verdict(f"{title}: a {operation} above a no-op of the same signature", "≤ 1 µs", "",
                           _failed(results, "languages", "calls", engine=language),
                           None if cost is None or bare is None else
                           (table.nanoseconds(cost - bare), cost - bare <= 1000))


def judge(results):
    verdicts = []
    for judged in (_rates, _limits, _pairs, _crowds, _absolute, _latencies, _storage, _reopening, _languages):
        verdicts.extend(judged(results))
    return verdicts
