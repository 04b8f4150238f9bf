#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A transfer of money that happens whole or not at all: transactions.py DIRECTORY"""

import sys

import gi

gi.require_version("Ldb", "1")
from gi.repository import Ldb  # noqa: E402


class InsufficientFunds(Exception):
    pass


def transfer(db: Ldb.Database, amount: int) -> None:
    def work(transaction: Ldb.Transaction) -> None:
        """Called again, with a fresh transaction, when somebody else was in the way."""
        alice, bob = int(transaction["alice"]), int(transaction["bob"])
        if alice < amount:
            raise InsufficientFunds(f"alice has {alice}, not {amount}")  # rolls back
        transaction["alice"] = str(alice - amount)
        transaction["bob"] = str(bob + amount)

    db.run(work)


def print_balances(db: Ldb.Database, before: str = "") -> None:
    print(f"{before}alice {db['alice'].decode()}, bob {db['bob'].decode()}")


def use(db: Ldb.Database) -> None:
    db.update({"alice": "100", "bob": "50"})
    transfer(db, 30)
    print_balances(db)
    try:
        transfer(db, 500)
    except InsufficientFunds as error:
        print("refused:", error)
    print_balances(db)

    # By hand: of two that change the same, the second commit fails.
    one, two = db.begin(), db.begin()
    one["alice"] = "60"
    two["alice"] = "0"
    one.commit(Ldb.SyncMode.FULL)
    try:
        two.commit()
    except Ldb.ConflictError:
        print("conflict: yes")

    # Back to a savepoint, and on from there.
    with db.begin() as transaction:
        transaction["bob"] = "90"
        savepoint = transaction.savepoint()
        transaction["alice"] = "0"
        transaction.rollback_to(savepoint)
    print_balances(db, "after going back: ")


with Ldb.open(f"{sys.argv[1]}/bank.db", create=True) as database:
    use(database)
