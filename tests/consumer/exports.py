# SPDX-License-Identifier: MIT
"""What a library exports is what its header declares, no more and no less, under one version node.

  exports.py [--growing] LIBRARY HEADER NODE NAMES LIST [COMPILER-FLAG …]

NAMES is a regular expression for the functions that are meant. LIST has the names that are promised,
one a line: one that is gone from the library is a broken promise; one that the library has and the
list does not is an error, or, for a library that is --growing, is only told. Prints what is wrong; the
exit status is 1 when anything is.
"""
import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--growing", action="store_true")
for argument in ("library", "header", "node", "names", "promised"):
    parser.add_argument(argument)
options, flags = parser.parse_known_args()


def run(*arguments, **more):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def exported():
    """name → version node of what is exported."""
    found = {}
    for line in run("nm", "-D", "--defined-only", options.library).splitlines():
        _, kind, name = line.split()
        if kind != "A":
            name, _, version = name.partition("@@")
            found[name] = version
    return found


def declared():
    """Names of functions in the header once it is preprocessed."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    text = run(*compiler, "-E", "-P", "-x", "c", *flags, "-",
               input=f'#include "{options.header}"\n')
    return set(re.findall(rf"\b({options.names})\s*\(", text))


def promised():
    lines = pathlib.Path(options.promised).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


there, said, kept = exported(), declared(), promised()
new = [f"{name} is new: add it to {options.promised}" for name in there.keys() - kept]
wrong = [f"{name} is exported under “{version}”, not “{options.node}”"
         for name, version in there.items() if version != options.node]
wrong += [f"{name} is exported, but the header does not declare it" for name in there.keys() - said]
wrong += [f"{name} is declared, but not exported" for name in said - there.keys()]
wrong += [f"{name} was promised, and is gone" for name in kept - there.keys()]
wrong += [] if options.growing else new
for line in sorted({*wrong, *new}):
    print(line)
print(f"{len(there)} symbols")
sys.exit(len(wrong) > 0)
