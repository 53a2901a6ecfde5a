"""A part bound twice, and what a person may do about it."""

import dataclasses

import pytest

from hub.services import Refused
from hub.services.deciding import find_case, seen_by_person
from hub.services.rebuilding import check, rebuild
from tally.events import types as t
from tests.support.building import bound, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled

PART = "PCB-L-00902"


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def two(hub):
    """Two stations that bound the same board."""
    one, other = enrolled(hub, "S02"), enrolled(hub, "S03")
    one.add(bound(PART, lamp(381)))
    other.add(bound(PART, lamp(405)))
    hub.ingest(one.id, one.piece(2))
    hub.ingest(other.id, other.piece(2))
    return one, other


def _case(hub):
    [case] = hub.office.store.ledger.cases()
    return case


def _decide(hub, keep, **changed):
    case = _case(hub)
    claims, decisions = seen_by_person(case)
    given = {"by": "BDG-3001", "reason": "looked", "claims_seen": claims, "supersedes": decisions}
    return hub.decide(case.id, keep=keep, **(given | changed))


def test_a_part_bound_twice_is_one_case_with_who_where_and_when(hub, two):
    [row] = hub.show("cases")
    assert (row["key"], row["status"]) == (f"in:{PART}", "open")
    assert {claim["station"] for claim in row["claims"]} == {"S02", "S03"}
    assert row["held"] == sorted([lamp(381), lamp(405)])
    assert row["words"]["zh"]


@pytest.mark.parametrize("named", ["id", "prefix", "place", "ref"])
def test_a_decision_keeps_the_named_event_and_ends_the_others(hub, two, named):
    one, other = two
    event = one.ids[-1]
    keep = {
        "id": event.hex(),
        "prefix": event.hex()[:8].upper(),
        "place": one.ref(2).rpartition(":")[0],
        "ref": one.ref(2),
    }[named]
    decided = _decide(hub, keep)
    assert decided.decision.keep == one.ref(2)
    assert decided.decision.retires == (other.ref(2),)
    assert _case(hub).status == decided.status == "decided"
    assert hub.show("cases")[0]["held"] == []
    assert check(hub.office).differences == ()


def test_a_later_decision_names_the_one_it_supersedes(hub, two):
    first = _decide(hub, two[0].ids[-1].hex())
    second = _decide(hub, two[1].ids[-1].hex())
    assert second.decision.retires == (two[0].ref(2),)
    row = hub.show("cases")[0]
    effective = {decision["ref"]: decision["is_effective"] for decision in row["decisions"]}
    assert effective[str(first.at.ref)] is False
    assert sorted(effective.values()) == [False, True]
    assert _case(hub).status == "decided"


def test_a_claim_that_ended_by_itself_is_not_decided_about(hub, two):
    third = enrolled(hub, "S01")
    third.add(bound(PART, lamp(999)))
    third.add(t.ActionUndone(reason="wrong part"), seen=(2,))
    hub.ingest(third.id, third.piece(2))
    claims, _ = seen_by_person(_case(hub))
    assert claims == sorted([two[0].ref(2), two[1].ref(2)])


def test_two_cases_of_one_id_are_told_apart_by_their_keys(hub, two):
    case = _case(hub)
    twin = dataclasses.replace(case, key="in:OTHER")
    with pytest.raises(Refused, match="in:OTHER") as refusal:
        find_case([case, twin], case.id)
    assert refusal.value.code == "ambiguous"
    assert find_case([case, twin], "in:OTHER") is twin


def test_two_decisions_that_did_not_see_each_other_are_contested(hub, two):
    claims, _ = seen_by_person(_case(hub))
    _decide(hub, two[0].ids[-1].hex())
    second = _decide(hub, two[1].ids[-1].hex(), claims_seen=claims, supersedes=[])
    assert _case(hub).status == second.status == "contested"


def test_a_claim_that_the_person_did_not_see_keeps_the_case_open(hub, two):
    claims, _ = seen_by_person(_case(hub))
    third = enrolled(hub, "S01")
    third.add(bound(PART, lamp(999)))
    hub.ingest(third.id, third.piece(2))
    done = _decide(hub, two[0].ids[-1].hex(), claims_seen=claims)
    assert _case(hub).status == done.status == "open"


