"""Loan slips between two stations that no network joins: shown, scanned, and refused in words."""

from dataclasses import replace

import numpy as np
import pytest
import zxingcpp

from drivers import Read
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.journal import passed
from edge_agent.scan.types import Typed
from edge_agent.station.core import StationCore
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.printing import NoPrinter
from edge_agent.station.slips import Slips, slip_for
from edge_agent.station.symbols import qr_rows
from edge_agent.station.texts import text_of
from tally.events import types as t
from tally.records.ids import show_journal
from tally.records.segment import decode
from tally.records.slip import slip_of
from tests.support.neighbours import Standing
from tests.support.stations import NOON, Bench, TestClock, pieces
from tests.unit.peers.test_borrowing import LEAD, SCHEME, Floor, label


@pytest.fixture
def floor():
    """S02 lent ten codes to S03; nothing was carried yet."""
    made = Floor()
    lend(made.s02, made.s03)
    return made


def lend(lender, borrower, start=130, count=10, name="S03"):
    to = show_journal(borrower.journal.identity.journal)
    body = t.BlockLent("B-00", SCHEME, start, count, to, name, "2026-11-20")
    grant = lender.journal.blocks.all()[0].ref
    lender.journal.append([OwnFact(body, LEAD, (grant,))], None, at=NOON)


def parts_of(station):
    return slip_for(station.views.own, station.journal.ledger)[2]


def scan(station, *texts, slips=None):
    slips = slips or Slips(station.journal)
    return [slips.take(text, NOON) for text in texts]


def borrowed(station):
    rows = station.journal.connection.execute("SELECT line FROM event ORDER BY seq")
    return [row[0] for row in rows if row[0].startswith(b'{"t":"block.borrowed"')]


def test_the_parts_in_any_order_make_the_loan_and_its_codes_are_used(floor):
    first, second, third = parts_of(floor.s02)
    two, one, done = scan(floor.s03, second, first, third)
    assert (two.verdict, two.code) == (one.verdict, one.code) == ("WAIT", "S-125")
    assert "Scan part 1, 3" in two.words.en
    assert "请扫第 3 部分" in one.words.zh
    assert (done.verdict, done.code) == ("OK", "S-123")
    assert done.events == (floor.s03.journal.event_id,)
    assert "10 codes of bl2@1 are borrowed from S02" in done.words.en
    assert len(label(floor.s03, 99)) == 10


def test_the_same_slip_again_and_the_network_later_change_nothing(floor):
    scan(floor.s03, *parts_of(floor.s02))
    head = floor.s03.journal.seq
    again = scan(floor.s03, *parts_of(floor.s02))[-1]
    assert again.verdict == "READY"
    assert "here already" in again.words.en
    floor.s03.visit(floor.s02)
    assert floor.s03.journal.seq == head
    assert len(borrowed(floor.s03)) == 1
    assert floor.s03.journal.ledger.findings() == ()


def test_the_last_part_read_twice_does_not_ask_for_the_others_again(floor):
    slips = Slips(floor.s03.journal)
    parts = parts_of(floor.s02)
    *_, done, twice = scan(floor.s03, *parts, parts[-1], slips=slips)
    assert (done.verdict, twice.verdict) == ("OK", "READY")
    assert "here already" in twice.words.en


def test_a_slip_for_another_station_is_refused_by_name(floor):
    said = scan(floor.s04, *parts_of(floor.s02))[-1]
    assert (said.verdict, said.code) == ("NG", "S-124")
    assert "for S03" in said.words.en
    assert "S03" in said.words.zh
    assert not borrowed(floor.s04)


def test_parts_of_two_slips_do_not_mix(floor):
    old = parts_of(floor.s02)
    lend(floor.s02, floor.s03, start=125, count=5)
    new = parts_of(floor.s02)
    slips = Slips(floor.s03.journal)
    scan(floor.s03, old[0], old[1], new[0], slips=slips)
    assert "Scan part 1, 2" in scan(floor.s03, old[2], slips=slips)[0].words.en
    done = scan(floor.s03, *new, slips=slips)[-1]
    assert done.verdict == "OK"
    assert [one.count for one in floor.s03.journal.blocks.all()] == [5]


def test_a_character_that_was_misread_is_refused_and_all_is_scanned_again(floor):
    first, second, third = parts_of(floor.s02)
    wrong = second[:-1] + ("A" if second[-1] != "A" else "B")
    said = scan(floor.s03, first, wrong, third)[-1]
    assert (said.verdict, said.code) == ("NG", "S-124")
    assert "read wrongly" in said.words.en
    assert scan(floor.s03, first, second, third)[-1].verdict == "OK"


