# SPDX-License-Identifier: MIT
"""The faults that there are: the hand-made ones of `list`, and those that the machine makes.

A fault is a dictionary: its name, the file below the engine, the tests that are to find it, and either
`old` and `new` text or, machine-made, the `span` in the file, what is `new` there and its `function`.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
ENGINE = "lightning-db/engine"
ARGUMENTS = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
OPERAND = rf"(?:[\w.>-]+ {ARGUMENTS}|[\w.>-]+)"
SUM = rf"(?:\w+_)?checksum {ARGUMENTS}"
AGE = r"(?<![\w.>-])(?<!\) - \()[\w.>-]*sequence (?:<=|>=|<|>) [a-z][\w.>-]*(?![\w.>-])(?!\) - \()"


def turn_bound(match):
    return re.sub(r" ([<>])(=?) ([\w.>-]+)$", lambda m: f" {m[1]}{'' if m[2] else '='} {m[3]}",
                  match.group())


# What the machine changes: where it stands, and what becomes of it.
KINDS = {
    "no-sync": (re.compile(rf"vfs_(?:sync_data|directory_sync) {ARGUMENTS}"),
                lambda match: "STATUS_OK"),
    "no-checksum": (re.compile(rf"{SUM}\s+[!=]= {OPERAND}|{OPERAND}\s+[!=]= {SUM}"),
                    lambda match: "true" if "==" in match.group() else "false"),
    "bound": (re.compile(rf"bytes_compare {ARGUMENTS} (?:<=|>=|<|>) 0"), turn_bound),
    "age": (re.compile(AGE), turn_bound),
}

# Which tests are to find them, by kind and file or directory.
MACHINE_TESTS = {
    "no-sync": {"": "crash faults wal manifest", "core/destroy.c": "deleting"},
    "no-checksum": {"log": "wal feed", "log/wal-reader.c": "feed wal processes",
                    "blob": "blob", "version": "manifest", "segment": "segment",
                    "core": "processes"},
    "bound": {"base": "range-set differential", "core/batch.c": "regressions differential",
              "core/repair.c": "upkeep corruption", "core/storage-sizes.c": "storage",
              "core/loader.c": "upkeep differential",
              "core/transaction.c": "regressions differential isolation-simulated",
              "core/validation.c": "regressions differential isolation-simulated",
              "core": "merging differential", "memtable": "memtable differential",
              "merge": "merge sorter differential", "segment": "leaf segment differential",
              "version": "manifest"},
    "age": {"base": "range-set differential", "core/check.c": "upkeep",
            "core/follow.c": "processes", "core/flush.c": "crash engine disk",
            "core/loader.c": "upkeep differential", "core/open.c": "processes",
            "core/recent.c": "feed", "core/recovery.c": "upkeep crash",
            "core/repair.c": "upkeep", "core/storage-pages.c": "storage",
            "core/transaction.c": "regressions differential",
            "core/validation.c": "regressions differential",
            "core": "differential hot-records engine isolation-simulated isolation",
            "log/wal-follow.c": "processes", "log/wal-history.c": "feed", "log": "wal crash feed",
            "memtable": "memtable differential", "merge": "merge differential",
            "segment": "leaf segment differential", "version": "manifest crash"},
}

def hand_made():
    mutants, old, new = [], [], []

    def end():
        if mutants:
            mutants[-1].update(old="\n".join(old), new="\n".join(new))

    for line in (HERE / "list").read_text().splitlines():
        if line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        elif line and not line.startswith("#"):
            end()
            name, file, *tests = line.split()
            mutants.append({"name": name, "file": file, "tests": tests})
            old, new = [], []
    end()
    return mutants


def excused():
    """Names of machine-made mutants that are none, and the functions in which they stand."""
    lines = (HERE / "excused").read_text().splitlines()
    return dict(line.split()[:2] for line in lines if line and not line.startswith("#"))


def function_around(text, at):
    return re.findall(r"^(\w+) \(", text[:at], re.MULTILINE)[-1]


def is_comment(text, at):
    return text.rfind("/*", 0, at) > text.rfind("*/", 0, at)


def machine_made():
    """All there are, the excused ones too."""
    mutants = []
    for path in sorted((TREE / ENGINE).rglob("*.[ch]")):
        file, text = str(path.relative_to(TREE / ENGINE)), path.read_text()
        for kind, (pattern, change) in KINDS.items():
            tests = MACHINE_TESTS[kind]
            found = tests.get(file, tests.get(file.split("/")[0], tests.get("", ""))).split()
            if not found or file.startswith("base/vfs"):
                continue
            code = (m for m in pattern.finditer(text) if not is_comment(text, m.start()))
            for ordinal, match in enumerate(code, 1):
                mutants.append({"name": f"{kind}:{file}:{ordinal}", "file": file, "tests": found,
                                "span": match.span(), "new": change(match),
                                "function": function_around(text, match.start())})
    return mutants


def mutated(text, mutant):
    if "span" in mutant:
        start, end = mutant["span"]
        return text[:start] + mutant["new"] + text[end:]
    if text.count(mutant["old"]) != 1:
        sys.exit(f"{mutant['name']}: its text stands {text.count(mutant['old'])} times in "
                 f"{mutant['file']}")
    return text.replace(mutant["old"], mutant["new"])