def test_none_ends_every_claim(hub, two):
    decided = _decide(hub, "none")
    assert decided.decision.keep == "none"
    assert len(decided.decision.retires) == 2
    assert _case(hub).status == "decided"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"by": "BDG-1107"}, "not_allowed"),
        ({"by": "nobody"}, "not_allowed"),
        ({"reason": "  "}, "malformed"),
        ({"reason": "\udcff"}, "malformed"),
        ({"keep": "ffffffffff"}, "malformed"),
        ({"keep": "abc"}, "malformed"),
        ({"claims_seen": ["x"]}, "malformed"),
        ({"supersedes": ["A" * 26 + ":1:" + "0" * 16]}, "malformed"),
        ({"claims_seen": []}, "malformed"),
        ({"keep": "none", "claims_seen": []}, "nothing_to_decide"),
    ],
)
def test_what_nobody_may_decide_is_refused_in_words(hub, two, changed, code):
    keep = changed.pop("keep", two[0].ids[-1].hex())
    with pytest.raises(Refused) as refusal:
        _decide(hub, keep, **changed)
    assert refusal.value.code == code
    assert _case(hub).status == "open"


def test_a_case_is_named_by_a_unique_beginning(hub, two):
    case = _case(hub)
    assert find_case([case], case.id.lower()[:4]) == case
    with pytest.raises(Refused, match="there are: C-"):
        find_case([case], "C-?")
    with pytest.raises(Refused) as refusal:
        find_case([case, case], "C-")
    assert refusal.value.code == "ambiguous"
    with pytest.raises(Refused):
        find_case([case], "")


def test_a_rebuilt_ledger_is_equal(hub, two):
    _decide(hub, two[0].ids[-1].hex())
    before = hub.fingerprint()
    assert rebuild(hub.office).differences == ()
    assert hub.fingerprint() == before


def test_a_ledger_that_lost_something_is_found_and_mended(hub, two):
    connection = hub.office.store._connection
    connection.execute("DELETE FROM l_more")
    hub.office.store.ledger.rolled_back()
    differences = check(hub.office).differences
    assert any(line.startswith("only rebuilt: case") for line in differences)
    rebuild(hub.office)
    assert check(hub.office).differences == ()
    assert _case(hub).status == "open"


def test_holding_all_ends_nothing_and_everything_stays_held(hub, two):
    done = _decide(hub, "all")
    assert (done.decision.keep, done.decision.retires, done.status) == ("none", (), "open")
    assert set(done.decision.claims_seen) == {two[0].ref(2), two[1].ref(2)}
    row = hub.show("cases")[0]
    assert row["held"] == sorted([lamp(381), lamp(405)])
    assert row["decisions"][0]["is_effective"]


def _lamps(hub):
    return [hub.office.store.ledger.unit(lamp(counter)) for counter in (381, 405)]


def test_taking_a_decision_back_brings_back_what_held_before_it(hub, two):
    one, other = two
    _decide(hub, one.ref(2))
    first = _lamps(hub)
    _decide(hub, other.ref(2))
    second = _lamps(hub)
    assert second != first
    assert _decide(hub, "before").decision.keep == one.ref(2)
    assert _lamps(hub) == first
    assert _decide(hub, "before").decision.keep == other.ref(2)
    assert _lamps(hub) == second
    for answer in ("none", "all"):
        _decide(hub, answer)
        back = _decide(hub, "before")
        assert _lamps(hub) == second
    assert len(back.decision.supersedes) == 7, "each saw all before it, and none is deleted"
    assert check(hub.office).differences == ()


def test_the_only_decision_taken_back_opens_the_case_again(hub, two):
    before = _lamps(hub)
    _decide(hub, two[0].ref(2))
    back = _decide(hub, "before")
    assert (back.decision.keep, back.decision.retires, back.status) == ("none", (), "open")
    assert _lamps(hub) == before
    assert len(hub.show("cases")[0]["decisions"]) == 2, "nothing is deleted"


def test_what_was_never_decided_cannot_be_taken_back(hub, two):
    with pytest.raises(Refused, match="no decision to take back") as refusal:
        _decide(hub, "before")
    assert refusal.value.code == "nothing_to_decide"


def test_after_decisions_that_contradicted_each_other_nothing_held(hub, two):
    claims, _ = seen_by_person(_case(hub))
    _decide(hub, two[0].ref(2))
    _decide(hub, two[1].ref(2), claims_seen=claims, supersedes=[])
    _decide(hub, two[0].ref(2))
    back = _decide(hub, "before")
    assert (back.decision.retires, back.status) == ((), "open")
