"""A disk that is full, fails, or lost a part of a file, under a running station.

What holds: an answer that names an event is true, whatever the disk does next; what could not be
saved is said in words; with the disk well again work goes on and no code comes twice.
"""

import errno
import json
import os
import sqlite3

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.store import BUSY_MS, PAGE_SIZE, open_reader
from edge_agent.journal.tail import check_range
from edge_agent.station import doctoring
from tally.commands.demo_config import demo_folder
from tally.events import types as t
from tally.events.decoding import read_line
from tests.crash.cutting import IS_FULL
from tests.crash.failing import Plan
from tests.support.damage import stored as lines_of
from tests.support.hub_process import hub_process
from tests.support.station_process import Died, Running, enrolled, tally
from tests.support.stations import NOON

pytestmark = pytest.mark.timeout(3600 if IS_FULL else 400)

BADGE = {"badge": "BDG-1107"}
LEAD = {"badge": "BDG-2004"}
NEXT = {"command": "CTLNEXT"}
NO = {"command": "CTLNO"}
LAMPS_TO_A_CHECKPOINT = 40
STORAGE = {"E-901", "J-102", "J-105", "J-201"}


@pytest.fixture
def bench(tmp_path):
    return enrolled(tmp_path / "S03")


@pytest.fixture
def plan(tmp_path, bench):
    plan = Plan(bench.folder, tmp_path)
    with plan.loaded():
        yield plan


def wal_of(bench):
    return bench.path.with_name("journal.db-wal")


def stored(bench):
    """Event ids and reserved codes of the own journal, every hash checked."""
    connection = open_reader(bench.path)
    (last,) = connection.execute("SELECT max(seq) FROM event").fetchone()
    check_range(connection, bench.identity, 1, last)
    rows = connection.execute("SELECT id, line FROM event ORDER BY seq").fetchall()
    connection.close()
    bodies = [read_line(line).b for _, line in rows]
    codes = [body.code for body in bodies if isinstance(body, t.CodeReserved)]
    return {event_id.hex() for event_id, _ in rows}, codes


def build(station, lamps):
    """Labels printed, read back, one thing scanned wrongly; the answers."""
    answers = [station.say(BADGE)]
    for number in range(lamps):
        answers.append(station.say(NEXT))
        answers.append(station.say(answers[-1]["unit"] or f"X-{number}"))
        answers += [station.say(f"X-{number}"), station.say(NEXT), station.say(LEAD)]
        answers.append(station.say(BADGE))
    return answers


def check_answers(answers):
    """Whoever is told of a trouble with the disk is told what of it was saved."""
    for answer in answers:
        if answer["code"] in STORAGE:
            assert answer["verdict"] in {"NG", "LOCK"}, answer
            assert not (answer["events"] and "Nothing is booked" in answer["text"]), answer
        if answer["verdict"] in {"OK", "DONE"}:
            assert answer["code"] == "", answer


def check_after(bench, shown):
    """On a disk that is well again: all that was shown is there, and the next codes are new."""
    with Running(bench.folder) as station:
        for said in (BADGE, NO, {"command": "CTLOK"}, NEXT, NO, {"command": "CTLOK"}, NEXT):
            station.say(said)
        status, errors = station.end()
    assert (status, errors) == (0, "")
    ids, codes = stored(bench)
    assert shown <= ids
    assert len(codes) == len(set(codes)) > 0
    labels = [path.name for path in (bench.folder / "labels").glob("*.png")]
    assert {name.split(".")[0].rsplit("-copy", 1)[0] for name in labels} <= set(codes)


def meet(bench, plan, lamps=2):
    """A shift on the disk that the plan makes, ended or not; (answers, status, words)."""
    answers = []
    with Running(bench.folder) as station:
        try:
            answers = build(station, lamps)
        except Died:
            answers = station.by_itself
        status, errors = station.end()
        shown = set(station.events)
    assert "Traceback" not in errors
    check_answers(answers)
    return answers, status, errors, shown


