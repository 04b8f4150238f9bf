# SPDX-License-Identifier: MIT
"""The report: benchmarks.md and a chart for each group beside it, in benchmarks/."""

import sys
from pathlib import Path
from statistics import median

from . import bars, charts, engines, floors, groups, table

INTRODUCTION = Path(__file__).with_name("introduction.md")
CLEAR = 1.2  # a ratio that three rounds on a shared machine can tell from 1
WITH_COSTS = ("fill", "change", "read", "mixed", "cold", "large", "huge", "small", "compression",
              "budget64", "budget16", "load", "ranges")
WITH_LATENCY = ("latency", "mixed", "sync", "transactions", "open")

# What the source documents' own benchmark claims, and the row that measures the same thing.
HEADLINE = (
    ("A1", "sequential reads, 20.4 M/s", "readseq", 1, "a scan"),
    ("A2", "random reads, 18.2 M/s", "readrandom", 1, "single keys all over a million records"),
    ("A2", "", "readhot", 1, "single keys of a hot set (1 %, Zipf 0.99)"),
    ("A2", "", "multiget", 1, "100 keys a call"),
    ("A3", "not-found reads, 22.1 M/s", "readmissing", 1, "single keys"),
    ("A4", "sequential writes, 1.14 M/s", "fillseq", 1, "single puts"),
    ("A5", "random writes, 0.99 M/s", "fillrandom", 1, "single puts"),
    ("A6", "batch writes, 1.52 M/s", "fillrandom-batch", 1, "1000 a batch, in random order"),
    ("A7", "mixed 80/20, 5.23 M/s", "mixed", 1, "one thread; 885 k/s in A11, 1.8 M/s in A9"),
    ("A12", "concurrent, 8 threads, 1.4 M/s", "mixed", 8, "mixed 80/20, every read verified"),
    ("A12", "", "readhot", 8, "single keys of the hot set"),
    ("A13", "large data set, 237 MB/s", "bulkload", 1, "the loader"),
    ("A13", "", "fillseq-batch", 1, "1000 a batch"),
)


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _taking_part(results, group, names):
    return [name for name in names
            if any(result["group"] == group and result["engine"] == name for result in results)]


def _compared(figures, row):
    compared = table.ratio(figures, row)
    if compared is None:
        return "–"
    text = f"{compared:.2f}"
    return f"**{text}**" if float(text) >= CLEAR else text


def _figures(group, results, names, records):
    """The rows of a group's table."""
    rows = []
    for key, figures in table.collect(results, group.name, records=records).items():
        form = table.milliseconds if table.is_duration(key[1]) else table.short
        if all(median(values) < 0.0005 for values in figures.values()) and figures:
            continue  # an engine that has nothing to wait for is no row
        name = table.label(key)
        if sum(run.rows.count("settle") for run in group.runs) > 1 and key[1] == "settle":
            name = f"… {key[1]} after {key[0].split(',')[0]}"
        rows.append([name] + [table.spread(figures.get(engine, []), form) for engine in names]
                    + [_compared(figures, key[1])])
        others = table.collect(results, group.name, lambda result: result.get("other_rate"),
                               records).get(key, {})
        if others:
            rows.append(["… and its writes"]
                        + [table.spread(others.get(engine, [])) for engine in names]
                        + [_compared(others, key[1])])
    return rows


def _costs(group, results, names):
    """Bytes written, disk and memory of each run."""
    rows = []
    for run in group.runs:
        title = run.rows.split(",")[0]
        written = bars.written_for(results, group.name, run.rows)
        disk = bars.disk_after(results, group.name, run.rows)
        memory = _maxima(results, group.name, run.rows, "memory")
        if not memory:
            continue
        if any(median(values) >= 0.005 for values in written.values()):
            rows.append([f"{title}: written for each byte of data"]
                        + [table.spread(written.get(name, []), lambda value: f"{value:.2f}")
                           for name in names])
        rows.append([f"{title}: on disk, MB"]
                    + [table.spread(disk.get(name, []), lambda value: f"{value / 1e6:.0f}")
                       for name in names])
        rows.append([f"{title}: anonymous memory at most, MB"]
                    + [table.spread(memory.get(name, []), lambda value: f"{value / 1e6:.0f}")
                       for name in names])
    return rows


