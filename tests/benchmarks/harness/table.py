# SPDX-License-Identifier: MIT
"""Figures as text: medians of rounds, with the least and the greatest."""

from statistics import median

from . import engines


def short(number):
    """1234567 → 1.23M"""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= size:
            scaled = number / size
            return f"{scaled:.0f}{unit}" if scaled >= 100 else \
                f"{scaled:.1f}{unit}" if scaled >= 10 else f"{scaled:.2f}{unit}"
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def digits(number, count=3):
    """As many digits, but never as a power of ten: 1234567 → 1234567, not 1.23e+06"""
    return f"{number:.{count}g}" if abs(number) < 10 ** count - 0.5 else f"{number:.0f}"


def spread(values, form=short):
    """median (least–greatest)"""
    if not values:
        return "–"
    if len(values) == 1:
        return form(values[0])
    return f"{form(median(values))} ({form(min(values))}–{form(max(values))})"


def milliseconds(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds < 10 else f"{seconds:.1f} s"


def nanoseconds(duration):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(duration) >= size:
            return f"{digits(duration / size)} {unit}"
    return f"{duration:.0f} ns"


def megabytes(size):
    return digits(size / 1e6)


def is_duration(row):
    return row in ("settle", "compact", "first_read")


def value_of(result):
    """The figure of a row: operations a second, or seconds where the row is one long wait."""
    if result["row"] == "first_read":
        return result.get("first_read")
    return result.get("seconds") if is_duration(result["row"]) else result.get("rate")


def key_of(result):
    return (result["run"], result["row"], result.get("threads", 1))


def collect(results, group, value=value_of, records=None):
    """{(run, row, threads): {engine: [values]}} in the order measured."""
    found = {}
    for result in results:
        if result["group"] != group or "row" not in result:
            continue
        if records is not None and result["records"] != records:
            continue
        figure = value(result)
        row = found.setdefault(key_of(result), {})
        if figure is not None:
            row.setdefault(result["engine"], []).append(figure)
    return found


def best_peer(figures, least=False):
    """(engine, median) of the best engine that is not ours."""
    peers = {name: median(values) for name, values in figures.items()
             if name in engines.PEERS and values}
    if not peers:
        return None
    choose = min if least else max
    name = choose(peers, key=peers.get)
    return name, peers[name]


def ratio(figures, row):
    """Ours to the best peer's; above 1 is better; None: one of them was not measured."""
    least = is_duration(row)
    best = best_peer(figures, least)
    if best is None or not figures.get("lightning"):
        return None
    ours = median(figures["lightning"])
    if ours <= 0 or best[1] <= 0:
        return None
    return best[1] / ours if least else ours / best[1]


def label(key):
    _, row, threads = key
    return row if threads in (0, 1) else f"{row}, {threads} threads"


def of_group(group, results, names):
    """A plain table for the terminal."""
    lines = [f"\n{group.title} ({group.name})"]
    taking = [name for name in names
              if any(result["group"] == group.name and result["engine"] == name
                     for result in results)]
    lines.append(f"{'':28}" + "".join(f"{name:>22}" for name in taking) + f"{'× best peer':>14}")
    for records in sorted({result["records"] for result in results
                           if result["group"] == group.name}):
        if group.sizes:
            lines.append(f"{records:,} records")
        for key, figures in collect(results, group.name, records=records).items():
            form = milliseconds if is_duration(key[1]) else short
            cells = "".join(f"{spread(figures.get(name, []), form):>22}" for name in taking)
            compared = ratio(figures, key[1])
            lines.append(f"{label(key):28}{cells}"
                         + (f"{compared:>14.2f}" if compared else f"{'–':>14}"))
            others = collect(results, group.name, lambda result: result.get("other_rate"),
                             records).get(key, {})
            if others:
                cells = "".join(f"{spread(others.get(name, [])):>22}" for name in taking)
                compared = ratio(others, key[1])
                lines.append(f"{'  … and writes':28}{cells}"
                             + (f"{compared:>14.2f}" if compared else f"{'–':>14}"))
    return "\n".join(lines)


def of_languages(results):
    """The same for what a call costs."""
    found = collect(results, "languages", lambda result: result.get("nanoseconds"))
    lines = ["\nWhat a call costs (languages)", f"{'':28}" + "".join(
        f"{name:>28}" for name in ("C", "Python", "GJS"))]
    for key, figures in found.items():
        lines.append(f"{key[1]:28}" + "".join(f"{spread(figures.get(name, []), nanoseconds):>28}"
                                              for name in ("c", "python", "gjs")))
    return "\n".join(lines)
