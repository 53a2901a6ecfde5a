"""The station's core over a real journal in memory, with the demo plant, driven in its own time."""

import datetime as dt
import sqlite3
from contextlib import suppress

import pytest

from drivers import Read
from edge_agent.journal.faults import JournalFault
from edge_agent.station.core import StationCore
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.succession import heir_of, prepared
from edge_agent.station.texts import text_of
from edge_agent.workflow.types import KnowledgeChanged, Measured, PrintDone, PrintFailed
from tally.events import types as t
from tally.events.decoding import read_line, write_line
from tally.master import Words
from tally.merge.keys import case_id
from tests.support.building import Writing, bound, decided
from tests.support.heirs import Keys
from tests.support.stations import NOON, Bench, Plant, TestClock, demo_grants, piece


class Tray:
    """A printer that lays its labels on a tray, or has no paper."""

    def __init__(self):
        self.labels = []
        self.has_paper = True
        self.before_printing = lambda: None

    def print_label(self, wanted):
        self.before_printing()
        if not self.has_paper:
            return PrintFailed(wanted.job, Words("no paper", "缺纸"))
        self.labels.append(wanted.code)
        return PrintDone(wanted.job, "printer-1")


class Floor:
    """One station of the demo plant."""

    def __init__(self, name="S03", folder=None):
        self.plant = Plant()
        self.plant.publish_demo()
        self.bench = Bench(self.plant, name, folder)
        for block, scheme, start, number, station in demo_grants():
            if station == name:
                self.plant.grant(block, scheme, start, number, self.bench.identity)
        self.s01, self.s02 = Writing("S01"), Writing("S02")
        self.plant.enrol(self.s01)
        self.plant.enrol(self.s02)
        self.clock, self.tray = TestClock(), Tray()
        self.points = []
        self.journal = self.bench.told(self.bench.open(reached=self.points.append))
        self.core = self.make_core()
        self.core.start()

    def make_core(self):
        knowledge = StationKnowledge(
            self.journal, self.clock, language="en", devices=frozenset({"camera-1", "serial-1"})
        )
        return StationCore(
            self.journal, knowledge, self.clock, self.tray, reached=self.points.append
        )

    def restart(self):
        self.journal = self.bench.open(reached=self.points.append)
        self.core = self.make_core()
        return self.core.start()

    def scan(self, text, source="serial-1"):
        self.clock.sleep(5)
        read = Read(source, text.encode(), self.clock.monotonic())
        return self.core.handle(read)[0]

    def hear(self, writing, first=1):
        result = self.journal.ingest(piece(writing, first), at=self.clock.now())
        self.core.knowledge.learned(result)
        return self.core.handle(KnowledgeChanged())

    def make_board(self, number, *, passed=True):
        code = f"PCB-L-{number:05}"
        self.s01.add(t.UnitCommissioned(code, "PCB-L@2", lot="PCB-L-2546B"))
        if passed:
            self.s02.add(t.OperationCompleted(code, "20", "PASS"))
        return code

    def events(self, since=0):
        rows = self.journal.connection.execute(
            "SELECT line FROM event WHERE seq > ? ORDER BY seq", (since,)
        )
        return [read_line(row[0]) for row in rows]


@pytest.fixture
def floor():
    return Floor()


def build_to_step(floor, step):
    """S03 with ZHANG Wei signed in, a unit open, at this step."""
    floor.scan("BDG-1107")
    if step >= 2:
        floor.scan("CTLNEXT")
    if step >= 3:
        floor.scan(floor.tray.labels[-1], "camera-1")


def test_a_code_is_durable_before_a_byte_goes_to_the_printer(floor):
    build_to_step(floor, 1)
    seen = []
    floor.tray.before_printing = lambda: seen.append(
        (floor.journal.connection.in_transaction, floor.events()[-1].b)
    )
    output = floor.scan("CTLNEXT")
    ((in_transaction, body),) = seen
    assert not in_transaction
    assert isinstance(body, t.CodeReserved)
    assert body.code == floor.tray.labels[0] == output.unit
    assert isinstance(floor.events()[-1].b, t.LabelPrinted)
    assert len(output.events) == 2


