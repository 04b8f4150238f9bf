# SPDX-License-Identifier: MIT
"""Building the programs, making databases for them and running them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from .groups import LOAD

ALL = ("limit", "lightning", "lmdb", "rocksdb", "leveldb", "sqlite", "wiredtiger")
PEERS = ALL[2:]
PACKAGES = ("liblmdb-dev", "librocksdb-dev", "libleveldb-dev", "libsqlite3-dev",
            "libwiredtiger-dev", "g++")


class Failed(Exception):
    """A program failed; the message says which and why."""


def install_peers():
    """The other engines' libraries, from Debian."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "apt-get", "install", "-y", "-q", "--no-install-recommends",
                    *PACKAGES], check=True)


def build(source, directory, look_again):
    """A release build of the library and of every program that can be built; gives their names. `look_again`:
    for libraries that were not there when the directory was made."""
    if not (directory / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--buildtype=release", directory, source], check=True,
                       stdout=subprocess.DEVNULL)
    elif look_again:
        subprocess.run(["meson", "setup", "--reconfigure", directory, source], check=True,
                       stdout=subprocess.DEVNULL)
    types = [option["value"] for option in introspect(directory, "--buildoptions")
             if option["name"] == "buildtype"]
    if types != ["release"]:
        sys.exit(f"{directory} is a build of type {', '.join(types)}; benchmarks are of a release build.")
    targets = {target["name"]: target for target in introspect(directory, "--targets")}
    names = [name for name in ALL if "benchmark-" + name in targets]
    files = [os.path.relpath(targets["benchmark-" + name]["filename"][0], directory)
             for name in names]
    make(directory, files)
    return names


def introspect(directory, what):
    return json.loads(subprocess.run(["meson", "introspect", what, directory], check=True,
                                     capture_output=True, text=True).stdout)


def make(directory, files):
    built = subprocess.run(["ninja", "-C", directory, *files], capture_output=True, text=True)
    if built.returncode != 0:
        raise Failed(built.stdout + built.stderr)


class Engine:
    """One program and the databases it has made."""

    def __init__(self, name, build_directory, work):
        self.name = name
        self.program = build_directory / "tests" / "benchmarks" / ("benchmark-" + name)
        self.work = work / name
        self.prepared = {}
        self.about = {}      # version and settings of the first process
        self.settings = ""   # of the latest one, in words
        self.work.mkdir(parents=True, exist_ok=True)

    def titles(self):
        """{row: what it is in words}"""
        listed = subprocess.run([self.program, "--list"], check=True, capture_output=True, text=True)
        fields = [line.split("\t") for line in listed.stdout.splitlines()]
        return dict([(row, title) for row, _, _, title in fields],
                    first_read="from opening to the first read")

    def run(self, directory, rows, settings, existing=False, killed=False):
        """Runs one process, with nothing left to be written from what came before; gives what it printed, a
        dictionary a line."""
        command = [self.program, "--directory", directory, "--rows", rows, *settings.options()]
        if existing:
            command.append("--existing")
        os.sync()
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0 and not (killed and done.returncode == -9):
            raise Failed(f"{self.name}, {rows}: {done.stderr.strip() or done.returncode}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if lines:
            self.about = self.about or lines[0]
            self.settings = lines[0]["settings"]
        return lines

    def database(self, settings):
        """A filled database with these settings, made on first use."""
        if self.name == "limit":
            return None
        key = settings.prepared_as()
        if key not in self.prepared:
            directory = self.work / f"prepared-{len(self.prepared)}"
            shutil.rmtree(directory, ignore_errors=True)
            self.run(directory, LOAD, settings)
            self.prepared[key] = directory
        return self.prepared[key]

    def copy(self, directory):
        """A copy of a closed database, holes and all."""
        target = self.work / "copy"
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", "--sparse=auto", "--reflink=auto", directory, target],
                       check=True)
        return target

    def perform(self, run, settings):
        """One run of a group; gives its rows."""
        directory = self.work / "fresh"
        shutil.rmtree(directory, ignore_errors=True)
        rows, existing = run.rows, not run.fresh
        if run.once:
            settings = replace(settings, operations=settings.records)
        if self.name == "limit" and existing:
            # It keeps nothing: the database is made in the same process.
            rows, existing = LOAD + "," + rows, False
        elif existing:
            directory = self.database(settings)
            if run.changes:
                directory = self.copy(directory)
        if settings.cold:
            empty_page_cache(directory)
        lines = self.run(directory, rows, settings, existing, killed="kill" in rows.split(","))
        if rows != run.rows:
            lines[1:] = lines[1 + len(LOAD.split(",")):]  # its settling is not what the run's rows settle
        if run.fresh and any(line.get("impossible") for line in lines[1:2]):
            lines = lines[:2]  # what follows in a database that was not filled says nothing
        elif run.then and self.name != "limit":
            after = self.run(directory, run.then, settings, existing=True)
            lines = lines + [dict(after[0], row="first_read")] + after[1:]
        if run.fresh or run.changes:
            shutil.rmtree(directory, ignore_errors=True)
        wanted = run.rows.split(",") + run.then.split(",") + ["first_read"]
        names = {name.partition("@")[0] for name in wanted}
        return [line for line in lines if line.get("row") in names]


def empty_page_cache(directory):
    """Nothing of the database stays in memory; of other files neither where we may."""
    if not directory.exists():
        return
    for path in Path(directory).rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)
    try:
        Path("/proc/sys/vm/drop_caches").write_text("1\n")
    except OSError:
        pass


def complain(text):
    print(text, file=sys.stderr, flush=True)
