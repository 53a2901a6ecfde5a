"""Pages of a station's file that SQLite cannot read (fault 9): the file is made anew from the rest.

Pages are found with dbstat and overwritten in the real file; what comes of it is held against every
event and every code that was given out before.
"""

import json
import random
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers import HealthState
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalCorrupt, JournalFault
from edge_agent.journal.pages import Note, look_at_pages, read_note, write_note
from edge_agent.journal.store import PAGE_SIZE
from edge_agent.station.clock import SystemClock
from edge_agent.station.page_watch import PageWatch, background_checked
from tally.events import types as t
from tests.support.damage import label, stored
from tests.support.station_process import ANSWER_S, Died, Running, enrolled, tally
from tests.support.stations import NOON, Bench, Plant
from tests.support.work_floor import WorkFloor, headless

STEPS = (
    "remake_built",
    "remake_decided",
    "remake_old_kept",
    "remake_log_kept",
    "remake_done",
)


@dataclass
class Worked:
    """A station's folder with 240 codes given out, and what stood in it."""

    folder: Path
    plant: Plant
    events: list
    blocks: tuple
    pages: list
    frontier: dict

    def copied(self, folder):
        shutil.copytree(self.folder, folder)
        return folder

    def leaves(self, table):
        return [page for page, name, kind in self.pages if (name, kind) == (table, "leaf")]


def reserved(number):
    code = f"BL2-2647-{number:06}"
    return OwnFact(t.CodeReserved(code, "bl2@1", f"B-{(number - 400) // 100:02}", number))


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("S03")
    plant = Plant()
    plant.publish_demo()
    bench = Bench(plant, "S03", folder)
    for number in range(12):
        plant.grant(f"B-{number:02}", "bl2@1", 400 + 100 * number, 100, bench.identity)
    journal = bench.open()
    for data in plant.everything():
        journal.ingest(data, at=NOON)
    for number in range(40):
        journal.append([reserved(400 + 6 * number + i) for i in range(6)], None, at=NOON)
    journal.cut_segment()
    journal.append([label(number) for number in range(5)], None, at=NOON)
    events, blocks = stored(bench), journal.blocks.all()
    frontier = dict(journal.others.frontier())
    journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.connection.close()
    return Worked(folder, plant, events, blocks, pages_of(folder), frontier)


def pages_of(folder):
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute("SELECT pageno, name, pagetype FROM dbstat").fetchall()


def spoil(folder, *pages, fill=b"\xff"):
    """As a disk that gives back something else."""
    with (folder / "journal.db").open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_SIZE)
            file.write((fill * PAGE_SIZE)[:PAGE_SIZE])


def noted(folder):
    write_note(folder, Note("2026-11-20T12:00:00+08:00", "a page"))


def lines_of(connection):
    return connection.execute("SELECT id, line FROM event ORDER BY seq").fetchall()


def is_beyond(journal, blocks):
    """No block goes back behind what was given out."""
    now = {one.block: one for one in journal.blocks.all()}
    return all(now[one.block].next >= one.next for one in blocks if one.used)


def sampled(pages):
    """Every kind of page, and more of those that have many."""
    kinds = {}
    for page, name, kind in pages:
        kinds.setdefault((name, kind), []).append(page)
    dice = random.Random(9)
    for (name, _), found in kinds.items():
        if name != "sqlite_schema":
            yield from {found[0], found[-1], dice.choice(found)}


def test_09_any_one_damaged_page_of_a_table_costs_neither_an_event_nor_a_code(worked, tmp_path):
    dice = random.Random(7)
    for number, page in enumerate(sampled(worked.pages)):
        folder = worked.copied(tmp_path / str(number))
        spoil(folder, page, fill=dice.choice([b"\xff", b"\0", dice.randbytes(PAGE_SIZE)]))
        was = (folder / "journal.db").read_bytes()
        noted(folder)
        kind = next(one for one in worked.pages if one[0] == page)
        try:
            with open_journal(folder, SystemClock()) as journal:
                assert lines_of(journal.connection)[: len(worked.events)] == worked.events, kind
                assert is_beyond(journal, worked.blocks), kind
                assert not journal.damaged, kind
                assert journal.others.frontier() == worked.frontier or "branch" in kind, kind
        except JournalCorrupt:
            assert kind[1] in {"pruned", "evicted"}, kind
            assert (folder / "journal.db").read_bytes() == was
        assert not list(folder.glob("*.rem*")), kind
        shutil.rmtree(folder)