def test_an_answers_events_are_exactly_the_new_ones(floor):
    before = floor.journal.seq
    output = floor.scan("BDG-1107")
    stored = floor.journal.connection.execute("SELECT id FROM event WHERE seq > ?", (before,))
    assert list(output.events) == [row[0] for row in stored]


def test_a_unit_is_built_from_label_to_pass(floor):
    board = floor.make_board(907)
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    assert floor.scan(board).verdict == "OK"
    assert floor.scan("BAT-18650-2547A").verdict == "OK"
    measured = floor.core.handle(Measured("torque", "0.61", "wrench-1"))[0]
    assert measured.verdict == "OK"
    done = floor.scan("CTLGOOD")
    assert done.verdict == "DONE"
    unit = floor.journal.ledger.unit(floor.tray.labels[0])
    assert unit.result("30") == "PASS"
    assert {one.child for one in unit.contents} == {board, "BAT-18650-2547A"}


def test_a_board_that_failed_the_operation_before_is_refused(floor):
    board = floor.make_board(896, passed=False)
    floor.s02.add(t.OperationCompleted(board, "20", "FAIL", defects=("SOLDER",)))
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    refused = floor.scan(board)
    assert (refused.verdict, refused.code) == ("NG", "E-202")


def test_a_board_without_a_result_is_refused_while_the_neighbour_was_heard_of(floor):
    board = floor.make_board(896, passed=False)
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    assert floor.scan(board).code == "E-202"


def test_a_board_goes_on_provisionally_where_the_neighbour_was_never_heard_of(floor):
    board = floor.make_board(899)
    floor.hear(floor.s01)
    build_to_step(floor, 3)
    assert floor.scan(board).verdict == "OK"
    body = next(e.b for e in reversed(floor.events()) if isinstance(e.b, t.ComponentBound))
    assert body.provisional
    verdicts = {check.rule: check.verdict for check in body.checks}
    assert verdicts["previous_op"] == "UNKNOWN"


def test_knowledge_older_than_a_day_is_unknown(floor):
    board = floor.make_board(907)
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    floor.clock.at += dt.timedelta(days=2)
    assert floor.scan(board).code == "E-206"  # the plan blocks where a lot's release is unknown


@pytest.mark.parametrize("at", ["2106-02-07T06:28:15+00:00", "9999-12-31T23:59:59-14:00"])
def test_a_neighbours_clock_that_runs_ahead_makes_no_knowledge_new(floor, at):
    board = floor.make_board(907)
    floor.hear(floor.s01)
    floor.s02.add_line(
        write_line(t.AgentStarted("r", "", "1"), hlc="0198f3c2a1b4.0003", at=at, by="system")
    )
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    floor.clock.at += dt.timedelta(days=2)
    floor.restart()
    assert floor.scan(board).code == "E-206"


def test_a_lamp_whose_board_was_taken_out_is_not_packed_and_the_box_goes_on():
    floor = Floor("S04")
    s03, decisions = Writing("S03"), floor.plant.feeds["decisions"]
    floor.plant.enrol(s03)
    binds = []
    for writing, lamp in ((floor.s02, "BL2-2647-000381"), (s03, "BL2-2647-000405")):
        writing.add(t.UnitCommissioned(lamp, "BL-2@4"))
        binds.append(writing.ref(writing.add(bound("PCB-L-00902", lamp))))
        writing.add(t.OperationCompleted(lamp, "30", "PASS"))
    key = "in:PCB-L-00902"
    decisions.add(decided(case_id(key), key, binds[0], binds[1:], binds), by="BDG-3001")
    floor.bench.told(floor.journal)
    floor.hear(floor.s02)
    floor.hear(s03)
    assert floor.scan("BDG-1133").verdict == "OK"
    assert floor.scan("CTLOK").verdict == "OK"
    refused = floor.scan("BL2-2647-000405")
    assert (refused.verdict, refused.code) == ("HOLD", "E-204")
    assert "PCB-L-00902" in text_of(refused, "en")
    assert "PCB-L-00902 已不在其中" in text_of(refused, "zh")
    assert floor.scan("BL2-2647-000381").verdict == "OK"


