#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is to be seen of a database from inside its program, and over HTTP: monitoring_setup.py DIRECTORY"""

import sys
import urllib.request

import gi

gi.require_version("Ldb", "1")
gi.require_version("LdbMonitor", "1")
from gi.repository import Ldb, LdbMonitor  # noqa: E402


def scrape(address: str) -> list[str]:
    """What Prometheus would get."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{address}/metrics") as answer:
        return answer.read().decode().splitlines()


def main() -> None:
    with Ldb.open(f"{sys.argv[1]}/sensors.db", create=True) as db:
        for number in range(100):
            db[f"sensor:{number:03}"] = "21.5"
        for number in range(40):
            db[f"sensor:{number:03}"]

        # Figures: each has a name, some are properties too. They notify while somebody looks.
        metrics = db.get_metrics()
        metrics.refresh()
        print(f"{metrics.props.total_writes} writes, {metrics.props.total_reads} reads")

        # Health: what is wrong, how bad it is, and what to do about it.
        health = db.examine_health()
        print("healthy" if health.is_healthy() else "not healthy")
        for issue in health:
            print(issue.id, issue.remedy)

        # Events: what the database did by itself. db.connect("event", …) tells of them as they happen.
        for event in db.list_events(0):
            if event.kind == Ldb.EventKind.OPENED:
                print("event: opened")

        # And all of it over HTTP, on loopback or a socket unless told otherwise; for Prometheus port 9090 is usual.
        server = LdbMonitor.Server.new(db)
        server.set_metrics_port(0)  # any that is free
        server.set_port(-1)  # health and events are left out
        server.start()
        wanted = ('lightning_db_operations_total{type="read"', 'lightning_db_operations_total{type="write"')
        print(*sorted(line for line in scrape(server.list_uris()[0]) if line.startswith(wanted)), sep="\n")
        server.stop()


main()
