"""Ledgers in memory for tests."""

import sqlite3

from tally.ledger.sqlite import SqliteLedger
from tests.support.building import SCHEMES


def a_ledger(*writers, schemes=SCHEMES):
    """A ledger that knows the demo's schemes and holds everything of these writers."""
    ledger = SqliteLedger(sqlite3.connect(":memory:"))
    ledger.create()
    ledger.learn(schemes)
    for writer in writers:
        ledger.absorb(writer.batch())
    return ledger
