"""What counts after a station's key was taken back, whatever came first."""

import itertools

import pytest

from tally.events import types as t
from tally.merge.keys import case_id
from tally.merge.trusting import trust_key
from tally.records.ids import show_journal
from tally.trace import completeness_of
from tests.support.building import Writing, board, bound, decided, feed, lamp
from tests.support.ledgers import a_ledger

PLACES = ("revocation first", "between", "last")


def plant():
    """S02 packs before and after the place from which its key is not trusted: events 2, 3 and 4."""
    station, keys = Writing("S02"), feed("keys")
    for number in (1, 2, 3):
        station.add(t.ItemPacked(lamp(number), f"BX-{number}", 1))
    return station, keys


def revoked(keys, station, trusted, reason="laptop stolen"):
    ref = station.ref(trusted) if trusted else ""
    keys.add(t.KeyRevoked(show_journal(station.id), station.name, reason, ref), by="BDG-3001")


def judged(decisions, station, seen, keep="none", old=()):
    key = trust_key(station.id)
    decisions.add(decided(case_id(key), key, keep, [], seen, old), by="BDG-3001")


def live(ledger):
    return {claim.key[0] for claim in ledger.every_claim() if claim.is_live}


def test_events_after_the_last_trusted_one_are_kept_and_make_no_claim():
    station, keys = plant()
    revoked(keys, station, 2)
    ledger = a_ledger(station, keys)
    assert live(ledger) == {lamp(1)}
    assert len(list(ledger.every_claim())) == 3
    [finding] = ledger.findings("S02")
    assert (finding.code, finding.evidence) == ("untrusted", (station.ref(4),))
    assert "after its event 2" in finding.words["en"]


@pytest.mark.parametrize("where", range(3), ids=PLACES)
def test_it_does_not_matter_when_the_revocation_arrives(where):
    station, keys = plant()
    revoked(keys, station, 2)
    batches = [station.batch(1, 2), station.batch(3, 4)]
    batches.insert(where, keys.batch())
    ledger = a_ledger()
    for batch in batches:
        ledger.absorb(batch)
        live(ledger)  # whatever is remembered of it must be forgotten in time
    whole = a_ledger(station, keys)
    assert ledger.fingerprint() == whole.fingerprint()
    assert ledger.findings() == whole.findings()


def test_a_decision_lets_events_count_again_or_leaves_them_out_for_good():
    station, keys = plant()
    revoked(keys, station, 2)
    seen = [keys.ref(2), station.ref(4)]
    restored, excluded = feed("decisions"), feed("decisions")
    judged(restored, station, seen, keep=station.ref(3))
    judged(excluded, station, seen)
    ledger = a_ledger(station, keys, restored)
    assert (live(ledger), ledger.findings()) == ({lamp(1), lamp(2)}, ())
    ledger = a_ledger(station, keys, excluded)
    assert (live(ledger), ledger.findings()) == ({lamp(1)}, ())
    assert ledger.cases() == (), "nothing contradicts: the decision is about a key, not a claim"


def test_what_the_decision_did_not_see_is_in_doubt_again():
    station, keys = plant()
    revoked(keys, station, 2)
    decisions = feed("decisions")
    judged(decisions, station, [keys.ref(2), station.ref(4)], keep=station.ref(4))
    station.add(t.ItemPacked(lamp(9), "BX-9", 1))
    ledger = a_ledger(station, keys, decisions)
    assert live(ledger) == {lamp(1), lamp(2), lamp(3)}
    assert [finding.code for finding in ledger.findings()] == ["untrusted"]


