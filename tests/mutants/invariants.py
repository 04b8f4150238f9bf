# SPDX-License-Identifier: MIT
"""Which faults break which invariant: `invariants`, held against the engine's source; and how many
there are for each organ, and for each promise of the whole engine (`promises`).

An organ's files number their invariants in the comment that they open with.
"""
import re

from faults import ENGINE, HERE, TREE

HEAD = re.compile(r"^/\*\n(?:(?!\*/).)*?^ \* Invariants?\b(?:(?!\*/).)*\*/", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"^ \*   ([A-Z]\d)  |^ \* Invariant ([A-Z]\d):", re.MULTILINE)


def numbered():
    """("core/commit.c", "K1") and so on, as the source numbers them."""
    found = []
    for path in sorted((TREE / ENGINE).rglob("*.[ch]")):
        head = HEAD.search(path.read_text())
        found += [(str(path.relative_to(TREE / ENGINE)), match[1] or match[2])
                  for match in NUMBER.finditer(head.group() if head else "")]
    return found


def listed():
    """For each such pair what stands behind it: names, or "none:" or "open:" and a reason."""
    lines, file = {}, None
    for line in (HERE / "invariants").read_text().splitlines():
        if line.startswith(" "):
            number, _, what = line.strip().partition(" ")
            lines[file, number] = what
        elif line and not line.startswith("#"):
            file = line
    return lines


def breaking(what, names):
    """The faults that a line of `invariants` stands for."""
    return {name for begin in what.split() for name in names
            if name == begin or name.startswith(begin + ":")}


def check_invariants(mutants, excuses):
    """What does not fit, and a line that says how many have what."""
    names = [m["name"] for m in mutants if m["name"] not in excuses]
    source, lines = numbered(), listed()
    faults = [f"invariants: {file} {number} has no line" for file, number in source
              if (file, number) not in lines]
    faults += [f"invariants: {file} numbers no {number}" for file, number in lines
               if (file, number) not in source]
    counts = {"none:": 0, "open:": 0, "one": 0, "more": 0}
    for (file, number), what in lines.items():
        kind, _, reason = what.partition(" ")
        if kind in ("none:", "open:"):
            counts[kind] += 1
            if kind == "none:" and not reason:
                faults.append(f"invariants: {file} {number}: why can none be made?")
            continue
        faults += [f"invariants: {file} {number}: there is no fault {begin}" for begin in what.split()
                   if not breaking(begin, names)]
        counts["more" if len(breaking(what, names)) > 1 else "one"] += 1
    return faults, (f"{len(source)} invariants: {counts['more']} with two faults or more, {counts['one']} with "
                    f"one, {counts['none:']} that none can be made for, {counts['open:']} still without")


def promises():
    """For each, its number and words, and the pairs of file and number, or names of faults, behind it."""
    found = []
    for line in (HERE / "promises").read_text().splitlines():
        if line.startswith(" "):
            file, *numbers = line.split()
            found[-1][1].extend((file, number) for number in numbers)
        elif line and not line.startswith("#"):
            found.append((line, []))
    return found


def faults_of(pairs, names):
    lines, found = listed(), set()
    for file, number in pairs:
        what = number if file == "fault" else lines.get((file, number), "")
        if not what.startswith(("none:", "open:")):
            found |= breaking(what, names)
    return found


def table(mutants, excuses):
    """Rows of what, its invariants that have faults, how many of all, and its faults: first the organs,
    each a directory of the engine, then the promises."""
    names = [m["name"] for m in mutants if m["name"] not in excuses]
    lines, organs = listed(), []
    for organ in sorted({m["file"].split("/")[0] for m in mutants}):
        own = [what for (file, _), what in lines.items() if file.startswith(organ + "/")]
        faults = [m for m in mutants if m["name"] in names and m["file"].startswith(organ + "/")]
        organs.append((organ, sum(not what.startswith(("none:", "open:")) for what in own), len(own),
                       len(faults)))
    whole = [(text, sum(bool(faults_of([pair], names)) for pair in pairs), len(pairs),
              len(faults_of(pairs, names))) for text, pairs in promises()]
    return organs, whole


def check_promises(mutants, excuses):
    """What stands on nothing, or on one fault only."""
    lines, names = listed(), {m["name"] for m in mutants if m["name"] not in excuses}
    faults = [f"promises: there is no {file} {number}" for _, pairs in promises()
              for file, number in pairs
              if (file, number) not in lines and not (file == "fault" and number in names)]
    return faults + [f"{what}: {count} faults are too few" for rows in table(mutants, excuses)
                     for what, _, _, count in rows if count < 2]


def print_table(mutants, excuses):
    for head, rows in zip(("organ", "promise"), table(mutants, excuses)):
        print(f"| {head} | invariants with faults | of | faults |", "|---|---|---|---|",
              *(f"| {what} | {broken} | {all_of} | {count} |" for what, broken, all_of, count in rows),
              "", sep="\n")
