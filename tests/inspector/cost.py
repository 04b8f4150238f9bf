# SPDX-License-Identifier: MIT
"""What the inspector takes, and what it costs the application: cost.py INSPECTOR

Share of one processor and memory of both, from /proc, page by page; the pages are chosen by keys, and
without assistive technology, which would be told of all that changes. docs/with-inspector sets what else it needs.
"""

import os
import pathlib
import subprocess
import time

import inspecting
from busy import PAGES, BusyCase

SECONDS = int(os.environ.get("COST_SECONDS", "30"))  # of each row
TICKS = os.sysconf("SC_CLK_TCK")


def processor_time(process):
    """Seconds of the process, its children apart."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process):
    """MiB that are its own."""
    for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) / 1024
    raise LookupError("Private_Dirty")


class Cost(BusyCase):
    def _measure(self, what, inspector=None):
        both = [process for process in (self.application, inspector) if process is not None]
        before, began = [processor_time(process) for process in both], time.monotonic()
        time.sleep(SECONDS)
        passed = time.monotonic() - began
        cells = [f"{(processor_time(process) - at) / passed * 100:.1f} % | {memory(process):.0f} MiB"
                 for process, at in zip(both, before)]
        print(f"| {what} | {' | '.join(cells + ['– | –'] * (2 - len(both)))} |", flush=True)

    def _press(self, inspector, *keys):
        screen = inspecting.Case.screen
        screen.focus(screen.windows(inspector.pid)[0])
        time.sleep(0.5)
        screen.press(*keys)
        time.sleep(2)

    def test_cost(self):
        print("| | application | its memory | inspector | its memory |\n|---|---|---|---|---|")
        self._measure("not connected")
        with subprocess.Popen([inspecting.Case.program], env={**os.environ, "GTK_A11Y": "none"}) as inspector:
            time.sleep(5)
            self._press(inspector, "Tab")
            self._press(inspector, "Return")
            for page in PAGES:
                self._press(inspector, "Alt_L", str(PAGES.index(page) + 1)[-1])
                self._measure(page, inspector)
            self._press(inspector, "Alt_L", "1")
            self._press(inspector, "space")
            time.sleep(3)  # what is read as text follows
            self._measure("overview, paused", inspector)
            self._press(inspector, "space")
            inspecting.Case.screen.hide(inspecting.Case.screen.windows(inspector.pid)[0])
            time.sleep(3)
            self._measure("overview, minimized", inspector)
            inspector.terminate()
        self._measure("not connected any more")


if __name__ == "__main__":
    inspecting.main()
