# SPDX-License-Identifier: MIT
"""Which faults break which invariant: `invariants`, held against the engine's source.

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
        breaking = {name for begin in what.split() for name in names
                    if name == begin or name.startswith(begin + ":")}
        faults += [f"invariants: {file} {number}: there is no fault {begin}" for begin in what.split()
                   if not any(name == begin or name.startswith(begin + ":") for name in names)]
        counts["more" if len(breaking) > 1 else "one"] += 1
    return faults, (f"{len(source)} invariants: {counts['more']} with two faults or more, {counts['one']} with "
                    f"one, {counts['none:']} that none can be made for, {counts['open:']} still without")
