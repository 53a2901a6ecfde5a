"""The high-water mark beside a station's folder: what it shows, and what it never stops."""

from pathlib import Path

import pytest

from edge_agent.bootstrap.handing import lend
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError
from edge_agent.station import marking
from edge_agent.station.marking import Marker, MarkError, marks_folder, path_of, read_mark
from tally.events.types import DrillStarted
from tests.support.stations import NOON, Bench, Plant, TestClock


@pytest.fixture
def bench(tmp_path):
    folder = tmp_path / "S03"
    folder.mkdir()
    return Bench(Plant(), "S03", folder)


@pytest.fixture
def marks(tmp_path):
    return tmp_path / "marks"


def record(journal, seconds=60):
    journal.append([OwnFact(DrillStarted("00" * 8, seconds))], None, at=NOON)


def at_start(journal, marks):
    marker = Marker(journal, marks, TestClock())
    return marker, marker.found()


def put_back(bench, marks, *, ahead):
    """An older copy of the journal, opened again, after the mark was written `ahead` events on."""
    journal = bench.open()
    copy = bench.path.read_bytes(), Path(f"{bench.path}-wal").read_bytes()
    for _ in range(ahead):
        record(journal)
    Marker(journal, marks, TestClock()).write()
    journal.connection.close()
    bench.path.write_bytes(copy[0])
    Path(f"{bench.path}-wal").write_bytes(copy[1])
    return bench.open()


def test_a_journal_that_goes_on_holds_what_its_mark_names(bench, marks):
    for _ in range(3):
        journal = bench.open()
        marker, found = at_start(journal, marks)
        assert found is None
        record(journal)
        marker.write()
        assert read_mark(marks, bench.identity.journal).seq == journal.seq
        journal.connection.close()


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_an_older_journal_lacks_the_event_that_its_mark_names(bench, marks, ahead):
    journal = put_back(bench, marks, ahead=ahead)
    mark = path_of(marks, bench.identity.journal).read_bytes()
    marker, found = at_start(journal, marks)
    assert journal.is_suspect
    assert str(journal.seq - 1 + ahead) in found.en
    assert str(journal.seq - 1 + ahead) in found.zh
    for _ in range(9):  # written on, it would name a mark that fits
        record(journal)
    marker.write()
    assert not marker.is_due
    assert path_of(marks, bench.identity.journal).read_bytes() == mark
    assert at_start(journal, marks)[1] == found


def test_another_event_in_the_place_that_the_mark_names_is_seen_also_when_the_copy_went_on(
    bench, marks
):
    journal = put_back(bench, marks, ahead=2)
    for seconds in range(61, 70):
        record(journal, seconds)
    assert at_start(journal, marks)[1] is not None


SPOILED = (
    b"",
    b"\0" * 90,
    b"x" * 5000,
    b"{journal} 2",
    b"{journal} two {id}",
    b"{journal} 0 {id}",
    b"{journal} 99999999999999999999 {id}",
    b"{journal} 9 00ff",
    b"00000000000000000000000000000000 9 {id}",
    "{journal} ９ {id}".encode(),
)


@pytest.mark.parametrize("raw", SPOILED)
def test_a_mark_that_is_not_one_stops_nobody_and_the_doctor_names_it(bench, marks, raw):
    journal = bench.open()
    of = bench.identity.journal
    marks.mkdir()
    raw = raw.replace(b"{journal}", of.hex().encode()).replace(b"{id}", b"ab" * 32)
    path_of(marks, of).write_bytes(raw)
    with pytest.raises(MarkError, match="expected 'journal seq id'"):
        read_mark(marks, of)
    is_well, words = marking.checked(marks, journal.connection, of)
    assert not is_well
    assert str(path_of(marks, of)) in words
    marker, found = at_start(journal, marks)
    assert found is None
    marker.write()
    assert marking.checked(marks, journal.connection, of)[0]


def test_a_folder_that_cannot_be_written_or_read_stops_nobody(bench, tmp_path):
    journal = bench.open()
    (tmp_path / "file").write_text("no folder")
    marker, found = at_start(journal, tmp_path / "file" / "marks")
    assert found is None
    marker.write()
    assert not marker.is_due  # tried again when the time has come
    assert not marking.checked(tmp_path / "file", journal.connection, journal.identity.journal)[0]


def test_without_a_folder_nothing_is_written_and_the_doctor_says_so(bench):
    journal = bench.open()
    marker, found = at_start(journal, None)
    marker.write()
    assert (found, marker.is_due) == (None, False)
    is_well, words = marking.checked(None, journal.connection, bench.identity.journal)
    assert is_well
    assert "None is kept" in words


def test_it_is_written_at_most_once_in_its_time_and_only_after_an_event(bench, marks):
    journal, clock = bench.open(), TestClock()
    marker = Marker(journal, marks, clock)
    assert marker.is_due
    marker.write()
    clock.seconds += 100
    assert not marker.is_due
    record(journal)
    assert marker.is_due
    marker.write()
    record(journal)
    assert not marker.is_due
    clock.seconds += marking.WRITE_S
    assert marker.is_due


def test_the_marks_lie_where_the_settings_the_environment_or_the_user_say():
    usual = {"HOME": "/home/s03"}
    assert marks_folder(None, usual) == Path("/home/s03/.local/state/tallystick/marks")
    state = usual | {"XDG_STATE_HOME": "/state"}
    assert marks_folder(None, state) == Path("/state/tallystick/marks")
    assert marks_folder(None, usual | {"XDG_STATE_HOME": "relative"}) == marks_folder(None, usual)
    assert marks_folder(None, usual | {"TALLY_MARKS": "/marks"}) == Path("/marks")
    assert marks_folder(None, usual | {"TALLY_MARKS": ""}) is None
    assert marks_folder("/own", usual | {"TALLY_MARKS": ""}) == Path("/own")
    assert marks_folder("", usual) is None
    assert marks_folder(None, {}) is None


def test_a_journal_that_was_put_back_and_not_started_since_lends_no_code(bench, marks, monkeypatch):
    put_back(bench, marks, ahead=3).connection.close()
    monkeypatch.setenv("TALLY_MARKS", str(marks))
    with pytest.raises(NotGivenError, match="restored from an image"):
        lend(bench.folder, "B-01", 5, "S02", badge="BDG-2001")