def _maxima(results, group, run, field):
    """{engine: [greatest of a process]}"""
    greatest = {}
    for result in results:
        if result["group"] == group and result["run"] == run and field in result:
            key = (result["engine"], result["round"])
            greatest[key] = max(greatest.get(key, 0), result[field])
    found = {}
    for (engine, _), value in greatest.items():
        found.setdefault(engine, []).append(value)
    return found


def _latencies(group, results, names):
    rows = []
    sides = (("latency", ""), ("other_latency", ", writes"))
    for side, addition in sides:
        keys = table.collect(results, group.name, lambda result, side=side: result.get(side))
        for key, measured in keys.items():
            if not measured:
                continue
            cells = []
            for name in names:
                its = measured.get(name, [])
                cells.append(" / ".join(table.nanoseconds(median([one[part] for one in its]))
                                        for part in ("p50", "p99", "p999", "max")) if its else "–")
            rows.append([table.label(key) + addition] + cells)
    return rows


def _chart(group, results, names, titles):
    rows = []
    for key, figures in table.collect(results, group.name).items():
        duration = table.is_duration(key[1])
        form = table.milliseconds if duration else table.short
        its = [(name, median(figures[name]), min(figures[name]), max(figures[name]),
                form(median(figures[name]))) for name in names if figures.get(name)]
        if len(its) < 1 or all(figure[1] < 0.0005 for figure in its):
            continue
        heading = table.label(key)
        if key[1] == "settle":
            heading = f"settle after {key[0].split(',')[0]}"
        remark = titles.get(key[1], "")
        rows.append((heading, f"{remark} (less is better)" if duration else f"{remark}, a second",
                     its))
    return charts.bars(group.title, rows) if rows else None


GROWTH_CHARTS = (
    ("readrandom", "Random reads a second", "rate", table.short),
    ("readseq", "Records scanned a second", "rate", table.short),
    ("fillrandom-batch", "Records filled a second, 1000 a batch", "rate", table.short),
    ("overwrite", "Overwrites a second, single puts", "rate", table.short),
    ("readseq", "Anonymous memory at most while reading, MB", "memory", table.megabytes),
    ("fillrandom-batch", "Bytes written for each byte of data, fill and settle", "amplification",
     lambda value: f"{value:.2g}"),
    ("settle", "Time to settle after the fill, ms", "seconds", lambda value: table.digits(value * 1e3, 4)),
    ("openclose", "Time from opening to the first read, ms", "first_read_mean",
     lambda value: table.digits(value * 1e3)),
)


def _growth_value(result, field, results):
    if field == "amplification":
        written = sum(other["written"] for other in results
                      if other["group"] == result["group"] and other["run"] == result["run"]
                      and other["engine"] == result["engine"]
                      and other["round"] == result["round"]
                      and other["records"] == result["records"]
                      and other.get("row") in ("fillrandom-batch", "settle"))
        return written / result["data"]
    if field == "first_read_mean":
        return result.get("latency", {}).get("mean", 0) / 1e9
    return result.get(field)


