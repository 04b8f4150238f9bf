#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A leaderboard: an ordered index of scores beside the players, both in one commit.

leaderboard.py DIRECTORY

Keys are compared as bytes, so a score is written with leading zeros; the best come first when the
index is read backwards. A live list of it is an LdbListModel over the index.
"""

import sys
from typing import Iterator, Optional

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


class Leaderboard:
    def __init__(self, db: Ldb.Database) -> None:
        self._db = db
        self._players = db.open_store("players", Ldb.OpenFlags.CREATE)
        self._index = db.open_store("scores", Ldb.OpenFlags.CREATE)

    def add(self, player: str, points: int) -> int:
        """Gives points to a player; the new score."""
        def work(transaction: Ldb.Transaction) -> int:
            players = transaction.for_store(self._players)
            index = transaction.for_store(self._index)
            before: Optional[bytes] = players.get(player)
            if before is not None:
                del index[self._entry(int(before), player)]
            score = int(before or 0) + points
            players[player] = str(score)
            index[self._entry(score, player)] = b""
            return score

        return self._db.run(work)

    @staticmethod
    def _entry(score: int, player: str) -> str:
        return f"{score:012}:{player}"

    def best(self, count: int) -> Iterator[tuple[str, int]]:
        for key in self._index.keys(reverse=True, limit=count):
            score, player = key.decode().split(":", 1)
            yield player, int(score)

    def rank(self, player: str) -> int:
        """1 is the best."""
        entry = self._entry(int(self._players[player]), player)
        return 1 + sum(1 for key in self._index.keys(start=entry + "\0"))


with Ldb.open(f"{sys.argv[1]}/game.db", create=True) as database:
    board = Leaderboard(database)
    for name, score in [("ada", 300), ("bo", 120), ("cy", 90), ("bo", 250), ("di", 5), ("ada", 1)]:
        board.add(name, score)
    for place, (name, score) in enumerate(board.best(3), 1):
        print(place, name, score)
    print("di is number", board.rank("di"))
