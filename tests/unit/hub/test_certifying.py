"""A hub writes certificates: what is in them, and what it refuses."""

import io

import pytest

from hub import trust
from hub.bootstrap import in_memory
from hub.services import Refused, carrying, revoking
from hub.services.certifying import certificate
from hub.services.exporting import export
from tally.events import types as t
from tally.proof.bundled import prove_bundle
from tally.proof.certified import prove_certificate
from tally.proof.exported import prove_export
from tally.records.bundle import opening
from tests.support.building import board, bound, bound_lot, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

BOX = "095211010000000870"


@pytest.fixture
def hub():
    return a_hub()


@pytest.fixture
def made(hub):
    """A lamp made by two stations, one journal sealed and one not; a second lamp beside it."""
    hub.publish(demo_files())
    maker, packer = enrolled(hub, "S03"), enrolled(hub, "S04")
    maker.add(t.CodeReserved(lamp(1), "bl2@1", "B-1", 1, "BL-2@4"))
    maker.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    maker.add(bound(board(7), lamp(1)))
    maker.add(t.UnitCommissioned(lamp(2), "BL-2@4"))
    maker.add(bound_lot("BAT-18650-2547A", lamp(1)))
    maker.add(t.RefusalShown("E-201", "x", lamp(1)))
    maker.add(t.StepSkipped(lamp(1), "torque", "skipped", "gauge away"))
    maker.add(t.OperationCompleted(lamp(1), "30", "PASS"))
    packer.add(t.BoxOpened(BOX, "BL-2@4", 12))
    packer.add(t.ItemPacked(lamp(1), BOX, 1))
    packer.add(t.OperatorSignedOut("BDG-1"))
    packer.add(t.BoxClosed(BOX, (lamp(1),), "00" * 32))
    hub.ingest(maker.id, maker.sealed(1, maker.seq))
    hub.ingest(packer.id, packer.piece(2))
    return maker, packer


def proven(hub, asked, /, **expected):
    rows = certificate(hub.office, asked).rows
    return prove_certificate([row + b"\n" for row in rows], **expected)


def test_a_certificate_holds_what_made_the_unit_and_proves_itself(hub, made):
    report = proven(hub, lamp(1), plant=hub.office.secrets.fingerprint, code=lamp(1))
    assert report.problems == ()
    own = [event.type for event in report.events if event.station in {"S03", "S04"}]
    assert sorted(own) == [
        "box.closed",
        "box.opened",
        "code.reserved",
        "component.bound",
        "component.bound",
        "item.packed",
        "operation.completed",
        "step.skipped",
        "unit.commissioned",
    ]
    assert {"lot.received", "lot.released"} <= {event.type for event in report.events}
    assert dict(report.receipts)["S03"] == 9
    assert dict(report.receipts)["S04"] == 5
    assert not any(lamp(2) in event.about for event in report.events)


def test_a_certificate_says_on_which_of_two_histories_an_event_stands(hub):
    maker = enrolled(hub, "S03")
    maker.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    copy = maker.fork(after=maker.seq)
    maker.add(bound(board(7), lamp(1)))
    copy.add(bound(board(8), lamp(1)))
    hub.ingest(maker.id, maker.piece(2))
    assert {one.history for one in proven(hub, lamp(1)).events} == {""}
    hub.ingest(copy.id, copy.piece(3))
    report = proven(hub, lamp(1))
    assert report.problems == ()
    said = {event.about.split()[0]: event.history for event in report.events}
    assert said.pop(lamp(1)) == ""  # both have it
    names = {board(7): maker.ids[2], board(8): copy.ids[2]}
    for code, first in names.items():
        assert said[code].startswith(f"history {first.hex()[:8]}, one of several")
        assert "after its event 2" in said[code]
    moments = {one["ref"]: one["history"] for one in hub.tell(lamp(1))["moments"]}
    assert [one and one["after"] for one in moments.values()].count(2) == 2


def test_a_certificate_says_when_it_was_by_the_hubs_clock_and_which_order_is_not_provable(hub):
    maker, packer = enrolled(hub, "S03"), enrolled(hub, "S04")
    maker.add(t.ClockObserved(360_000, 40))
    maker.clock_ms = packer.clock_ms + 360_000
    maker.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    packer.add(t.ItemPacked(lamp(1), BOX, 1))
    hub.ingest(maker.id, maker.piece(2))
    hub.ingest(packer.id, packer.piece(2))
    report = proven(hub, lamp(1))
    assert report.problems == ()
    times = {event.type: event.time for event in report.events}
    assert times["unit.commissioned"].startswith("by the hub's clock 20")
    assert "order not provable (± 5 s)" in " ".join(times.values())
    moments = hub.report(lamp(1))["moments"]
    assert [one["time"] is None for one in moments] == [True, False]