def test_decisions_that_contradict_settle_nothing_until_a_third_one_saw_both():
    station, keys = plant()
    revoked(keys, station, 2)
    one, decisions = feed("decisions"), feed("other decisions")
    seen = [keys.ref(2), station.ref(4)]
    judged(one, station, seen, keep=station.ref(4))
    judged(decisions, station, seen)
    assert [f.code for f in a_ledger(station, keys, one, decisions).findings()] == ["untrusted"]
    judged(decisions, station, seen, keep=station.ref(4), old=[one.ref(2), decisions.ref(2)])
    assert live(a_ledger(station, keys, one, decisions)) == {lamp(1), lamp(2), lamp(3)}


def test_the_earliest_of_several_revocations_counts():
    station, keys = plant()
    for trusted in (3, 2):
        revoked(keys, station, trusted)
    assert live(a_ledger(station, keys)) == {lamp(1)}


def test_without_a_trusted_event_nothing_of_the_journal_counts():
    station, keys = plant()
    revoked(keys, station, None)
    assert live(a_ledger(station, keys)) == set()


def test_the_other_side_of_a_fork_is_not_trusted_although_its_place_is_earlier():
    station, keys = plant()
    copy = station.fork(2)
    copy.add(t.ItemPacked(lamp(7), "BX-7", 1))
    revoked(keys, station, 4)
    batches = [station.batch(), keys.batch(), copy.batch(3)]
    prints = set()
    for order in itertools.permutations(batches):
        ledger = a_ledger()
        for batch in order:
            ledger.absorb(batch)
        prints.add((ledger.fingerprint(), frozenset(live(ledger))))
    [(_, standing)] = prints
    assert standing == {lamp(1), lamp(2), lamp(3)}


def test_an_untrusted_event_ends_nothing():
    station, keys = plant()
    station.add(t.ItemUnpacked(lamp(1), "BX-1", "recount"), seen=[2])
    station.add(t.ActionUndone("mistake"), seen=[3])
    revoked(keys, station, 4)
    assert live(a_ledger(station, keys)) == {lamp(1), lamp(2), lamp(3)}


def test_only_feeds_take_a_key_back_and_only_of_a_station():
    station, keys = plant()
    stranger = Writing("S03")
    revoked(stranger, station, 1)
    decisions = feed("decisions")
    revoked(keys, decisions, None)
    decisions.add(t.HoldPlaced(lamp(1), "unit", "smell"))
    ledger = a_ledger(station, keys, stranger, decisions)
    assert ledger.holds(lamp(1)) != ()
    assert live(ledger) == {lamp(1), lamp(2), lamp(3)}
    assert ledger.findings() == ()


def test_a_unit_with_doubtful_facts_is_held_until_somebody_decides():
    station, keys = Writing("S02"), feed("keys")
    station.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    station.add(bound(board(1), lamp(1)))
    revoked(keys, station, 2)
    ledger = a_ledger(station, keys)
    assert [(held.code, held.subject) for held in ledger.reasons_to_hold(lamp(1))] == [
        ("untrusted", lamp(1))
    ]
    assert ledger.contents(lamp(1)) == ()
    decisions = feed("decisions")
    judged(decisions, station, [keys.ref(2), station.ref(3)])
    assert a_ledger(station, keys, decisions).reasons_to_hold(lamp(1)) == ()


def test_every_answer_says_who_is_untrusted_since_when_and_why():
    station, keys = plant()
    revoked(keys, station, 2)
    found = completeness_of(a_ledger(station, keys).graph)
    [one] = found.untrusted
    assert (one.station, one.since, one.by, one.is_decided) == ("S02", 2, "BDG-3001", False)
    assert "S02 is untrusted since its event 2" in found.words["en"]
    assert "laptop stolen" in found.words["zh"]


def test_a_key_taken_back_after_the_newest_event_is_no_finding_yet():
    station, keys = plant()
    revoked(keys, station, 4)
    ledger = a_ledger(station, keys)
    assert ledger.findings() == ()
    station.add(t.ItemPacked(lamp(9), "BX-9", 1))
    ledger.absorb(station.batch(5))
    assert [finding.code for finding in ledger.findings()] == ["untrusted"]