# --- full -------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip", range(40) if IS_FULL else (0, 23))
def test_a_disk_that_fills_up_amid_the_work_books_nothing_more_until_there_is_space(
    bench, plan, skip
):
    with Running(bench.folder) as station:
        station.say(BADGE)
        plan.fail("g", "journal.db-wal", errno.ENOSPC, skip=skip)
        answers = build(station, 3)
        last = [answer for answer in answers if answer["code"] == "E-901"][-1]
        assert "full" in last["text"]
        plan.heal()
        answers += [station.say(BADGE), station.say(NEXT)]
        assert answers[-1]["code"] not in STORAGE
        assert station.say("X-after")["events"]
        assert station.end() == (0, "")
    check_answers(answers)
    check_after(bench, set(station.events))


def test_7_without_space_for_a_checkpoint_every_answer_stays_true_and_space_lets_it_through(
    bench, plan
):
    plan.fill_up("journal.db")
    size = bench.path.stat().st_size
    with Running(bench.folder) as station:
        check_answers(answers := build(station, LAMPS_TO_A_CHECKPOINT))
        assert not {answer["code"] for answer in answers} & STORAGE
        assert wal_of(bench).stat().st_size > 1000 * PAGE_SIZE
        assert bench.path.stat().st_size == size
        station.process.kill()
        station.end()
    plan.heal()
    check_after(bench, set(station.events))
    assert bench.path.stat().st_size > size


def test_a_station_that_starts_on_a_full_disk_says_so_and_starts_when_there_is_space(bench, plan):
    plan.fill_up()
    run = tally("station", "run", bench.folder, "--headless")
    assert (run.returncode, run.stdout) == (1, "")
    assert "No space left on device" in run.stderr
    assert "Traceback" not in run.stderr
    plan.heal()
    check_after(bench, set())


# --- failing ----------------------------------------------------------------------------------

SKIPS = range(60) if IS_FULL else (3, 17)


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("kind", ["r", "w", "s"])
def test_8_a_disk_that_fails_once_at_any_call_is_said_in_words_and_loses_no_answer(
    bench, plan, kind, skip
):
    plan.fail(kind, "*", errno.EIO, skip=skip, times=1)
    answers, status, errors, shown = meet(bench, plan)
    said = errors + " ".join(answer["code"] for answer in answers if answer["verdict"] == "LOCK")
    is_named = any(code in said for code in STORAGE) or "cannot be read: Input/output" in said
    assert status == 0 or is_named, said
    plan.heal()
    check_after(bench, shown)


def test_after_a_sync_that_failed_nothing_more_is_written(bench, plan):
    with Running(bench.folder) as station:
        station.say(BADGE)
        plan.fail("s", "journal.db-wal", errno.EIO, times=1)
        with pytest.raises(Died):
            build(station, 1)
        last = station.by_itself[-1]
        assert (last["verdict"], last["code"], last["events"]) == ("LOCK", "E-901", [])
        assert "could not confirm" in last["text"]
        assert station.end() == (1, "")
    plan.heal()
    check_after(bench, set(station.events))


# --- closed, locked ---------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [errno.EACCES, errno.EROFS] if IS_FULL else [errno.EACCES])
@pytest.mark.parametrize("name", ["journal.db", "journal.lock", "identity.json", "trust.json"])
def test_15_a_file_that_may_not_be_opened_is_named_and_nothing_changes(bench, plan, name, refused):
    before = {path: path.read_bytes() for path in bench.folder.iterdir() if path.is_file()}
    plan.fail("o", name, refused)
    run = tally("station", "run", bench.folder, "--headless")
    assert (run.returncode, run.stdout) == (1, "")
    assert "Traceback" not in run.stderr
    assert str(bench.folder) in run.stderr or "permissions of the folder" in run.stderr
    assert "tally station enroll" not in run.stderr
    before.pop(bench.folder / "journal.lock", None)
    assert {path: path.read_bytes() for path in before} == before
    plan.heal()
    check_after(bench, set())


