"""What the hub holds and its ledger does not say: listed, and taken in after an upgrade."""

import json

import pytest
from click.testing import CliRunner

from hub.bootstrap import create, open_hub
from hub.cli.group import hub as commands
from hub.refresher import Refresher
from hub.services import Refused, journals, rebuilding, refreshing, unread
from hub.store.sqlite import store
from tally.events.decoding import EventLine, Unread
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import demo_files, enrolled
from tests.support.planting import POISON, plant

LINE = (
    b'{"t":"part.blessed","v":1,"hlc":"0198f3c2a1b4.0000","at":"2026-11-20T14:31:07.412+08:00",'
    b'"by":"BDG-1107","b":{}}'
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hub"


@pytest.fixture
def hub(folder):
    made = create(folder, plant="NB1", site="NB1")
    made.publish(demo_files())
    yield made
    made.office.store.close()


@pytest.fixture
def station(hub, monkeypatch):
    """One whose events 2 to 11 are there: 4 raises, 7 is of a newer version, 9 cannot be proven."""
    station = enrolled(hub)
    for seq in range(2, 12):
        if seq == 7:
            station.add_line(LINE)
        else:
            station.add(bound(POISON if seq == 4 else board(seq), lamp(seq)))
    with monkeypatch.context() as broken:
        plant(broken)
        hub.ingest(station.id, station.piece(2))
    return station


def forge(hub, station):
    with pytest.raises(Refused):
        hub.ingest(station.id, station.piece(2, 5, key=enrolled(hub, "S04").key))


def test_each_is_listed_with_place_station_type_and_reason(hub, station):
    forge(hub, station)
    rows = unread.listed(hub.office)
    assert [(row["kind"], row["seq"], row["station"], row["type"]) for row in rows] == [
        ("unprojected", 4, "S03", "component.bound"),
        ("uninterpreted", 7, "S03", "part.blessed"),
        ("quarantined", None, "S03", "?"),
    ]
    assert [row["reason"] for row in rows] == ["not_taken", "unknown_type", "forged"]
    assert rows[0]["event_id"] == station.ids[3].hex()
    assert rows[0]["words"].startswith("ZeroDivisionError (planting.py:")
    found = unread.counts(hub.office)
    assert (found.unprojected, found.uninterpreted, found.quarantined) == (1, 1, 1)
    json.dumps(rows)


def test_the_command_lists_them_for_people_and_for_scripts(hub, station, folder):
    said = CliRunner().invoke(commands, ["unread", str(folder)])
    assert said.exit_code == 0
    assert "part.blessed" in said.output
    told = json.loads(CliRunner().invoke(commands, ["unread", str(folder), "--json"]).output)
    assert (told["unprojected"], told["uninterpreted"], len(told["rows"])) == (1, 1, 2)


def test_an_event_that_the_ledger_has_not_even_as_saying_nothing_is_listed(hub, station):
    station.add(bound(board(12), lamp(12)))
    hub.office.store.ledger.absorb(station.batch(12))
    assert hub.ingest(station.id, station.piece(12)).stored == 1
    row = unread.listed(hub.office)[1]
    assert (row["seq"], row["event_id"], row["type"]) == (12, None, "component.bound")
    assert row["words"].startswith("AlreadyAbsorbedError")


def test_what_a_hostile_line_says_of_itself_steers_no_terminal(hub, station):
    station.add_line(LINE.replace(b"part.blessed", b"\\u001b[2J\\u202e" + b"x" * 9000))
    hub.ingest(station.id, station.piece(12))
    row = unread.listed(hub.office)[-1]
    assert "\x1b" not in row["type"] + row["words"]
    assert len(row["type"]) <= 500


def test_of_two_histories_both_events_of_one_seq_are_listed(hub, station, monkeypatch):
    twin = station.fork(3)
    twin.add(bound(POISON, lamp(99)))
    plant(monkeypatch)
    hub.ingest(twin.id, twin.piece(4))
    rows = [row for row in unread.listed(hub.office) if row["kind"] == "unprojected"]
    assert {row["event_id"] for row in rows} == {station.ids[3].hex(), twin.ids[3].hex()}


def test_of_more_than_are_noted_none_is_taken_for_one_of_an_older_ledger(hub, station, monkeypatch):
    monkeypatch.setattr(store, "UNPROJECTED_ROWS_MAX", 1)
    monkeypatch.setattr(unread, "UNPROJECTED_ROWS_MAX", 1)
    station.add(bound(POISON, lamp(12)))
    plant(monkeypatch)
    hub.ingest(station.id, station.piece(12))
    assert [row["seq"] for row in unread.listed(hub.office)] == [4, 12, 7]


def test_no_more_than_was_asked_for_are_listed(hub, station):
    assert [row["kind"] for row in unread.listed(hub.office, 1)] == ["unprojected"]


def test_the_alarm_is_about_the_share_and_is_told_once_until_it_is_over(hub, station):
    said = []
    alarm = unread.Alarm(hub.office, said.append)
    alarm.look()
    alarm.look()
    assert len(said) == 1
    assert "tally hub unread DIR" in said[0]
    assert not unread.Counts(1, 500, 9, 1000).is_alarming
    assert unread.Counts(1, 0, 0, 999).is_alarming
    rebuilding.rebuild(hub.office)
    alarm.look()
    assert unread.counts(hub.office).unprojected == 0
    assert len(said) == 1


def refreshed(hub):
    """Whether the ledger had to be made anew; then it was, as the serving hub does it."""
    refresher, is_due = Refresher(hub.office, pytest.fail), refreshing.is_due(hub.office)
    refresher.start()
    refresher._thread.join(60)
    return is_due


def test_62_what_could_not_be_taken_is_tried_by_another_version_and_not_again_by_the_same(
    hub, station, monkeypatch
):
    assert not refreshed(hub)
    monkeypatch.setattr(refreshing, "program", lambda: "0.0.0+corrected")
    assert refreshed(hub)
    assert not refreshed(hub)
    assert unread.counts(hub.office).unprojected == 0
    assert list(hub.office.store.ledger.claims("in", POISON))
    assert rebuilding.check(hub.office).differences == ()


def test_47_a_version_that_cannot_take_it_either_makes_its_ledger_of_all_others(
    hub, station, monkeypatch
):
    plant(monkeypatch)
    with hub.office.store.transaction():
        hub.office.store.put(refreshing.KEY, "older")
        hub.office.store.put(journals.NOT_TAKEN_BY, "older")
    assert refreshed(hub)
    assert not refreshing.is_due(hub.office)
    assert [row["seq"] for row in unread.listed(hub.office)] == [4, 7]
    assert rebuilding.check(hub.office).differences == ()


def test_47_a_new_failure_does_not_hide_that_older_ones_are_to_be_tried(hub, station, monkeypatch):
    monkeypatch.setattr(refreshing, "program", lambda: "0.0.0+corrected")
    monkeypatch.setattr(journals, "program", lambda: "0.0.0+corrected")
    station.add(bound(POISON, lamp(12)))
    with monkeypatch.context() as broken:
        plant(broken)
        hub.ingest(station.id, station.piece(12))
    assert refreshed(hub)
    assert unread.counts(hub.office).unprojected == 0


def test_46_after_an_upgrade_the_hub_interprets_what_it_only_kept_and_equal_sets_are_equal(
    hub, folder, monkeypatch
):
    read_lines, known = journals.read_lines, enrolled(hub)

    def of_an_older_version(lines):
        return [
            Unread("unknown_type", one.t, "") if isinstance(one, EventLine) and one.seen else one
            for one in read_lines(lines)
        ]

    known.add(bound(board(2), lamp(2)))
    known.add(bound(board(3), lamp(3)), seen=(2,))
    with monkeypatch.context() as older:
        older.setattr(journals, "read_lines", of_an_older_version)
        hub.ingest(known.id, known.piece(2))
    kept = hub.fingerprint()
    assert kept["uninterpreted"] == 1
    assert unread.listed(hub.office)[0]["reason"] == "older_ledger"
    with hub.office.store.transaction():
        hub.office.store.put(refreshing.KEY, "tally/ruleset/1 2 another set of types")
    hub.office.store.close()
    newer = open_hub(folder)
    assert refreshed(newer)
    assert newer.fingerprint()["uninterpreted"] == 0
    assert newer.fingerprint()["fingerprint"] != kept["fingerprint"]
    assert rebuilding.check(newer.office).differences == ()
    newer.office.store.close()
