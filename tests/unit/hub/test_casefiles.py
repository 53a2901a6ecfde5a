"""What a case's page shows, and the inbox."""

import json

import pytest

from hub.services import Refused
from hub.services.deciding import seen_by_person
from tally.events import types as t
from tally.events.decoding import write_line
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled

PART = board(902)
ADMIN = "BDG-3001"
BOXED, LOOSE = lamp(381), lamp(405)


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def two(hub):
    """Two stations that bound the same board among others; one lamp is in a closed box."""
    one, other = enrolled(hub, "S02"), enrolled(hub, "S03")
    for counter in (380, 381, 382):
        child = PART if counter == 381 else board(counter)
        one.add(bound(child, lamp(counter), source="scanner-2"), by="BDG-1182")
    one.add(t.ItemPacked(BOXED, "BX-1", 1))
    one.add(t.BoxClosed("BX-1", (BOXED,), "0" * 64))
    unknown = (t.Check("not_used", PART, "UNKNOWN", "own journal"),)
    other.add(bound(board(804), lamp(404), source="scanner-1"))
    other.add(bound(PART, LOOSE, source="keyboard", checks=unknown, provisional=True))
    hub.ingest(one.id, one.piece(2))
    hub.ingest(other.id, other.piece(2))
    return one, other


def _file(hub):
    [row] = hub.inbox()
    return hub.case_file(row["id"])


def _fields(rows):
    return {row["field"]: row["values"] for row in rows}


def test_differences_say_who_where_when_how_and_what_came_before_and_after(hub, two):
    file = _file(hub)
    told = _fields(file["different"])
    assert told["owner"] == [BOXED, LOOSE]
    assert [who["zh"] for who in told["by"]] == ["李娜", "张伟"]
    assert told["station"] == ["S02", "S03"]
    assert told["device"] == ["scanner-2", "keyboard"]
    assert told["entry"] == ["scanned", "typed"]
    assert told["before"] == [lamp(380), lamp(404)]
    assert told["after"] == [lamp(382), ""]
    assert told["boxes"] == ["BX-1", ""]
    assert told["knew"][1]["en"] == (
        "not used before: unknown, went on provisionally (own journal)"
    )
    assert "at" in told
    assert _fields(file["equal"])["body.part"] == ["PCB-L", "PCB-L"]


def test_a_clock_that_was_behind_what_the_station_knew_is_named(hub, two):
    one, _ = two
    line = write_line(
        bound(PART, lamp(500)),
        hlc=f"{one.clock_ms + 3_600_000:012x}.0000",
        at="2025-08-29T10:58:10.000+08:00",
        by="BDG-1182",
        seen=(),
    )
    one.add_line(line)
    hub.ingest(one.id, one.piece(one.seq))
    late = next(claim for claim in _file(hub)["claims"] if claim["owner"] == lamp(500))
    assert 3580 < late["clock_behind_s"] < 3600
    assert {claim["clock_behind_s"] for claim in _file(hub)["claims"]} == {
        0,
        late["clock_behind_s"],
    }


def test_goods_at_risk_are_named_with_the_box_they_lie_in(hub, two):
    file = _file(hub)
    goods = {row["code"]: row for row in file["goods"]}
    assert set(goods) == {BOXED, LOOSE, PART, "BX-1"}
    assert goods[BOXED]["boxes"] == ["BX-1"]
    assert (goods["BX-1"]["is_closed"], goods["BX-1"]["items"]) == (True, 1)
    assert goods[LOOSE]["seen"]["station"] == "S03"
    assert file["severity"] == "packed"


def test_the_suggestion_is_to_go_and_scan_what_is_easiest_to_reach(hub, two):
    file = _file(hub)
    assert file["suggestion"]["target"] == LOOSE
    assert file["answers"][0]["keep"] == "scan"
    claims = [two[0].ref(3), two[1].ref(3)]
    assert [one["keep"] for one in file["answers"]] == ["scan", *claims, "none", "all"]


def test_the_worst_and_oldest_case_stands_first_and_decided_ones_last(hub, two):
    one, other = two
    for counter, station in ((910, one), (910, other), (911, one), (911, other)):
        parent = lamp(counter - 300 + (station is other) * 10)
        station.add(bound(board(counter), parent))
    hub.ingest(one.id, one.piece(7))
    hub.ingest(other.id, other.piece(4))
    assert [row["what"] for row in hub.inbox()] == [PART, board(910), board(911)]
    first = hub.office.store.ledger.case(f"in:{board(910)}")
    claims, _ = seen_by_person(first)
    hub.decide(first.id, keep=claims[0], by=ADMIN, reason="seen", claims_seen=claims, supersedes=[])
    rows = hub.inbox()
    assert [row["what"] for row in rows] == [PART, board(911), board(910)]
    assert rows[-1]["suggestion"] is None
    assert rows[-1]["decided"]["by"]["en"] == "CHEN Jing (BDG-3001)"


def test_a_case_on_which_all_are_held_says_that_somebody_looked(hub, two):
    [case] = hub.office.store.ledger.cases()
    claims, _ = seen_by_person(case)
    hub.decide(case.id, keep="all", by=ADMIN, reason="ask S02", claims_seen=claims, supersedes=[])
    file = _file(hub)
    assert (file["status"], file["is_parked"]) == ("open", True)
    assert file["decisions"][0]["reason"] == "ask S02"
    assert file["answers"][-1]["keep"] == "before"