def test_a_slip_that_another_key_signed_is_refused(floor):
    loan = floor.s02.views.others.waiting_loan(floor.s03.whom.journal, SCHEME, 0)
    found = decode(loan.data)
    forged = replace(found, sig=floor.s04.whom.key.sign(b"tally/head/1\0", b"x"))
    said = scan(floor.s03, *slip_of(forged))[-1]
    assert "not signed by the station it names" in said.words.en
    assert not borrowed(floor.s03)


def test_who_never_heard_of_the_lender_or_its_block_is_told_to_take_a_stick(floor):
    alone = Bench(floor.plant, "S03", line="L2")  # it met neither the hub nor a neighbour
    stranger = Standing(alone, alone.open())
    said = scan(stranger, *parts_of(floor.s02))[-1]
    assert "never heard of" in said.words.en
    assert "--out" in said.words.zh
    for data in pieces(floor.plant.keys):
        stranger.journal.ingest(data, at=NOON)
    said = scan(stranger, *parts_of(floor.s02))[-1]
    assert "does not know of the block" in said.words.en
    assert not borrowed(stranger)


def test_a_copied_station_takes_no_slip(floor):
    floor.s03.journal.suspect("copied")
    said = scan(floor.s03, *parts_of(floor.s02))[-1]
    assert (said.verdict, said.code) == ("NG", "S-124")
    assert not borrowed(floor.s03)


def test_ctlslip_shows_part_after_part_and_ctlno_puts_it_away(floor):
    slips = Slips(floor.s02.journal)
    shown = scan(floor.s02, "CTLSLIP", "CTLSLIP", "CTLSLIP", "CTLSLIP", slips=slips)
    assert tuple(one.slip for one in shown[:3]) == parts_of(floor.s02)
    assert shown[3].slip == shown[0].slip
    assert "part 1 of 3" in text_of(shown[0], "en")
    assert "S03" in text_of(shown[0], "zh")
    assert scan(floor.s02, "CTLNO", slips=slips)[0].verdict == "READY"
    assert scan(floor.s02, "CTLNO", slips=slips) == [None], "the next one is the workflow's"


def test_where_nothing_was_lent_there_is_nothing_to_show(floor):
    (said,) = scan(floor.s03, "CTLSLIP")
    assert (said.verdict, said.slip) == ("NG", "")
    assert "CTLLEND" in said.words.zh


def test_other_scans_are_nothing_to_slips(floor):
    assert scan(floor.s03, "BL2-2647-000412", "CTLOK", "BDG-1107", "") == [None] * 4


def test_a_scanner_reads_from_the_screen_what_is_shown(floor):
    for part in parts_of(floor.s02):
        rows = qr_rows(part)
        assert len(rows) <= 23, "with a line to spare at 80x24"
        assert len(rows[0]) <= 46
        assert seen_by_a_scanner(rows) == part


def test_a_printed_slip_may_be_seen_whole_by_a_camera(floor):
    parts = parts_of(floor.s02)
    knowledge = StationKnowledge(floor.s03.journal, TestClock(), language="en", devices=frozenset())
    core = StationCore(floor.s03.journal, knowledge, TestClock(), NoPrinter(), reached=passed)
    core.start()
    (said,) = core.handle([Read("camera-1", one.encode(), 1.0, group=7) for one in parts])
    assert (said.verdict, said.code, said.source) == ("OK", "S-123", "camera-1")
    assert said.events
    (again,) = core.handle(Read("serial-1", parts[0].lower().encode(), 2.0))
    assert (again.verdict, again.code) == ("READY", "S-124")
    assert core.handle(Typed("CTLSLIP", "keyboard", 3.0))[0].code == "S-124"


def seen_by_a_scanner(rows):
    """The rows as a terminal paints them: light ink on dark, two modules a character."""
    halves = {" ": (0, 0), "▀": (255, 0), "▄": (0, 255), "█": (255, 255)}
    lines = [[halves[one][half] for one in row] for row in rows for half in (0, 1)]
    image = np.kron(np.array(lines, dtype=np.uint8), np.ones((6, 6), dtype=np.uint8))
    framed = np.pad(image, 40)
    (found,) = zxingcpp.read_barcodes(framed)
    return found.text
