# SPDX-License-Identifier: MIT
"""What the figures were measured on."""

import os
import platform
import subprocess
from pathlib import Path


def _read(path):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _processor():
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _caches():
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if _read(index / "type") != "Instruction":
            found.append(f"L{_read(index / 'level')} {_read(index / 'size')}")
    return ", ".join(found)


def _memory():
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / (1 << 20):.0f} GiB"
    return "unknown"


def _file_system(directory):
    """Type and options of the mount that holds it."""
    best = ("", "unknown")
    path = str(directory.resolve())
    for line in _read("/proc/self/mountinfo").splitlines():
        fields = line.split()
        mount, tail = fields[4], fields[fields.index("-") + 1:]
        inside = path == mount or path.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, tail[0])
    return best[1]


def _disk(directory):
    """The kind of disk it lies on, as far as the system knows."""
    number = os.stat(directory).st_dev
    block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    whole = block if (block / "queue").exists() else block.parent
    if whole.name.startswith("vd"):
        return "virtio"  # of which the system knows nothing more
    kind = {"0": "solid state", "1": "rotating"}.get(_read(whole / "queue" / "rotational"), "")
    return ", ".join(part for part in (_read(whole / "device" / "model"), kind) if part)


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _system():
    for line in _read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def describe(source, work):
    """[(what, value)] in the order to be printed."""
    virtual = _output("systemd-detect-virt", "--vm")
    measured = ("--", ":/", ":!/docs", ":!/*.md")  # all but what only people read
    commit = _output("git", "-C", str(source), "log", "-1", "--format=%h of %cs", *measured)
    changed = _output("git", "-C", str(source), "status", "--porcelain", "--untracked-files=no",
                      *measured)
    huge = _read("/sys/kernel/mm/transparent_hugepage/enabled")
    rows = [
        ("Processor", _processor() + (f", virtual machine ({virtual})"
                                      if virtual not in ("", "none") else "")),
        ("Cores", str(len(os.sched_getaffinity(0)))),
        ("Caches", _caches()),
        ("Memory", _memory()),
        ("Transparent huge pages", huge[huge.find("[") + 1:huge.find("]")] if "[" in huge else ""),
        ("File system", _file_system(work)),
        ("Disk", _disk(work)),
        ("System", f"{_system()}, Linux {platform.release().partition('-')[0]}"),
        ("Compiler", _output("cc", "--version").splitlines()[0] if _output("cc", "--version")
         else ""),
        ("Source", commit + (" with changes" if changed else "")),
    ]
    return [(what, value) for what, value in rows if value]
