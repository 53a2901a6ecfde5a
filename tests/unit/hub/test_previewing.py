"""What an answer would append and change; answering only while that still holds."""

import threading

import msgspec
import pytest

from hub.services import Refused
from hub.services.deciding import seen_by_person
from hub.services.goods import Mark
from hub.services.previewing import Answer
from hub.services.showing import plain
from tally.events import types as t
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled

PART = board(902)
ADMIN = "BDG-3001"


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def two(hub):
    """Two stations that bound the same board; one lamp is in a box."""
    one, other = enrolled(hub, "S02"), enrolled(hub, "S03")
    one.add(bound(PART, lamp(381)))
    one.add(t.ItemPacked(lamp(381), "BX-1", 1))
    other.add(bound(PART, lamp(405)))
    hub.ingest(one.id, one.piece(2))
    hub.ingest(other.id, other.piece(2))
    return one, other


def _answer(hub, keep, reason="looked"):
    [case] = hub.office.store.ledger.cases()
    claims, decisions = seen_by_person(case)
    return Answer(case.id, keep, tuple(claims), tuple(decisions), reason)


def _settle(hub, answer, shown):
    return hub.settle(answer, by=ADMIN, mark=shown["mark"], digest=shown["digest"])


def test_a_preview_names_the_event_the_goods_the_case_and_who_is_told(hub, two):
    one, other = two
    shown = hub.foresee(_answer(hub, one.ref(2)))
    assert shown["event"]["body"]["keep"] == one.ref(2)
    assert shown["event"]["body"]["retires"] == [other.ref(2)]
    assert shown["status"] == {"before": "open", "after": "decided"}
    changed = {(row["sort"], row["code"]): sorted(row["after"]) for row in shown["things"]}
    assert changed == {
        ("unit", lamp(381)): ["held"],
        ("unit", lamp(405)): ["contents", "held"],
        ("unit", PART): ["parents"],
        ("unit", "BX-1"): ["held"],
        ("box", "BX-1"): ["held"],
    }
    [row] = shown["cases"]
    assert (row["before"]["status"], row["after"]["status"]) == ("open", "decided")
    assert shown["told"] == ["S02", "S03"]
    assert hub.show("cases")[0]["decisions"] == [], "nothing was written"


def test_what_was_shown_is_what_is_then_written(hub, two):
    answer = _answer(hub, two[1].ref(2))
    shown = hub.foresee(answer)
    done = _settle(hub, answer, shown)
    assert plain(msgspec.to_builtins(done.decision)) == shown["event"]["body"]


def test_a_reason_that_is_written_after_the_preview_changes_nothing_of_it(hub, two):
    shown = hub.foresee(_answer(hub, two[1].ref(2), reason="-"))
    done = _settle(hub, _answer(hub, two[1].ref(2), reason="board seen in 405"), shown)
    assert done.decision.reason == "board seen in 405"


def test_an_event_that_came_in_between_stops_the_answer_and_is_counted(hub, two):
    one, _ = two
    answer = _answer(hub, one.ref(2))
    shown = hub.foresee(answer)
    assert hub.new_events(answer.case, shown["mark"]) == 0
    one.add(t.ItemUnpacked(lamp(381), "BX-1", "recount"), seen=(3,))
    one.add(t.ItemPacked(lamp(381), "BX-2", 1))
    hub.ingest(one.id, one.piece(4))
    assert hub.new_events(answer.case, shown["mark"]) == 2
    with pytest.raises(Refused, match=r"2 new events .* reread it\.") as refusal:
        _settle(hub, answer, shown)
    assert refusal.value.code == "changed"
    assert hub.show("cases")[0]["decisions"] == []
    again = hub.foresee(answer)
    assert _settle(hub, answer, again).status == "decided"


def test_a_request_that_names_nothing_known_counts_as_new(hub, two):
    answer = _answer(hub, two[0].ref(2))
    shown = hub.foresee(answer)
    two[1].add(t.ItemUnpacked(lamp(381), "BX-1", "not in it"))
    hub.ingest(two[1].id, two[1].piece(3))
    assert hub.new_events(answer.case, shown["mark"]) == 1


def test_a_hold_deep_inside_that_changes_the_outcome_stops_the_answer_too(hub, two):
    one, other = two
    answer = _answer(hub, one.ref(2))
    shown = hub.foresee(answer)
    other.add(t.HoldPlaced("BX-1", "box", "wet"))
    hub.ingest(other.id, other.piece(3))
    with pytest.raises(Refused) as refusal:
        _settle(hub, answer, shown)
    assert refusal.value.code == "changed"


def test_what_happens_elsewhere_does_not_stop_an_answer(hub, two):
    answer = _answer(hub, two[0].ref(2))
    shown = hub.foresee(answer)
    two[1].add(bound(board(77), lamp(700)))
    hub.ingest(two[1].id, two[1].piece(3))
    assert _settle(hub, answer, shown).status == "decided"


def test_of_two_people_who_answer_at_once_one_is_asked_to_read_again(hub, two):
    shown = [hub.foresee(_answer(hub, station.ref(2))) for station in two]
    answers = [_answer(hub, station.ref(2)) for station in two]
    outcomes = []
    barrier = threading.Barrier(2)

    def act(number):
        barrier.wait(10)
        try:
            outcomes.append(_settle(hub, answers[number], shown[number]).status)
        except Refused as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=act, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["changed", "decided"]
    assert len(hub.show("cases")[0]["decisions"]) == 1


def test_who_may_not_decide_may_look_but_not_answer(hub, two):
    answer = _answer(hub, "none")
    shown = hub.foresee(answer)
    with pytest.raises(Refused) as refusal:
        hub.settle(answer, by="BDG-1107", mark=shown["mark"], digest=shown["digest"])
    assert refusal.value.code == "not_allowed"
    assert "ZHANG Wei" in refusal.value.words


@pytest.mark.parametrize("mark", ["", "1", "x.0123456789abcdef", "1.short", "²." + "0" * 16])
def test_a_mark_that_this_hub_never_gave_is_refused(hub, two, mark):
    answer = _answer(hub, "none")
    shown = hub.foresee(answer)
    with pytest.raises(Refused) as refusal:
        hub.settle(answer, by=ADMIN, mark=mark, digest=shown["digest"])
    assert refusal.value.code == "malformed"


def test_a_mark_reads_back_as_it_was_shown():
    mark = Mark(3, "0123456789abcdef")
    assert Mark.read(str(mark)) == mark
