# SPDX-License-Identifier: MIT
"""Builds and runs programs against the library in the build directory."""

import os
import pathlib
import shlex
import subprocess

SOURCE = pathlib.Path(os.environ["SOURCE_ROOT"])
BUILD = pathlib.Path(os.environ["BUILD_ROOT"])
LIBRARY = BUILD / "lightning-db" / "lib"
MONITOR = BUILD / "lightning-db" / "monitor"
SERVER = SOURCE / "tests" / "gtk" / "run-in-xvfb"  # runs a program on an X server of its own
SUFFIXES = {"c": ".c", "python": ".py", "js": ".js", "vala": ".vala", "sh": ".sh"}


def environment(home):
    """As `meson devenv` has it, with all of the user's directories below `home`."""
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "LD_LIBRARY_PATH": f"{LIBRARY}:{MONITOR}:{BUILD}/lightning-db/ffi",
        "GI_TYPELIB_PATH": f"{LIBRARY}:{MONITOR}",
        "PYTHONPATH": str(SOURCE / "lightning-db" / "bindings" / "python"),
        "GJS_PATH": str(SOURCE / "lightning-db" / "bindings" / "gjs"),
        "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled"),
        "PATH": f"{BUILD}/lightning-db/cli:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "G_DEBUG": "fatal-criticals",
        "GIO_USE_VFS": "local",
        "GSETTINGS_BACKEND": "memory",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(arguments, directory, display=False):
    """What became of a command."""
    if display:
        # Not xvfb-run, which waits for good when its server is ready before it begins to wait.
        arguments = [SERVER, *arguments]
    return subprocess.run(list(map(str, arguments)), cwd=directory, env=environment(directory), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=1500, check=False)


def _flags(packages, directory):
    done = run(["pkg-config", "--cflags", "--libs", "lightning-db-1", *packages], directory)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    # Uninstalled, the generated headers lie in the build directory.
    return [f"-I{LIBRARY}", *shlex.split(done.stdout)]


def command(language, source, packages, directory):
    """(how to build it, or None; how to run it)"""
    if language == "python":
        return None, ["/usr/bin/python3", source]
    if language == "js":
        return None, ["gjs", "-m", source]
    if language == "sh":
        return None, ["sh", "-e", source]
    program = directory / pathlib.Path(source).stem
    if language == "c":
        return ["cc", "-g", "-Wall", "-Wno-unused", "-Werror", source, "-o", program,
                *_flags(packages, directory)], [program]
    flags = [word for flag in _flags(packages, directory) for word in ("-X", flag)]
    return ["valac", "--fatal-warnings", "-X", "-w", f"--vapidir={LIBRARY}", f"--vapidir={MONITOR}",
            *(f"--pkg={name}" for name in ("gio-2.0", "lightning-db-1", *packages)),
            *flags, "-o", program, source], [program]
