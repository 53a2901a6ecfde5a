"""The law of the house: equal sets of events give equal ledgers, whatever came first or twice."""

import random
import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from tally.ledger.sqlite import SqliteLedger, rebuild
from tally.merge.keys import join_parts
from tests.support.building import SCHEMES
from tests.support.oracle import Oracle
from tests.support.worlds import World, deliveries, take

SEEDS = st.integers(0, 2**32)


def a_ledger(schemes=SCHEMES):
    ledger = SqliteLedger(sqlite3.connect(":memory:"))
    ledger.create()
    ledger.learn(schemes)
    return ledger


def filled(world, dice, learn_at=None):
    """A ledger of the events in a random order; schemes learned at the start or later."""
    ledger = a_ledger(SCHEMES if learn_at is None else ())
    known = set()
    for index, batch in enumerate(deliveries(world, dice)):
        if index == learn_at:
            ledger.learn(SCHEMES)
        take(ledger, known, batch)
    ledger.learn(SCHEMES)
    return ledger


def answers(ledger):
    """Everything that a ledger says."""
    codes = ledger.unit_codes()
    return {
        "fingerprint": ledger.fingerprint(),
        "cases": ledger.cases(),
        "findings": ledger.findings(),
        "rechecks": ledger.rechecks(),
        "units": [ledger.unit(code) for code in codes],
        "boxes": [ledger.box("BX-1"), ledger.box("BX-2")],
        "lot": ledger.lot("BAT-18650", "BAT-1"),
        "journals": ledger.journals(),
        "pending": ledger.pending(),
        "unread": ledger.uninterpreted(),
    }


@settings(max_examples=420)
@given(SEEDS, SEEDS)
def test_45_any_order_partition_and_duplication_gives_one_ledger(seed, shuffle):
    world = World(seed)
    one = filled(world, random.Random(shuffle))
    other = filled(world, random.Random(shuffle + 1), learn_at=shuffle % 7)
    assert answers(one) == answers(other)


@settings(max_examples=300)
@given(SEEDS, SEEDS)
def test_incremental_is_equal_to_a_rebuild_from_nothing(seed, shuffle):
    world = World(seed)
    incremental = filled(world, random.Random(shuffle))
    events = a_ledger()
    known = set()
    for writer in world.all_writers():
        take(events, known, writer.batch())
    assert answers(incremental) == answers(events)


@settings(max_examples=280)
@given(SEEDS, SEEDS)
def test_live_claims_and_cases_are_those_of_the_oracle(seed, shuffle):
    world = World(seed)
    ledger = filled(world, random.Random(shuffle))
    oracle = Oracle(world.events())
    found = {
        (view.kind, join_parts(view.key), view.value_name, view.place.id)
        for view in ledger.every_claim()
        if view.is_live
    }
    assert found == oracle.live_claims()
    doubts = {view.place.id: view.doubt for view in ledger.every_claim()}
    assert doubts == {ev.id: oracle.doubt(ev) for ev in oracle.events if ev.id in doubts}
    assert {case.key: case.status for case in ledger.cases()} == oracle.cases()


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 4))
def test_part_of_the_events_is_a_ledger_of_that_part(seed, kept):
    world = World(seed)
    batches = [writer.batch(1, min(writer.seq, kept * 3)) for writer in world.all_writers()[:kept]]
    one, other = a_ledger(), a_ledger()
    for ledger, order in ((one, batches), (other, batches[::-1])):
        known = set()
        for batch in order:
            take(ledger, known, batch)
    assert answers(one) == answers(other)


def test_rebuild_makes_a_ledger_of_exactly_the_batches():
    world = World(7)
    batches = [writer.batch() for writer in world.feeds]
    ledger = rebuild(batches, sqlite3.connect(":memory:"))
    assert [tip.name for tip in ledger.journals()] == ["decisions", "keys", "leases"]
