"""Findings from events that name some things are some of all findings, and from all are all."""

import random
import sqlite3

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tally.ledger.sqlite import SqliteLedger
from tests.support.building import SCHEMES
from tests.support.worlds import World, deliveries, take


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_findings_about_all_things_are_all_and_about_some_are_some_of_them(seed):
    ledger = SqliteLedger(sqlite3.connect(":memory:"))
    ledger.create()
    ledger.learn(SCHEMES)
    known = set()
    dice = random.Random(seed)
    for batch in deliveries(World(seed, steps=40), dice):
        take(ledger, known, batch)
    whole = set(map(_name, ledger.findings()))
    claims = list(ledger.every_claim())
    things = {part for claim in claims for part in (*claim.key, *claim.value)}
    things |= {subject for _, subject, _ in whole}
    assert set(map(_name, ledger.findings_about(frozenset(things)))) == whole
    for thing in sorted(things):
        about = ledger.findings_about(frozenset({thing}))
        assert set(map(_name, about)) <= whole
    assert ledger.findings_about(frozenset()) == ()


def _name(finding):
    return finding.code, finding.subject, finding.ref
