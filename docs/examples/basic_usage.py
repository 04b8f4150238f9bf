#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Opening, writing, reading, scanning, deleting: basic_usage.py DIRECTORY"""

import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402

with Ldb.open(f"{sys.argv[1]}/basic.db", create=True) as db:
    db["greeting"] = "hello"
    print("greeting:", db["greeting"].decode())

    # db["missing"] would be a KeyError.
    print("missing:", db.get("missing", "(none)"))

    db.update({"user:1": "Ada", "user:2": "Bo", "user:3": "Cy"})

    # Keys are ordered, so those with a common beginning lie together.
    for key, value in db.scan(prefix="user:"):
        print(key.decode(), value.decode())

    # Backwards, and only the first.
    for key in db.keys(prefix="user:", reverse=True, limit=1):
        print("last user:", key.decode())

    del db["user:2"]
    print("after deleting user:2:", sum(1 for key in db.keys(prefix="user:")), "users")