def _growth(results, names, directory):
    """One chart a figure; gives the Markdown that shows them."""
    text = ""
    for number, (row, title, field, form) in enumerate(GROWTH_CHARTS):
        gathered = {}
        for result in results:
            if result["group"] == "growth" and result.get("row") == row:
                value = _growth_value(result, field, results)
                if value:
                    gathered.setdefault(result["engine"], {}).setdefault(
                        result["records"], []).append(value)
        series = {name: [(records, median(values)) for records, values in gathered[name].items()]
                  for name in names if name in gathered}
        if not series:
            continue
        name = f"growth-{number + 1}.svg"
        (directory / name).write_text(charts.lines(title, "by number of records", series, form))
        text += f"![{title}](benchmarks/{name})\n\n"
        sizes = sorted({records for its in series.values() for records, _ in its})
        text += _table([title] + [f"{size:,}" for size in sizes],
                       [[engine] + [form(dict(its)[size]) if size in dict(its) else "–"
                                    for size in sizes] for engine, its in series.items()]) + "\n"
    return text


def _group(group, results, names, titles, directory):
    names = _taking_part(results, group.name, names)
    if not names:
        return ""
    text = f"## {group.title}\n\n"
    settings = group.settings
    if group.name == "growth":
        return text + group.note + "\n\n" + _growth(results, names, directory)
    records = max(result["records"] for result in results if result["group"] == group.name)
    text += (f"{records:,} records of {settings.key_size} + {settings.value_size:,} bytes, "
             f"budget {settings.budget >> 20} MiB. {group.note}\n\n")
    chart = _chart(group, results, names, titles)
    if chart:
        (directory / f"{group.name}.svg").write_text(chart)
        text += f"![{group.title}](benchmarks/{group.name}.svg)\n\n"
    text += _table(["a second"] + names + ["× best other"],
                   _figures(group, results, names, None)) + "\n"
    if group.name in WITH_COSTS:
        text += _table(["cost"] + names, _costs(group, results, names)) + "\n"
    if group.name in WITH_LATENCY:
        text += ("P50 / P99 / P99.9 / longest:\n\n"
                 + _table(["latency"] + names, _latencies(group, results, names)) + "\n")
    return text


def _other_settings(measured, group, names):
    """What was chosen for this group otherwise than in general, engine by engine."""
    chosen = measured["settings"].get(group, {})
    return "".join(f"Settings of {name} here: {chosen[name]}\n\n" for name in names
                   if chosen.get(name) and measured["engines"].get(name)
                   and chosen[name] != measured["engines"][name]["settings"])


def _headline(results):
    rows = []
    for number, claim, row, threads, what in HEADLINE:
        measured = [result for result in results if result["group"] == "headline"
                    and result.get("row") == row and result.get("threads") == threads
                    and "rate" in result]
        if not measured:
            continue
        figure = table.spread([result["rate"] for result in measured])
        if number == "A13":
            each = measured[0]["data"] / measured[0]["records"]
            figure += f", {median(r['rate'] for r in measured) * each / 1e6:.0f} MB/s"
        latency = [result["latency"] for result in measured if "latency" in result]
        percentiles = " / ".join(
            table.nanoseconds(median(its[part] for its in latency))
            for part in ("p50", "p99", "p999")) if latency and "batch" not in row else "–"
        rows.append([number, claim, f"`{row}`" + (f", {threads} threads" if threads > 1 else ""),
                     what, figure, percentiles])
    if not rows:
        return ""
    return ("Claimed elsewhere, and what the same settings give here:\n\n"
            + _table(["", "claim", "row", "what it is", "a second", "P50 / P99 / P99.9"], rows)
            + "\n")


def _languages(results, directory):
    rows, bars_of_rows = [], []
    for operation in ("get", "no-op get", "put", "no-op put"):
        figures = table.collect(results, "languages", lambda result: result.get("nanoseconds"))
        figures = next((its for key, its in figures.items() if key[1] == operation), {})
        rows.append([operation] + [table.spread(figures.get(name, []), table.nanoseconds)
                                   for name in ("c", "python", "gjs")])
        bars_of_rows.append((operation, "less is better",
                             [(name, median(figures[name]), min(figures[name]), max(figures[name]),
                               table.nanoseconds(median(figures[name])))
                              for name in ("c", "python", "gjs") if figures.get(name)]))
    if not any("languages" == result["group"] for result in results):
        return ""
    (directory / "languages.svg").write_text(charts.bars("What a call costs", bars_of_rows))
    return ("## Languages\n\nOne get (until `bytes`, `Uint8Array` or a buffer of C has the value) "
            "and one put, beside a function that does nothing and has the same introspected "
            "signature; a thousand records, all in the memtable. Claimed elsewhere (A10): reads 0.049 µs, "
            "writes 0.88 µs.\n\n![What a call costs](benchmarks/languages.svg)\n\n"
            + _table(["an operation", "C", "Python", "GJS"], rows) + "\n")


