"""What a station with years behind it must not do at its start: read all of them."""

from edge_agent.journal.branches import lines_of
from edge_agent.journal.rebuilding import KEY
from edge_agent.journal.sealing import Sealer
from tests.unit.station.test_core import Floor, build_to_step


def test_after_a_rebuild_codes_of_known_schemes_are_numbers_and_no_words():
    floor = Floor()
    floor.make_board(904)
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    floor.scan("PCB-L-00904")
    database = floor.journal.connection
    before = database.execute("SELECT count(*) FROM l_word").fetchone()
    database.execute("UPDATE meta SET value = 'older rules' WHERE key = ?", (KEY,))
    floor.restart()
    database = floor.journal.connection
    assert database.execute("SELECT count(*) FROM l_word WHERE scheme NOT NULL").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM l_word").fetchone() == before


def test_the_events_of_one_journal_are_found_without_reading_those_of_the_others():
    floor = Floor()
    floor.make_board(904)
    floor.hear(floor.s01)
    database = floor.journal.connection
    asked = []
    database.set_trace_callback(asked.append)
    assert len(lines_of(database, floor.s01.id)) == floor.s01.seq
    database.set_trace_callback(None)
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    assert not any("SCAN foreign_event" in step for step in plan), plan


def test_a_long_open_tail_is_counted_no_further_than_one_segment(monkeypatch):
    monkeypatch.setattr("edge_agent.journal.sealing.SEGMENT_EVENTS_MAX", 3)
    floor = Floor()
    build_to_step(floor, 3)
    assert floor.journal.seq > 3
    sealer = Sealer(floor.journal.connection, floor.journal.identity)
    assert sealer.is_due
    while sealer.is_due:
        assert sealer.cut() is not None
        sealer.recount()
    covered = floor.journal.connection.execute("SELECT max(last) FROM seal").fetchone()[0]
    assert floor.journal.seq - covered < 3
