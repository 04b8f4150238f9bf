# SPDX-License-Identifier: MIT
"""What a get and a put cost in C, Python and GJS, beside calls that do nothing."""

import json
import os
import shutil
import subprocess

from . import engines

PROGRAMS = "tests/benchmarks/languages"
TARGETS = ("benchmark-calls", "BenchmarkNoop-1.typelib")


def _commands(source, build):
    calls = source / PROGRAMS / "calls"
    return {"c": [build / PROGRAMS / "benchmark-calls"],
            "python": ["/usr/bin/python3", f"{calls}.py"],
            "gjs": ["gjs", "-m", f"{calls}.js"]}


def _environment(build):
    places = os.pathsep.join([str(build / "lightning-db" / "lib"), str(build / PROGRAMS)])
    return dict(os.environ, GI_TYPELIB_PATH=places, LD_LIBRARY_PATH=places,
                PYTHONDONTWRITEBYTECODE="1")


def run(source, build, work, rounds, seconds, results):
    """Interleaved rounds; a language that is not there is left out."""
    engines.make(build, [f"{PROGRAMS}/{target}" for target in TARGETS]
                 + ["lightning-db/lib/Ldb-1.typelib"])
    directory = work / "languages"
    for number in range(rounds):
        for language, command in _commands(source, build).items():
            shutil.rmtree(directory, ignore_errors=True)
            if shutil.which(command[0]) is None:
                continue
            done = subprocess.run([*map(str, command), str(directory), str(seconds)],
                                  capture_output=True, text=True, env=_environment(build))
            if done.returncode != 0:
                engines.complain(f"FAILED: {language}: {done.stderr.strip()}")
                results.append({"group": "languages", "run": "calls", "engine": language,
                                "round": number, "records": 1000, "failed": done.stderr.strip()})
                continue
            for line in done.stdout.splitlines():
                results.append({"group": "languages", "run": "calls", "engine": language,
                                "round": number, "records": 1000, **json.loads(line)})
    shutil.rmtree(directory, ignore_errors=True)