def _reservations(measured):
    """What has to be known before the bars are believed."""
    text = ""
    if measured["absent"]:
        text += f"Not there to be compared with: {', '.join(measured['absent'])}. "
    if measured["rounds"] < 3:
        text += "Fewer rounds than the three that bars are judged by. "
    if any(option in measured["command"] for option in ("--records", "--quick", "--seconds")):
        text += "Other numbers of records or other times than bars are about. "
    failed = sorted({result["engine"] for result in measured["results"]
                     if "failed" in result and result["engine"] in engines.PEERS})
    if failed:
        text += f"Failed in places, which makes bars easier: {', '.join(failed)}. "
    return text + "\n\n" if text else ""


def _verdicts(results):
    verdicts = bars.judge(results)
    lost = sum(verdict.won is False for verdict in verdicts)
    open_ones = sum(verdict.won is None for verdict in verdicts)
    text = (f"{len(verdicts) - lost - open_ones} met, {lost} lost, {open_ones} not measured.\n\n")
    return text + _table(["row", "bar", "aim", "measured", ""],
                         [[verdict.what, verdict.bar, verdict.aim, verdict.figure, verdict.word()]
                          for verdict in verdicts]) + "\n" + _why(verdicts)


def check():
    """Does floors.py explain only what is a bar? To be asked before measuring for hours."""
    unknown = set(floors.FLOORS) - {verdict.what for verdict in bars.judge([])}
    if unknown:
        sys.exit(f"floors.py explains what is no bar: {', '.join(sorted(unknown))}")


def _why(verdicts):
    lost = [verdict.what for verdict in verdicts if verdict.won is False]
    if not lost:
        return ""
    return "### What is lost, and why\n\n" + "".join(
        f"- **{what}**: {floors.FLOORS.get(what, 'not known yet.')}\n" for what in lost) + "\n"


def write(measured, directory):
    """`measured`: what --output has; `directory` gets benchmarks.md and benchmarks/."""
    pictures = directory / "benchmarks"
    pictures.mkdir(parents=True, exist_ok=True)
    results = measured["results"]
    names = [name for name in ("lightning", *engines.PEERS, "limit")
             if name in measured["engines"]]
    text = INTRODUCTION.read_text()
    text += "\n# The figures\n\n"
    text += f"Measured on {measured['date']} with `{measured['command']}`, " \
            f"{measured['rounds']} interleaved rounds.\n\n"
    text += _table(["", ""], [[what, value] for what, value in measured["machine"]]) + "\n"
    text += "## Settings\n\n"
    for name in names:
        about = measured["engines"][name]
        if about:
            text += f"- **{name} {about['version']}**: {about['settings']}\n"
    text += "\n## Bars\n\n" + _reservations(measured) + _verdicts(results)
    for group in groups.GROUPS:
        its = _group(group, results, names, measured["rows"], pictures)
        text += its + (_other_settings(measured, group.name, names) if its else "")
        if group.name == "headline":
            text += _headline(results)
    text += _languages(results, pictures)
    failures = [result for result in results if "failed" in result]
    if failures:
        text += "## Failed\n\n" + "\n".join(
            f"- {result['group']}: {result['failed']}" for result in failures) + "\n"
    (directory / "benchmarks.md").write_text(text.rstrip("\n") + "\n")
