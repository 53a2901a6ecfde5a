"""What a screen is given: the picture after each message, of a real core with the demo plant."""

import pytest

from drivers import Health, HealthState, Read
from edge_agent.journal.faults import JournalFault, StorageReason
from edge_agent.scan.types import Typed
from edge_agent.station.pace import PACE_UNITS_MIN, Pace
from edge_agent.station.picturing import Picturing
from edge_agent.station.snapshot import DeviceShown
from edge_agent.workflow.types import KnowledgeChanged, Measured, Verdict
from tests.support.building import bound
from tests.unit.station.test_core import Floor

DEVICES = (DeviceShown("serial-1", "serial_port", "ok"), DeviceShown("p", "printer", "ok"))


class Station:
    """A core with its pictures, as the loop drives them."""

    def __init__(self, name="S03"):
        self.floor = Floor(name)
        self.floor.make_board(904)
        self.floor.make_board(905)
        self.floor.hear(self.floor.s01)
        self.floor.hear(self.floor.s02)
        self.begin(())

    def begin(self, outputs):
        self.pictures = Picturing(self.floor.core, self.floor.clock, DEVICES)
        for output in outputs:
            self.pictures.said(output)

    def restart(self):
        self.begin(self.floor.restart())
        return self.look()

    def look(self):
        return self.pictures.picture(online=False, is_link_cut=False)

    def give(self, given):
        for output in self.floor.core.handle(given):
            self.pictures.said(output)
        return self.look()

    def scan(self, text):
        self.floor.clock.sleep(5)
        return self.give(Read("serial-1", text.encode(), self.floor.clock.monotonic()))

    def do(self, text):
        self.floor.clock.sleep(5)
        return self.give(Typed(text, "keyboard", self.floor.clock.monotonic()))


@pytest.fixture
def station():
    return Station()


def marks(picture):
    return " ".join(line.mark for line in picture.checklist)


def to_the_board(station):
    for text in ("BDG-1107", "24-1187"):
        station.scan(text)
    code = station.do("CTLNEXT").unit
    return station.scan(code)


def test_a_station_without_a_person_expects_a_badge(station):
    station.give(KnowledgeChanged())
    picture = station.look()
    assert picture.expects.kind == "badge"
    assert picture.scan_now.text.en == "Scan your badge."
    assert picture.scan_now.text.zh == "请扫工牌。"
    assert (picture.station, picture.line, picture.operator) == ("S03", "L2", None)


def test_each_step_of_a_lamp_is_expected_and_ticked_off(station):
    picture = station.scan("BDG-1107")
    assert (picture.language, picture.operator.zh) == ("zh", "张伟")
    picture = station.scan("24-1187")
    assert (picture.expects.kind, picture.expects.commands) == ("command", ("CTLNEXT",))
    assert (picture.order, picture.made, picture.wanted) == ("24-1187", 0, 120)
    picture = station.do("CTLNEXT")
    code = picture.unit
    assert (picture.expects.kind, picture.expects.code, picture.step) == ("label", code, 2)
    assert picture.band.title.en == "Label printed"
    picture = station.scan(code)
    assert marks(picture) == "done done here open open open"
    assert picture.checklist[1].detail.zh == f"{code}  已核对"
    assert (picture.expects.kind, picture.expects.part) == ("part", "PCB-L")
    assert picture.scan_now.hint.en == "2D code beside connector J3"
    picture = station.scan("PCB-L-00904")
    assert picture.expects.kind == "lot"
    assert picture.contents[0].code == "PCB-L-00904"
    picture = station.scan("BAT-18650-2547A")
    assert (picture.expects.kind, picture.expects.low) == ("measure", "0.50")
    picture = station.give(Measured("torque", "0.61", "wrench"))
    assert picture.expects.commands == ("CTLGOOD", "CTLNG")
    picture = station.do("CTLGOOD")
    assert (picture.band.verdict, picture.made, picture.unit) == (Verdict.DONE, 1, None)
    assert picture.last[0].text.en == f"Unit finished: PASS  {code}"
    assert marks(picture) == "here open open done open open"
    station.do("CTLUNDO")
    assert station.do("CTLOK").made == 0