def test_a_journal_that_another_program_locks_is_waited_for_and_then_said(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        scanner = sqlite3.connect(bench.path, isolation_level=None)
        scanner.execute("BEGIN IMMEDIATE")
        answer = station.say("X-1")
        assert (answer["verdict"], answer["code"], answer["events"]) == ("NG", "E-901", [])
        assert "another program" in answer["text"]
        scanner.execute("ROLLBACK")
        scanner.close()
        assert station.say("X-1")["events"]
        assert station.end() == (0, "")
    assert BUSY_MS == 5000
    check_after(bench, set(station.events))


# --- a part is gone ---------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(40) if IS_FULL else (3, 25))
def test_a_journal_that_was_cut_short_gives_out_no_code_or_is_refused_and_left_alone(bench, part):
    with Running(bench.folder) as station:
        build(station, 4)
        assert station.end()[0] == 0
    events = lines_of(bench)
    pages = bench.path.stat().st_size // PAGE_SIZE
    kept = pages * (part + 1) // 42
    os.truncate(bench.path, kept * PAGE_SIZE)
    before = bench.path.read_bytes()
    run = tally("station", "run", bench.folder, "--headless")
    assert "Traceback" not in run.stderr
    if run.returncode == 0:  # every event stood in what was left of it
        assert lines_of(bench)[: len(events)] == events
        assert json.loads(tally("station", "status", bench.folder, "--json").stdout)["suspect"]
        return
    assert (run.returncode, run.stdout) == (1, "")
    assert "J-201" in run.stderr
    assert bench.path.read_bytes() == before
    assert tally("station", "doctor", bench.folder).returncode == 1


def test_13_a_reader_that_stays_holds_up_no_scan_and_its_log_is_taken_back_afterwards(bench):
    journal = bench.open(start=False)
    reader = open_reader(bench.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    noise = [OwnFact(t.RefusalShown("E-101", "x" * 60_000))]
    while wal_of(bench).stat().st_size <= doctoring.USUAL_LIMITS.wal_mib * 2**20:
        journal.append(noise * 16, None, at=NOON)
    found = {one.check: one for one in doctoring.examine(bench.folder, bench.identity)}
    assert not found["wal"].is_well
    reader.execute("COMMIT")
    reader.close()
    for _ in range(2):  # one commit writes the log back, the next begins it anew
        journal.append(noise, None, at=NOON)
    found = {one.check: one for one in doctoring.examine(bench.folder, bench.identity)}
    assert found["wal"].is_well, found["wal"].words
    assert found["chain"].is_well
    assert wal_of(bench).stat().st_size <= 16 * 1024 * 1024


def a_station_with_codes(hub, place):
    """Enrolled by the installed commands, with master data and a block."""
    published = [path for path in demo_folder().rglob("*") if path.suffix in {".toml", ".csv"}]
    published = [path for path in published if path.name != "grants.toml"]
    for words in (
        ("hub", "import", hub.folder, *published),
        ("station", "enroll", place, hub.token("S03")),
        ("hub", "grant", hub.folder, "bl2@1", "S03", "20"),
    ):
        run = tally(*words)
        assert run.returncode == 0, run.stderr
    (place / "labels").mkdir()
    printer = '[[device]]\nname = "printer-1"\ndriver = "label_files"\n'
    (place / "station.toml").write_text(f'{printer}folder = "{place / "labels"}"\n', "utf-8")


def test_a_station_whose_newest_commits_are_gone_gives_out_no_code_again_once_the_hub_has_told_it(
    tmp_path,
):
    place = tmp_path / "S03"
    with hub_process(tmp_path / "hub") as hub:
        a_station_with_codes(hub, place)
        with Running(place) as station:
            assert station.say({"sync": True})["online"]
            assert station.end()[0] == 0
        with Running(place) as station:
            station.say(BADGE)
            first = station.say(NEXT)["unit"]
            assert first
            assert station.say({"sync": True})["unsent"] == 0
            shown = set(station.events)
            station.process.kill()
            station.end()
        for name in ("journal.db-wal", "journal.db-shm"):
            (place / name).unlink()
        with Running(place) as station:
            station.say({"sync": True})
            answers = [station.say(said) for said in (BADGE, NEXT, NEXT)]
            station.say({"sync": True})
            # It goes on in a journal of its own, with other codes as soon as it has some.
            units = {answer["unit"] for answer in answers} - {None}
            assert first not in units
            assert any("restored" in line["text"] for line in station.by_itself)
            shown |= set(station.events)
            station.end()
        run = tally("hub", "export", hub.folder, "--events", tmp_path / "all.jsonl")
        assert run.returncode == 0, run.stderr
    everything = (tmp_path / "all.jsonl").read_text("utf-8")
    assert [event_id for event_id in shown if event_id not in everything] == []
    assert len(list((place / "labels").glob("*.png"))) == 1 + len(units)
