"""A station that loses power at any moment of its work: what it answered is there, all of it."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from drivers import Read
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.branches import lines_of as foreign_lines
from edge_agent.journal.branches import read_branches
from edge_agent.journal.faults import HardwareFault, JournalCorrupt, JournalFault
from edge_agent.journal.tail import check_range
from edge_agent.station.core import StationCore
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.workflow.saving import StateUnreadable
from tally.events import types as t
from tally.events.decoding import read_line, read_lines
from tally.ledger.port import Batch
from tally.ledger.sqlite import rebuild
from tally.records.ids import GENESIS
from tests.crash import cutting
from tests.crash.disk import Disk, Kept
from tests.crash.recording import Recorder
from tests.crash.station_child import DEVICES, Tray
from tests.support.station_process import Running, enrolled
from tests.support.stations import Bench, Plant, TestClock

pytestmark = pytest.mark.timeout(7200 if cutting.IS_FULL else 400)

NEXT = {"command": "CTLNEXT"}
LAMPS = 40
"""So many that SQLite makes a checkpoint amid the work, after 1,000 pages."""
TREE = Path(__file__).parents[2]


# --- what is recorded -------------------------------------------------------------------------


def work(station, lamps):
    """Sign in, print and read back labels, scan wrong codes, scrap a label, park units."""
    station.say({"badge": "BDG-1107"})
    for number in lamps:
        label = station.say(NEXT)["unit"]
        if number % 3 == 2:
            station.say({"command": "CTLNO"})
            station.say({"command": "CTLOK"})
            station.say("X-nothing")
            continue
        station.say(label)
        station.say(f"X-{number}")
        station.say({"command": "CTLHELP"})
        station.say(NEXT)


def record_commands(folder):
    """`tally station run`: a start, work, an orderly end, a second start, work, kill -9."""
    bench = enrolled(folder / "S03")
    recorder = Recorder(folder, bench.folder)
    with recorder.recording():
        with Running(bench.folder) as station:
            work(station, range(6))
            assert station.end() == (0, "")
        with Running(bench.folder) as station:
            work(station, range(6, LAMPS))
            station.process.kill()
            station.end()
    return recorder


def record_core(folder, synchronous="FULL"):
    """Journal and core: feeds and neighbours heard, lamps built, receipts saved, seals."""
    place = folder / "S03"
    place.mkdir()
    Bench(Plant(), "S03", place)
    recorder = Recorder(folder, place)
    command = [sys.executable, "-m", "tests.crash.station_child", str(place), synchronous]
    with recorder.recording():
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.PIPE)
    return recorder


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    return record_commands(tmp_path_factory.mktemp("commands"))


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    return record_core(tmp_path_factory.mktemp("core"))


# --- what is held against it ------------------------------------------------------------------


def own_bodies(journal):
    rows = journal.connection.execute("SELECT line FROM event ORDER BY seq")
    return [read_line(row[0]).b for row in rows]


def reserved(journal):
    return [body.code for body in own_bodies(journal) if isinstance(body, t.CodeReserved)]


def every_batch(journal):
    """All events in the file, own and others', as a ledger takes them."""
    rows = journal.connection.execute("SELECT seq, id, line FROM event ORDER BY seq").fetchall()
    held = {journal.identity.journal: rows}
    for branch in read_branches(journal.connection):
        held[branch.journal] = foreign_lines(journal.connection, branch.journal)
    for writer, found in held.items():
        ids, lines = [row[1] for row in found], [row[2] for row in found]
        yield Batch(writer, 1, GENESIS, ids, read_lines(lines))


def is_equal_to_a_rebuild(journal):
    """Whether the ledger that was kept says what the events say."""
    made = rebuild(every_batch(journal), sqlite3.connect(":memory:"))
    kept = journal.ledger
    return (
        made.fingerprint() == kept.fingerprint()
        and made.cases() == kept.cases()
        and made.findings() == kept.findings()
        and made.pending() == kept.pending()
    )


def start_core(journal, clock):
    """The station's core as it starts, and what it answers first."""
    knowledge = StationKnowledge(journal, clock, language="en", devices=DEVICES)
    core = StationCore(journal, knowledge, clock, Tray(), reached=lambda _: None)
    core.start()
    return core


def check_next_code(journal, clock, issued, words):
    """Work goes on wherever it stood, and the next code is none of those that went out."""
    core = start_core(journal, clock)
    for text in ("BDG-1107", *("CTLNO", "CTLOK", "CTLNEXT") * 3):
        clock.sleep(5)
        core.handle(Read("serial-1", text.encode(), clock.monotonic()))
    codes = reserved(journal)
    assert len(codes) == len(set(codes)), words
    assert set(codes) > issued, words


