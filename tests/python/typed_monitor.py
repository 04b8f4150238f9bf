# SPDX-License-Identifier: MIT
"""What a program with a monitor looks like to mypy, which never runs it."""

from gi.repository import Ldb, LdbMonitor


def serve(db: Ldb.Database) -> list[str]:
    server = LdbMonitor.Server.new(db)
    server.set_socket_path("/run/user/1000/notes.socket")
    server.set_socket_path(7)  # wrong
    server.set_max_connections(10)
    LdbMonitor.Server.new("notes.db")  # wrong
    text: str = LdbMonitor.format_metrics(db)
    number: int = LdbMonitor.format_metrics(db)  # wrong
    print(text, number)
    if not server.start():
        return []
    return server.list_uris()