def test_what_is_known_and_who_did_it_are_said_in_chinese_too(floor):
    said = text_of(floor.scan("BDG-9999"), "zh")
    assert "中心" in said
    assert "hub as of" not in said
    build_to_step(floor, 3)
    said = text_of(floor.scan("PCB-L-2546C"), "zh")
    assert "陈静" in said


def test_a_board_in_a_neighbours_unit_is_refused_with_who_where_and_when(floor):
    board = floor.make_board(902)
    floor.s02.add(t.ComponentBound(board, "BL2-2647-000381", "board", "serial", "PCB-L", "board"))
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    refused = floor.scan(board)
    assert (refused.verdict, refused.code) == ("NG", "E-201")
    text = text_of(refused, "en")
    assert "BL2-2647-000381" in text
    assert "S02" in text


def test_a_lot_on_hold_is_refused(floor):
    floor.s01.add(t.UnitCommissioned("PCB-L-00950", "PCB-L@2", lot="PCB-L-2546C"))
    floor.s02.add(t.OperationCompleted("PCB-L-00950", "20", "PASS"))
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    assert floor.scan("PCB-L-00950").code == "E-103"


def test_a_printer_without_paper_keeps_the_code_for_the_same_unit(floor):
    build_to_step(floor, 1)
    floor.tray.has_paper = False
    failed = floor.scan("CTLNEXT")
    assert failed.code == "E-401"
    kept = failed.unit
    floor.tray.has_paper = True
    floor.scan("CTLPRINT")
    assert floor.tray.labels == [kept]


def test_without_codes_printing_stops_and_says_so():
    floor = Floor("S02")  # it has no block of boxes, and 20 codes of lamps
    floor.scan("BDG-1182")
    floor.scan("24-1187")
    for _ in range(20):
        floor.scan("CTLNEXT")
        floor.scan("CTLNO")
        floor.scan("CTLOK")
    assert len(set(floor.tray.labels)) == len(floor.tray.labels) == 20
    assert floor.scan("CTLNEXT").code == "E-402"


def test_a_suspect_journal_gives_out_no_code(floor):
    build_to_step(floor, 1)
    floor.journal.suspect("copied")
    output = floor.scan("CTLNEXT")
    assert output.code == "E-402"
    assert "copied or restored. Printing stops" in text_of(output, "en")
    assert "取得新编码前停止打印" in text_of(output, "zh")
    assert floor.tray.labels == []


def test_the_first_line_after_a_sign_out_with_nothing_open_is_that_the_station_is_started(floor):
    build_to_step(floor, 1)
    assert floor.scan("CTLOUT").verdict == "OK"
    (output,) = floor.restart()
    assert output.verdict == "READY"
    assert text_of(output, "en") == "The station is started. Next: Scan your badge."
    assert text_of(output, "zh").startswith("本站已启动。")


def test_the_same_code_of_the_same_scanner_at_once_is_ignored(floor):
    read = Read("serial-1", b"BDG-1107", floor.clock.monotonic())
    assert floor.core.handle(read)[0].verdict == "OK"
    before = floor.journal.seq
    assert floor.core.handle(read)[0].verdict == "DUP"
    assert floor.journal.seq == before


def test_several_codes_of_one_picture_are_one_input(floor):
    build_to_step(floor, 2)
    label = floor.tray.labels[0]
    reads = [
        Read("camera-1", code, floor.clock.monotonic(), group=7)
        for code in (label.encode(), b"4006381333931")
    ]
    output = floor.core.handle(reads)[0]
    assert (output.verdict, output.step) == ("OK", 3)