def test_a_certificate_without_remarks_has_none_in_its_first_row(hub, made):
    for writer in made:
        assert b"clock" not in b"".join(writer.lines)
    first = certificate(hub.office, board(7)).rows[0]
    assert b'"times"' not in first


def test_a_box_is_certified_with_everything_in_it(hub, made):
    report = proven(hub, BOX, code=BOX)
    assert report.problems == ()
    assert {lamp(1), board(7)} <= {word for e in report.events for word in e.about.split()}


def test_a_part_that_was_taken_out_again_is_told_with_how(hub, made):
    maker, _ = made
    maker.add(t.ComponentUnbound(board(7), lamp(1), "board", "repair"), seen=[4])
    maker.add(bound(board(8), lamp(1)))
    hub.ingest(maker.id, maker.piece(10))
    report = proven(hub, lamp(1))
    assert report.problems == ()
    assert [e.type for e in report.events].count("component.unbound") == 1


def test_an_undecided_case_is_said_in_the_certificate_with_both_sides(hub, made):
    maker, _ = made
    maker.add(bound(board(7), lamp(2)))
    hub.ingest(maker.id, maker.piece(10))
    [case] = [row["id"] for row in hub.show("cases") if "in:" in row["key"]]
    report = proven(hub, lamp(1))
    assert report.problems == ()
    assert case in report.cases
    assert any(lamp(2) in event.about for event in report.events)


def test_both_branches_of_a_fork_are_proven(hub, made):
    maker, _ = made
    other = maker.fork(5)
    other.add(t.OperationCompleted(lamp(1), "30", "FAIL"))
    hub.ingest(other.id, other.piece(6))
    report = proven(hub, lamp(1))
    assert report.problems == ()
    assert [e.type for e in report.events].count("operation.completed") == 2


@pytest.mark.parametrize(("code", "why"), [("X-1", "unknown_code"), ("", "malformed")])
def test_what_nobody_made_is_refused(hub, made, code, why):
    with pytest.raises(Refused) as refusal:
        certificate(hub.office, code)
    assert refusal.value.code == why


def test_more_than_one_file_should_hold_is_refused_in_words(hub, made):
    with pytest.raises(Refused, match="more than 5 events"):
        certificate(hub.office, lamp(1), limit=5)


def test_a_restored_hub_proves_what_was_made_before_and_after_it(hub, made):
    maker, _ = made
    office = hub.office
    image = office.store._connection.serialize()
    entropy = entropy_of("restored")
    secrets = trust.renewed(office.secrets, entropy, office.now())
    again = in_memory(secrets, office.clock, entropy, image=image, is_restored=True)
    maker.add(t.OperationCompleted(lamp(1), "40", "PASS"))
    again.ingest(maker.id, maker.piece(10))
    report = proven(again, lamp(1), plant=office.secrets.fingerprint)
    assert report.problems == ()
    assert [e.type for e in report.events].count("operation.completed") == 2
    assert any("30 PASS" in event.about for event in report.events)


def test_a_certificate_says_whose_key_was_taken_back_since_which_event(hub, made):
    maker = made[0]
    given = {"by": "BDG-3001", "reason": "laptop stolen"}
    revoking.revoke(hub.office, "S03", since=str(maker.seq), **given)
    report = proven(hub, lamp(1), plant=hub.office.secrets.fingerprint)
    assert report.problems == ()
    [one] = report.untrusted
    assert (one.station, one.since, one.reason) == ("S03", maker.seq - 1, "laptop stolen")
    assert "operation.completed" not in {event.type for event in report.events}
    assert "untrusted since its event" in str(one)


def test_verify_says_of_an_export_whose_key_was_taken_back(hub, made):
    revoking.revoke(hub.office, "S03", since="4", by="BDG-3001", reason="laptop stolen")
    report = prove_export(export(hub.office))
    assert report.problems == ()
    assert [(one.station, one.since) for one in report.untrusted] == [("S03", 3)]


def test_verify_says_it_of_a_bundle_too(hub, made):
    maker, _ = made
    revoking.revoke(hub.office, "S03", since="all", by="BDG-3001", reason="laptop stolen")
    packed = carrying.pack(hub.office, maker.id, {})
    raw = opening(packed.bundle, hub.office.secrets.receipt) + b"".join(packed.parts())
    report = prove_bundle(io.BytesIO(raw))
    assert report.problems == ()
    assert [(one.station, one.since) for one in report.untrusted] == [("S03", 0)]