def test_09_where_others_events_were_deleted_a_page_that_work_does_not_need_stops_no_start(
    worked, tmp_path
):
    folder = worked.copied(tmp_path / "S03")
    with closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO evicted VALUES (1, 1)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    chunks = [page for page, name, kind in pages_of(folder) if (name, kind) == ("l_chunk", "leaf")]
    spoil(folder, chunks[0])
    noted(folder)
    for _ in range(2):
        with open_journal(folder, SystemClock()) as journal:
            assert lines_of(journal.connection)[: len(worked.events)] == worked.events
            assert is_beyond(journal, worked.blocks)
        assert read_note(folder).damage


def lost_twice(worked, folder):
    """An event whose page and whose copy in the ledger are both lost; its seq."""
    spoil(folder, worked.leaves("event")[len(worked.leaves("event")) // 2])
    chunks = [page for page, name, kind in worked.pages if name == "l_chunk" and kind != "internal"]
    spoil(folder, *chunks)
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        found = {row[0] for row in readable(connection)}
    return min(set(range(1, len(worked.events) + 1)) - found)


def readable(connection):
    for seq in range(1, 10_000):
        try:
            row = connection.execute("SELECT seq FROM event WHERE seq = ?", (seq,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row is None and seq > 300:
            return
        if row:
            yield row


def test_09_an_unsent_event_that_only_that_page_held_stops_the_station_and_nothing_changes(
    worked, tmp_path
):
    folder = worked.copied(tmp_path / "S03")
    lost = lost_twice(worked, folder)
    was = (folder / "journal.db").read_bytes()
    noted(folder)
    for _ in range(2):
        with pytest.raises(JournalCorrupt) as stopped, open_journal(folder, SystemClock()):
            pass
        assert stopped.value.seq == lost
        assert "enrol the station anew" in stopped.value.words
        assert (folder / "journal.db").read_bytes() == was
        assert not [*folder.glob("*.rem*"), *folder.glob("journal.damaged*")]


def test_09_the_mirror_brings_what_both_pages_lost(worked, tmp_path):
    folder = worked.copied(tmp_path / "S03")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as mirror:
        settings = f'[disk]\nballast_mib = 0\n[journal]\nmirror = "{mirror}"\n'
        (folder / "station.toml").write_text(settings, "utf-8")
        with Running(folder) as station:
            assert station.say({"wait": 0.1})["verdict"] == "READY"
            assert station.end()[0] == 0
        grown = Worked(folder, worked.plant, [], (), pages_of(folder), {})
        spoil(folder, *grown.leaves("l_chunk"), grown.leaves("event")[7])
        noted(folder)
        with open_journal(folder, SystemClock(), mirror=mirror) as journal:
            assert lines_of(journal.connection)[: len(worked.events)] == worked.events
            assert is_beyond(journal, worked.blocks)
            assert "came back from copies" in journal.remade[0]
            assert "已从副本恢复" in journal.remade[1]


def test_09_cursors_that_cannot_be_read_nor_counted_skip_what_is_left_of_the_blocks(
    worked, tmp_path
):
    folder = worked.copied(tmp_path / "S03")
    with open_journal(folder, SystemClock(), starts=False) as journal:
        journal.save_receipt(worked.plant.receipt(journal))
        journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    lost = lost_twice(worked, folder)
    spoil(folder, *worked.leaves("block_cursor"))
    noted(folder)
    with open_journal(folder, SystemClock()) as journal:
        assert lost in journal.damaged
        assert is_beyond(journal, worked.blocks)
        assert not any(one.left for one in journal.blocks.all())
        assert "codes are not used any more" in journal.remade[0]
        assert "编码不再使用" in journal.remade[1]


@pytest.mark.parametrize("table", ["block", "block_cursor", "block_given", "borrowed"])
def test_09_what_is_known_of_codes_is_counted_again_from_the_events(worked, tmp_path, table):
    folder = worked.copied(tmp_path / "S03")
    spoil(folder, *worked.leaves(table))
    noted(folder)
    with open_journal(folder, SystemClock()) as journal:
        assert sorted(journal.blocks.all(), key=str) == sorted(worked.blocks, key=str)


@pytest.mark.parametrize("step", STEPS)
def test_09_a_power_cut_at_any_step_leaves_one_whole_file(worked, tmp_path, step):
    folder = worked.copied(tmp_path / "S03")
    (folder / "station.toml").write_text("[disk]\nballast_mib = 0\n", "utf-8")
    spoil(folder, worked.leaves("event")[3])
    noted(folder)
    with Running(folder, crash=f"{step}:1") as station:
        assert station.process.wait(ANSWER_S) == -signal.SIGKILL
    with open_journal(folder, SystemClock()) as journal:
        assert lines_of(journal.connection)[: len(worked.events)] == worked.events
        assert is_beyond(journal, worked.blocks)
        assert not list(folder.glob("*.rem*"))
        [kept] = folder.glob("journal.damaged-*.db")
    assert look_at_pages(folder) == ""
    assert kept.stat().st_size


def test_09_events_whose_pages_are_lost_come_back_from_the_hub(tmp_path):
    floor = WorkFloor(tmp_path)
    try:
        station = floor.station()
        headless(station, *["BDG-1107", "CTLOUT"] * 4, {"sync": True}, {"link": "down"})
        with closing(sqlite3.connect(station / "journal.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = lines_of(connection)
        pages = pages_of(station)
        own = [page for page, name, kind in pages if name == "event" and kind == "leaf"]
        chunks = [page for page, name, _ in pages if name == "l_chunk"]
        others = [page for page, name, kind in pages if name == "foreign_event" and kind == "leaf"]
        spoil(station, own[1], others[len(others) // 2], *chunks)
        noted(station)
        [*_, last] = headless(station, {"link": "up"}, {"sync": True})
        assert last["verdict"] == "READY", last
        doctor = json.loads(tally("station", "doctor", station, "--json").stdout)
        found = {one["check"]: one for one in doctor}
        assert found["chain"]["ok"], found["chain"]
        assert found["pages"]["ok"], found["pages"]
        assert "asked back from the hub" in found["made anew"]["words"]
        with closing(sqlite3.connect(station / "journal.db")) as connection:
            assert lines_of(connection)[: len(before)] == before
        ours = json.loads(tally("station", "fingerprint", station, "--json").stdout)
        assert ours["uninterpreted"] == 0
    finally:
        floor.end()


def test_09_damage_met_in_the_background_is_said_noted_and_mended_by_the_next_start(
    worked, tmp_path
):
    folder = worked.copied(tmp_path / "S03")
    said = []
    watch = PageWatch(folder, SystemClock(), said.append)
    watch.look()
    assert not said
    assert background_checked(folder)[0]
    spoil(folder, worked.leaves("foreign_event")[0])
    watch.look()
    [health] = said
    assert (health.state, health.code) == (HealthState.DEGRADED, "J-206")
    assert "foreign_event" in health.words
    assert "foreign_event" in health.words_zh
    assert not background_checked(folder)[0]
    with open_journal(folder, SystemClock()) as journal:
        assert journal.remade[0]
        assert lines_of(journal.connection)[: len(worked.events)] == worked.events
    assert read_note(folder).damage == ""
    with open_journal(folder, SystemClock()) as journal:
        assert journal.remade == ("", "")


def test_09_without_room_for_a_new_file_nothing_is_changed(worked, tmp_path, monkeypatch):
    folder = worked.copied(tmp_path / "S03")
    spoil(folder, worked.leaves("event")[3])
    was = (folder / "journal.db").read_bytes()
    noted(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(JournalFault, match="J-207") as stopped, open_journal(folder, SystemClock()):
        pass
    assert "MiB" in stopped.value.words
    assert "MiB" in stopped.value.words_zh
    assert (folder / "journal.db").read_bytes() == was


def test_a_station_at_work_that_meets_a_damaged_page_makes_its_file_anew_at_the_next_start(
    tmp_path,
):
    bench = enrolled(tmp_path / "S03")
    with Running(bench.folder) as station:
        station.say("BDG-1107")
        assert station.end()[0] == 0
    before = stored(bench)
    pages = pages_of(bench.folder)
    spoil(bench.folder, *[page for page, name, _ in pages if name == "l_head"])
    statuses = []
    for _ in range(3):
        with Running(bench.folder) as station:
            try:
                station.say("CTLNEXT")
                station.say("CTLOUT")
            except Died:
                pass
            statuses.append(station.end()[0])
    assert statuses[-1] == 0, statuses
    assert stored(bench)[: len(before)] == before
    assert look_at_pages(bench.folder) == ""