def check_promises(journal, told, words):
    """Everything that was said before the power went is true after it came back."""
    stored = {row[0].hex() for row in journal.connection.execute("SELECT id FROM event")}
    tips = {branch.journal.hex(): branch.tip for branch in read_branches(journal.connection)}
    (sealed,) = journal.connection.execute("SELECT coalesce(max(last), 0) FROM seal").fetchone()
    receipt = journal.receipt.durable_through if journal.receipt else 0
    for line in told:
        assert set(line.get("events", ())) <= stored, words
        assert receipt >= line.get("receipt", 0), words
        assert sealed >= line.get("sealed", 0), words
        assert all(tips.get(name, 0) >= seq for name, seq in line.get("held", {}).items()), words


def check_what_is_left(folder, told, printed, words):
    """Start the station again, the product's own way, and hold it against what it had said."""
    clock = TestClock()
    with open_journal(folder, clock) as journal:
        check_range(journal.connection, journal.identity, 1, journal.seq)
        assert cutting.damage(journal.connection) == [], words
        check_promises(journal, told, words)
        issued = reserved(journal)
        assert len(issued) == len(set(issued)), words
        assert printed <= set(issued), words
        assert is_equal_to_a_rebuild(journal), words
        if issued:
            check_next_code(journal, clock, set(issued), words)


def labels_begun(calls):
    """Codes whose label began to be made, with the number of the call."""
    found = []
    for number, call in enumerate(calls, 1):
        if call.kind == "o" and call.content.endswith(b".making"):
            found.append((number, call.content.decode().rpartition("/.")[2].split(".")[0]))
    return found


def check_labels(folder, recorder, words):
    """A label that has its name is whole: nobody sticks half a code on a unit."""
    for label in (folder / "labels").glob("*.png"):
        assert label.read_bytes() == (recorder.folder / "labels" / label.name).read_bytes(), words


def sweep(recorder, wanted):
    """Cut the power again and again; how often."""
    calls = recorder.calls()
    labels = labels_begun(calls)
    disk = Disk(recorder.folder, recorder.before)
    count = 0
    with cutting.somewhere() as place:
        for number, folder, promises, words in cutting.power_cuts(disk, calls, place, wanted):
            told = [json.loads(line) for line in cutting.lines_of(promises)]
            printed = {code for at, code in labels if at <= number}
            check_what_is_left(folder, told, printed, words)
            check_labels(folder, recorder, words)
            count += 1
    return count


# --- tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", ["commands", "core"])
def test_the_record_is_whole_and_has_a_checkpoint_amid_the_work(recorded, request):
    recorder = request.getfixturevalue(recorded)
    disk = Disk(recorder.folder, recorder.before)
    syncs, opened = [], {}
    for call in recorder.calls():
        disk.does(call)
        if call.kind == "o":
            opened[call.fd] = call.content.rpartition(b"/")[2].decode()
        if call.kind == "s":
            syncs.append(opened[call.fd])
    found = {
        str(path.relative_to(recorder.folder)): path.read_bytes()
        for path in recorder.folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }
    assert disk.after_power_cut(Kept()) == found
    first = syncs.index("journal.db")
    assert "journal.db-wal" in syncs[:first]
    assert "journal.db-wal" in syncs[first:]


def test_4_after_a_power_cut_while_commands_run_nothing_answered_is_missing(commands):
    assert sweep(commands, 200) > 300


def test_after_a_power_cut_while_others_are_heard_nothing_confirmed_is_missing(core):
    assert sweep(core, 150) > 200


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_journal_that_does_not_wait_for_the_disk_would_be_caught(tmp_path, synchronous):
    with pytest.raises(AssertionError, match="power cut after call"):
        sweep(record_core(tmp_path, synchronous), 200)


def test_5_a_disk_that_lies_about_a_sync_is_refused_in_words_or_gone_on_from(tmp_path):
    recorder = record_core(tmp_path, "OFF")
    disk = Disk(recorder.folder, recorder.before)
    said, gone_on = [], 0
    with cutting.somewhere() as place:
        for _, folder, _, _ in cutting.power_cuts(disk, recorder.calls(), place, 200):
            clock = TestClock()
            try:
                with open_journal(folder, clock) as journal:
                    start_core(journal, clock)
                    gone_on += 1
            except (JournalFault, JournalCorrupt, HardwareFault, StateUnreadable) as fault:
                said.append(str(fault))
    assert gone_on > 0
    assert said
    assert all(said)
