# SPDX-License-Identifier: MIT
"""A program with a database that others may look into: application.py FOLDER

It does what it is told on its standard input, a line each: “put N” writes N records. It answers with
a line when that is done.
"""

import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402

database = Ldb.Database.open(sys.argv[1], Ldb.OpenFlags.CREATE)
written = 0
print("open", flush=True)
for line in sys.stdin:
    command, count = line.split()
    assert command == "put"
    for _ in range(int(count)):
        database[f"key{written:08}"] = f"value {written}"
        written += 1
    print("done", flush=True)
database.close()