def test_a_latched_refusal_stays_in_the_band_until_the_right_scan(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    picture = station.do("CTLHOLD")
    assert picture.band.verdict is Verdict.HOLD
    station.scan(station.do("CTLNEXT").unit)
    picture = station.scan("PCB-L-00904")
    assert (picture.band.verdict, picture.band.code) == (Verdict.NG, "E-201")
    assert picture.band.latched
    assert picture.band.do_now[0].en == "Put this one in the red box; scan another."
    assert "PCB-L-00904 is already in" in picture.band.text.en
    assert marks(picture).split()[2] == "refused"
    number = picture.band.number
    picture = station.do("CTLNEXT")
    assert (picture.band.title.en, picture.band.latched) == ("Already in another unit", True)
    assert "Still blocked" in picture.band.note.en
    assert picture.band.number > number
    picture = station.scan("PCB-L-00905")
    assert picture.band.verdict is Verdict.OK
    assert not picture.band.latched


def test_a_full_disk_takes_the_band_from_a_latched_refusal_until_there_is_space(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    station.do("CTLHOLD")
    station.scan(station.do("CTLNEXT").unit)
    assert station.scan("PCB-L-00904").band.latched

    def full(label):
        raise JournalFault(
            "E-901", StorageReason.FULL, is_retryable=True, words="full", words_zh="满"
        )

    store = station.floor.journal._store
    reached, store.reached = store.reached, full
    band = station.scan("PCB-L-00905").band
    assert (band.verdict, band.code, band.do_now, band.latched) == ("NG", "E-901", (), False)
    store.reached = reached
    assert station.scan("PCB-L-00904").band.title.en == "Already in another unit"
    assert station.scan("PCB-L-00905").band.verdict is Verdict.OK


def test_a_latched_refusal_is_shown_again_after_a_restart(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    station.do("CTLHOLD")
    station.scan(station.do("CTLNEXT").unit)
    before = station.scan("PCB-L-00904").band
    after = station.restart().band
    assert (after.title, after.text, after.do_now, after.latched) == (
        before.title,
        before.text,
        before.do_now,
        True,
    )


def test_a_locked_station_shows_the_lock_after_a_restart(station):
    assert locked(station).expects.lead
    again = station.restart()
    assert again.band.verdict is Verdict.LOCK
    assert again.band.do_now[0].en == "Team leader: scan your badge to unlock."
    assert station.scan("BDG-2004").band.verdict is Verdict.OK


def locked(station):
    to_the_board(station)
    for text in ("BAT-18650-2547A", "4006381333931", "BAT-18650-2547A"):
        picture = station.scan(text)
    assert picture.band.verdict is Verdict.LOCK
    return picture


def test_a_lock_stays_in_the_band_in_the_new_language(station):
    before = locked(station)
    picture = station.do("CTLLNG")
    assert (before.language, picture.language) == ("zh", "en")
    after = picture.band
    assert (after.verdict, after.latched, after.code) == (Verdict.LOCK, True, before.band.code)
    assert (after.title.en, after.text, after.do_now) == (
        "Station locked",
        before.band.text,
        before.band.do_now,
    )
    assert "Language changed" in after.note.en
    assert station.do("CTLHELP").band.verdict is Verdict.LOCK
    assert station.scan("BDG-2004").band.verdict is Verdict.OK


def test_a_full_disk_takes_the_band_from_a_lock_until_there_is_space(station):
    locked(station)

    def full(label):
        raise JournalFault(
            "E-901", StorageReason.FULL, is_retryable=True, words="full", words_zh="满"
        )

    store = station.floor.journal._store
    reached, store.reached = store.reached, full
    assert station.do("CTLLNG").band.code == "E-901"
    store.reached = reached
    band = station.do("CTLLNG").band
    assert (band.verdict, band.code, band.latched) == (Verdict.LOCK, "E-603", True)
    assert band.do_now[0].en == "Team leader: scan your badge to unlock."


def test_a_latched_refusal_stays_in_the_band_in_the_new_language(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    station.do("CTLHOLD")
    station.scan(station.do("CTLNEXT").unit)
    before = station.scan("PCB-L-00904").band
    picture = station.do("CTLLNG")
    assert picture.language == "en"
    assert (picture.band.title, picture.band.text) == (before.title, before.text)
    assert (picture.band.verdict, picture.band.latched) == (Verdict.NG, True)
    assert "Language changed" in picture.band.note.en


def test_after_a_restart_the_same_step_returns_with_what_was_saved_last(station):
    code = to_the_board(station).unit
    picture = station.restart()
    assert (picture.unit, picture.step) == (code, 3)
    assert picture.band.title.zh == "重启后已恢复"
    assert f"Last saved: Label {code} is verified." in picture.band.text.en


def test_the_language_changes_also_with_nobody_signed_in(station):
    assert station.do("CTLLNG").language == "zh"
    assert station.restart().language == "zh"
    assert station.do("CTLLNG").language == "en"


def test_the_printer_is_as_its_last_label_was(station):
    station.scan("BDG-1107")
    station.floor.tray.has_paper = False
    devices = {one.name: one for one in station.do("CTLNEXT").status.devices}
    assert devices["p"].state == "lost"
    assert "no paper" in devices["p"].words.en
    station.floor.tray.has_paper = True
    devices = {one.name: one for one in station.do("CTLPRINT").status.devices}
    assert devices["p"].state == "ok"


def test_a_lost_device_is_named_with_its_words(station):
    lost = Health("serial-1", HealthState.LOST, "Unplugged.", 1.0, "D-101", "已拔出。")
    station.pictures.device(lost)
    device = station.look().status.devices[0]
    assert (device.state, device.words.zh) == ("lost", "已拔出。")


def test_unsent_and_codes_left_are_counted(station):
    first = station.look().status
    assert first.codes.left == 172
    station.scan("BDG-1107")
    station.do("CTLNEXT")
    after = station.look().status
    assert after.codes.left == 171
    assert after.unsent > first.unsent
    assert after.oldest_unsent is not None


def test_the_pace_is_known_after_twenty_codes_and_right_within_a_tenth():
    pace = Pace()
    assert pace.of("bl2@1", 0, 0.0) is None
    for number in range(1, PACE_UNITS_MIN):
        assert pace.of("bl2@1", number, number * 60.0) is None
    found = pace.of("bl2@1", PACE_UNITS_MIN, PACE_UNITS_MIN * 60.0)
    assert found == pytest.approx(60, rel=0.1)


def test_what_the_hub_said_waits_until_help_has_shown_it(station):
    to_the_board(station)
    board = station.scan("PCB-L-00904")
    writing = station.floor.s02
    writing.add(bound("PCB-L-00904", "BL2-2647-000381"))
    for output in station.floor.hear(writing, writing.seq):
        station.pictures.said(output)
    picture = station.look()
    assert (picture.band.verdict, picture.band.code) == (Verdict.HOLD, "E-208")
    assert picture.unread == 1
    picture = station.scan("BAT-18650-2547A")
    assert picture.band.verdict is Verdict.OK
    assert (picture.unread, len(picture.news)) == (1, 1)
    picture = station.do("CTLHELP")
    assert picture.unread == 0
    assert "BL2-2647-000381" in picture.band.text.en.split("\n")[0]
    assert board.unit in picture.news[0].text.zh


def test_what_the_hub_said_is_still_there_after_a_restart(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    writing = station.floor.s02
    writing.add(bound("PCB-L-00904", "BL2-2647-000381"))
    for output in station.floor.hear(writing, writing.seq):
        station.pictures.said(output)
    before = station.look()
    after = station.restart()
    assert (after.unread, len(after.news)) == (1, 1)
    assert after.news[0].title == before.news[0].title
    assert after.news[0].text == before.news[0].text
    station.do("CTLHELP")
    read = station.restart()
    assert (read.unread, read.news) == (0, after.news)


def test_9_while_a_hard_refusal_stays_no_step_advances_and_only_what_resolves_it_works(station):
    to_the_board(station)
    station.scan("PCB-L-00904")
    station.do("CTLHOLD")
    unit = station.scan(station.do("CTLNEXT").unit).unit
    station.scan("PCB-L-00904")
    for text in ("CTLOK", "CTLGOOD", "24-1187", "CTLUNDO", "CTLPRINT"):
        picture = station.do(text)
        assert (picture.unit, picture.step, picture.band.latched) == (unit, 3, True)
        assert picture.expects.part == "PCB-L"
    picture = station.do("CTLHELP")
    assert (picture.band.latched, picture.band.code) == (True, "E-201")
    assert "CTLNO cancels" in picture.band.note.en
    picture = station.scan("BDG-2004")
    assert (picture.band.title.en, picture.operator.en) == (
        "Unlocked by the team leader",
        "ZHANG Wei",
    )


def test_16_the_same_label_again_confirms_nothing_but_ctlok_does(station):
    to_the_board(station)
    picture = station.do("CTLUNDO")
    assert picture.band.verdict is Verdict.WAIT
    assert picture.expects.commands == ("CTLOK", "CTLNO")
    assert station.scan(picture.unit).band.code == "E-104"
    station.do("CTLUNDO")
    assert station.do("CTLOK").step == 2


def test_17_a_scanner_alone_builds_holds_undoes_changes_language_and_signs_out(station):
    for text in ("BDG-1107", "24-1187", "CTLNEXT"):
        unit = station.scan(text).unit
    for text in (unit, "PCB-L-00904", "BAT-18650-2547A", "0.61", "CTLUNDO", "CTLOK", "0.62"):
        picture = station.scan(text)
    assert picture.expects.kind == "pass_fail"
    assert station.scan("CTLGOOD").band.verdict is Verdict.DONE
    second = station.scan("CTLNEXT").unit
    station.scan(second)
    assert station.scan("CTLHOLD").band.title.en == "Unit set aside"
    assert station.scan("CTLLNG").language == "en"
    assert station.scan("CTLRING").band.title.en == "Call the team leader"
    assert station.scan("CTLOUT").operator is None