def test_similar_cases_are_those_of_the_same_kind_and_stations(hub, two):
    one, other = two
    third = enrolled(hub, "S01")
    for writer, number, unit in (
        (one, 910, 610), (other, 910, 611), (one, 911, 612), (other, 911, 613),
        (one, 912, 614), (third, 912, 615),
    ):  # fmt: skip
        writer.add(bound(board(number), lamp(unit)))
    for station, first in ((one, 7), (other, 4), (third, 2)):
        hub.ingest(station.id, station.piece(first))
    first = hub.office.store.ledger.case(f"in:{board(910)}")
    claims, _ = seen_by_person(first)
    hub.decide(
        first.id, keep=claims[0], by=ADMIN, reason="label 910", claims_seen=claims, supersedes=[]
    )
    file = hub.case_file(f"in:{PART}")
    assert [row["what"] for row in file["similar"]] == [board(911), board(910)]
    assert [row["status"] for row in file["similar"]] == ["open", "decided"]
    assert file["similar"][1]["decided"]["reason"] == "label 910"
    assert file["more_similar"] == 0


def test_a_claim_that_comes_after_an_answer_opens_the_case_again(hub, two):
    [case] = hub.office.store.ledger.cases()
    claims, _ = seen_by_person(case)
    hub.decide(case.id, keep=claims[0], by=ADMIN, reason="seen", claims_seen=claims, supersedes=[])
    told = [sentence["en"] for sentence in _file(hub)["story"]]
    assert len(told) == 3, "what was ended is still told"
    two[0].add(bound(PART, lamp(500)))
    hub.ingest(two[0].id, two[0].piece(two[0].seq))
    file = _file(hub)
    assert (file["status"], file["is_parked"]) == ("open", False)


def test_a_decision_says_which_stations_have_heard_of_it(hub, two):
    [case] = hub.office.store.ledger.cases()
    claims, _ = seen_by_person(case)
    done = hub.decide(
        case.id, keep=claims[0], by=ADMIN, reason="seen", claims_seen=claims, supersedes=[]
    )
    enrolled(hub, "S04")
    hub.note_hello(two[0].id, {"unsent": 0, "decisions": done.at.seq})
    hub.note_hello(two[1].id, {"unsent": 0, "decisions": done.at.seq - 1})
    [decision] = _file(hub)["decisions"]
    heard = {row["station"]: (row["has_heard"], row["is_told"]) for row in decision["stations"]}
    assert heard == {"S02": (True, True), "S03": (False, True), "S04": (None, False)}


def _twice(first, second):
    return [first, second]


EVERY_KIND = {
    "code": _twice(*[t.CodeReserved(lamp(9), "bl2@1", "B-1", 9)] * 2),
    "unit": _twice(*[t.UnitCommissioned(lamp(9), "BL-2@4")] * 2),
    "in": _twice(bound(PART, lamp(1)), bound(PART, lamp(2))),
    "slot": _twice(bound(board(1), lamp(1)), bound(board(2), lamp(1))),
    "op": _twice(*[t.OperationCompleted(lamp(1), "30", word) for word in ("PASS", "FAIL")]),
    "box": _twice(*[t.ItemPacked(lamp(1), box, 1) for box in ("BX-1", "BX-2")]),
    "boxstate": _twice(*[t.BoxClosed("BX-1", (lamp(1),), sha * 64) for sha in "ab"]),
    "boxopen": _twice(*[t.BoxOpened("BX-1", "BL-2@4", 12)] * 2),
    "lot": _twice(*[t.LotReceived("LED-88", "LED", "9", name) for name in ("one", "other")]),
    "master": _twice(*[t.MasterPublished("plan", "P", "1", sha * 64, {}) for sha in "ab"]),
    "order": _twice(*[t.OrderReleased("WO-1", sha * 64, {}) for sha in "ab"]),
}


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_of_case_is_told_in_both_languages(hub, kind):
    one, other = enrolled(hub, "S02"), enrolled(hub, "S03")
    if kind == "lot":
        one.add(t.ComponentBound("LED-88", lamp(1), "led", "lot", "LED", "led"))
    first, second = EVERY_KIND[kind]
    one.add(first)
    other.add(second)
    hub.ingest(one.id, one.piece(2))
    hub.ingest(other.id, other.piece(2))
    [row] = [row for row in hub.inbox() if row["kind"] == kind]
    file = hub.case_file(row["key"])
    json.dumps(file)
    for language in ("en", "zh"):
        said = [file["title"][language], *(one[language] for one in file["story"])]
        said += [answer["words"][language] for answer in file["answers"]]
        assert all(said)
        assert not any("{" in text for text in said)
    assert len(file["story"]) == 3
    assert file["answers"][0]["keep"] == "scan"
    if kind == "lot":
        assert lamp(1) in {row["code"] for row in file["goods"]}, "units of the lot are at risk"


def test_an_unknown_case_is_refused_with_what_there_is(hub, two):
    with pytest.raises(Refused, match="No case 'C-ZZZZZ'; there are: C-"):
        hub.case_file("C-ZZZZZ")
