"""A ledger that is asked after every batch says what one says that has just opened the file."""

import random
import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from tally.ledger.sqlite import SqliteLedger
from tally.merge.claims import KINDS
from tests.support.building import SCHEMES, board, lamp
from tests.support.worlds import World, deliveries, take

SEEDS = st.integers(0, 2**32)
CODES = [lamp(1), lamp(2), lamp(3), board(1), board(2), board(3), "BX-1", "BX-2", "BAT-1", "none"]
LOT = ("BAT-18650", "BAT-1")


def said(ledger):
    """What a station asks, about codes that are known and codes that are not."""
    return {
        "claims": [
            ledger.claims(kind.name, code) for kind in KINDS if kind.whole for code in CODES
        ],
        "units": [ledger.unit(code) for code in CODES],
        "making": [ledger.making(code) for code in CODES],
        "held": [ledger.reasons_to_hold(code) for code in CODES],
        "boxes": [ledger.box(code) for code in CODES],
        "lots": [ledger.lot(*LOT), *(ledger.lot("", code) for code in CODES)],
        "cases": ledger.cases(),
        "findings": ledger.findings(),
        "rechecks": ledger.rechecks(),
        "every": {(view.key_name, view.ref, view.is_live) for view in ledger.every_claim()},
    }


def newly_opened(connection):
    """Another ledger over the same tables, with nothing in memory."""
    ledger = SqliteLedger(connection)
    ledger.learn(SCHEMES)
    return ledger


@settings(max_examples=60, deadline=None)
@given(SEEDS, SEEDS)
def test_after_every_batch_and_every_rollback_it_says_what_the_tables_say(seed, shuffle):
    dice = random.Random(shuffle)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.learn(SCHEMES)
    known = set()
    batches = deliveries(World(seed), dice)
    if dice.random() < 0.7:  # each journal in its order, as a station takes them
        batches.sort(key=lambda batch: batch.first)
    for batch in batches:
        if dice.random() < 0.2:
            connection.execute("BEGIN")
            take(ledger, set(known), batch)
            said(ledger)
            connection.execute("ROLLBACK")
            ledger.rolled_back()
        take(ledger, known, batch)
        assert said(ledger) == said(newly_opened(connection))
