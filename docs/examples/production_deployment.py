#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A headless service: settings from a file, durable commits, a backup while it runs, an orderly end.

production_deployment.py DIRECTORY SETTINGS
"""

import asyncio
import os
import signal
import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


def count(db: Ldb.Database) -> int:
    return sum(1 for key in db.keys(prefix="order:"))


async def back_up(db: Ldb.Database, path: str) -> None:
    """Writes go on meanwhile. A later backup to the same place copies only what is new."""
    await db.backup_async(path, Ldb.BackupFlags.VERIFY)
    report = await Ldb.Database.check_path_async(path, Ldb.CheckFlags.DEEP)
    with Ldb.open(path, read_only=True) as copy:
        print(f"backup: {count(copy)} orders, {report.fault_count} faults")


async def serve(directory: str, options: Ldb.Options) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await Ldb.open_async(f"{directory}/orders.db", create=True, options=options) as db:
        for number in range(100):
            await db.put_async(f"order:{number:04}", "paid")
        print(count(db), "orders stored")
        await back_up(db, f"{directory}/orders.backup")
        os.kill(os.getpid(), signal.SIGTERM)  # as an operator does
        await stop.wait()
    print("stopped by SIGTERM")


def main() -> None:
    directory, settings = sys.argv[1:]
    options = Ldb.Options.new()
    options.load_from_file(settings)  # what the environment says goes before it
    options.check()
    durable = options.get_wal_sync_mode() == Ldb.SyncMode.FULL
    print(f"cache {options.get_cache_size() >> 20} MiB, durable {'at once' if durable else 'soon'}")
    asyncio.run(serve(directory, options))
    with Ldb.open(f"{directory}/orders.db", options=options) as db:
        print("after a restart:", count(db), "orders")


main()