def test_a_full_disk_is_said_and_the_same_scan_works_when_there_is_space(floor):
    outputs = [floor.scan("BDG-1107")]
    pages = floor.journal.connection.execute("PRAGMA page_count").fetchone()[0]
    floor.journal.connection.execute(f"PRAGMA max_page_count={pages}")
    while outputs[-1].code != "E-901":
        outputs.append(floor.scan(f"X-{len(outputs)}"))
    seq, state = floor.journal.seq, floor.core.state
    refused = floor.scan("Y-1")
    assert (refused.verdict, refused.code, refused.events) == ("NG", "E-901", ())
    assert (floor.journal.seq, floor.core.state) == (seq, state)
    assert "disk is full" in text_of(refused, "en")
    assert "磁盘已满" in text_of(refused, "zh")
    floor.journal.connection.execute("PRAGMA max_page_count=1000000")
    assert floor.scan("Y-1").code != "E-901"


def fill_the_disk(floor, *, until):
    connection = floor.journal.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    number = 0
    while until(floor.scan(f"X-{number}")):
        number += 1


def make_space(floor):
    floor.journal.connection.execute("PRAGMA max_page_count=1000000")


def test_the_same_scan_repeated_at_once_after_a_full_disk_is_no_double_read(floor):
    floor.scan("BDG-1107")
    fill_the_disk(floor, until=lambda output: output.code != "E-901")
    read = Read("serial-1", b"Y-1", floor.clock.monotonic())
    assert floor.core.handle(read)[0].code == "E-901"
    assert floor.core.handle(read)[0].code == "E-901"
    make_space(floor)
    assert floor.core.handle(read)[0].verdict != "DUP"


def test_a_label_that_came_out_while_the_disk_filled_up_is_recorded_later(floor):
    build_to_step(floor, 1)
    floor.tray.before_printing = fill_now(floor.journal.connection)
    answer = floor.scan("CTLNEXT")
    assert answer.code == "E-901"
    assert len(floor.tray.labels) == len(answer.events) == 1
    assert "The code is saved" in text_of(answer, "en")
    assert "编码已保存" in text_of(answer, "zh")
    make_space(floor)
    outputs = floor.core.handle(Read("serial-1", b"Z-1", floor.clock.monotonic()))
    assert isinstance(floor.events()[-1].b, t.LabelPrinted | t.RefusalShown)
    assert sum(isinstance(e.b, t.LabelPrinted) for e in floor.events()) == 1
    assert [output.source for output in outputs] == ["serial-1", "printer"]


def fill_now(connection):
    """Take every free page of the file, and allow no more."""

    def fill():
        connection.execute("CREATE TABLE ballast (x)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        with suppress(sqlite3.OperationalError):
            while True:
                connection.execute("INSERT INTO ballast VALUES (zeroblob(10))")

    return fill


def test_a_fault_after_which_nobody_knows_the_disk_is_not_swallowed(floor):
    def fail(label):
        raise JournalFault("E-901", None, is_retryable=False, words="the disk", words_zh="磁盘")

    floor.journal._store.reached = fail
    with pytest.raises(JournalFault):
        floor.scan("BDG-1107")


def test_after_a_restart_the_same_unit_stands_at_the_same_step(tmp_path):
    floor = Floor(folder=tmp_path)
    build_to_step(floor, 3)
    unit = floor.tray.labels[0]
    output = floor.restart()[0]
    assert (output.unit, output.step) == (unit, 3)
    assert unit in text_of(output, "en")


def test_a_crash_before_the_printer_answered_asks_and_never_reuses_the_code(tmp_path):
    floor = Floor(folder=tmp_path)
    build_to_step(floor, 1)

    def power_cut():
        raise KeyboardInterrupt

    floor.tray.before_printing = power_cut
    with pytest.raises(KeyboardInterrupt):
        floor.scan("CTLNEXT")
    floor.tray.before_printing = lambda: None
    output = floor.restart()[0]
    lost = output.unit
    assert "CTLNO" in text_of(output, "en")
    floor.scan("CTLNO")
    floor.scan("CTLOK")
    floor.scan("CTLNEXT")
    assert lost not in floor.tray.labels
    assert any(isinstance(e.b, t.LabelScrapped) and e.b.code == lost for e in floor.events())


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_decision_tells_the_station_what_to_do(goes_on):
    """Also about what was recorded in the journal before this one."""
    floor = Floor()
    board = floor.make_board(902)
    floor.hear(floor.s01)
    floor.hear(floor.s02)
    build_to_step(floor, 3)
    floor.scan(board)
    mine = floor.tray.labels[0]
    floor.s02.add(t.ComponentBound(board, "BL2-2647-000381", "board", "serial", "PCB-L", "board"))
    told = floor.hear(floor.s02)
    assert any(output.verdict == "HOLD" for output in told)
    if goes_on:
        keys = Keys()
        prepared(floor.journal, keys, floor.clock, "copied")
        floor.core.go_on_as(heir_of(floor.journal, keys))
    (case,) = floor.journal.ledger.cases()
    keep, lose = sorted(case.claims, key=lambda claim: claim.station != "S02")
    decisions = floor.plant.feeds["decisions"]
    refs = (keep.ref, lose.ref)
    decisions.add(
        t.DecisionMade(case.id, case.key, keep.ref, (lose.ref,), refs, "looked"), by="BDG-3001"
    )
    texts = [text_of(output, "en") for output in floor.hear(decisions)]
    assert any(mine in text and "step 3" in text and "CHEN Jing" in text for text in texts)


def test_news_that_concern_nobody_here_are_silent(floor):
    floor.s01.add(t.UnitCommissioned("PCB-L-00999", "PCB-L@2"))
    assert floor.hear(floor.s01) == []


def test_hubs_clock_and_ours_do_not_have_to_agree(floor):
    floor.clock.at = NOON.replace(year=1971)
    assert floor.scan("BDG-1107").verdict == "OK"


def test_the_core_says_which_schemes_its_plan_needs(floor):
    assert floor.core.schemes == ("bl2@1",)


def test_a_journal_that_cannot_be_read_any_more_stops_the_station_in_words(floor):
    build_to_step(floor, 2)
    floor.journal.connection.execute("ALTER TABLE l_head RENAME TO lost")
    with pytest.raises(JournalFault) as stopped:
        floor.scan("PCB-L-00931")
    assert not stopped.value.is_retryable
    assert "l_head" in stopped.value.words


def test_a_lead_releases_what_was_set_aside_here_and_the_ledger_knows_it(floor):
    build_to_step(floor, 3)
    unit = floor.core.state.unit.code
    assert floor.scan("CTLHOLD").verdict == "HOLD"
    asked = floor.scan(unit)
    assert (asked.verdict, asked.code) == ("HOLD", "E-204")
    assert floor.core.knowledge.holds(unit)[0].reason == Words(
        "set aside by the operator", "操作员隔离"
    )
    assert floor.scan("BDG-2004").verdict == "OK"
    assert floor.core.knowledge.holds(unit) == []
    assert floor.core.state.unit.code == unit
    hold, released = (
        event for event in floor.events() if isinstance(event.b, t.HoldPlaced | t.HoldReleased)
    )
    assert (hold.by, released.by) == ("BDG-1107", "BDG-2004")


def test_a_label_printed_in_the_journal_before_is_read_back_in_the_one_that_goes_on(floor):
    build_to_step(floor, 1)
    floor.scan("CTLNEXT")
    [code] = floor.tray.labels
    before = floor.journal.identity.journal
    reserved = floor.journal.ref_of(floor.core.state.unit.reserved)
    keys = Keys()
    prepared(floor.journal, keys, floor.clock, "copied")
    floor.core.go_on_as(heir_of(floor.journal, keys))
    assert floor.journal.identity.journal != before
    assert floor.scan(code).verdict == "OK"
    [line] = floor.journal.fetch(floor.journal.identity.journal, floor.journal.seq)
    event = read_line(line)
    assert (event.t, event.seen) == ("unit.commissioned", (reserved,))
    assert not floor.journal.ledger.findings()
    assert floor.scan("CTLUNDO").verdict == "WAIT"
