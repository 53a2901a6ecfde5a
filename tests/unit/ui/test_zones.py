"""Status, head and checklist where space or codes run short."""

import datetime as dt
from dataclasses import replace

import pytest

from edge_agent.station.snapshot import ChecklistLine, CodesLeft, DeviceShown
from edge_agent.ui.bells import TIMES_MAX, Bells
from edge_agent.ui.cells import cells, cut, wrap
from edge_agent.ui.zones.foot import codes_left, link, status, unsent
from edge_agent.ui.zones.head import head
from tally.master import Words
from tests.unit.ui.scenes import AT, Tray, answered, lamp, screen, view


def with_status(**more):
    before = lamp()
    return replace(before, status=replace(before.status, **more))


def text(row):
    return "".join(part for part, _ in row).strip()


def test_the_status_row_says_since_when_how_much_and_for_how_long():
    assert text(status(lamp(), view())) == (
        "OFFLINE 47m | unsent 128 | codes 160 ~3h12 | SCN ok PRN ok CAM ok | hub 06:55"
    )
    assert text(status(lamp(), view("zh"))).startswith("离线 47分 | 待传 128 | 余码 160 约3时12分")


@pytest.mark.parametrize(("lang", "shown"), [("en", "CLOCK? 07:42"), ("zh", "时钟? 07:42")])
def test_a_wrong_clock_is_red_in_the_head_and_the_work_stays(lang, shown):
    wrong = with_status(clock=Words("It is 6 minutes ahead.", "快 6 分钟。"))
    row = head(wrong, view(lang))[0]
    assert (shown, "red") in row
    assert cells("".join(part for part, _ in row)) == 80
    assert ("07:42", "red") not in head(lamp(), view(lang))[0]
    wide = "\n".join(screen(wrong, lang, (120, 40)))
    assert ("It is 6 minutes ahead." if lang == "en" else "快 6 分钟。") in wide


def test_online_says_what_is_being_sent_until_nothing_is_left():
    online = with_status(online=True)
    assert text(status(online, view())).startswith("ONLINE | sending 128")
    assert text(status(with_status(online=True, unsent=0), view())).startswith("ONLINE | unsent 0")


def test_offline_is_grey_for_a_shift_and_amber_after_it():
    assert link(lamp(), view())[1] == "plain"
    assert link(with_status(hub_at=AT - dt.timedelta(hours=9)), view())[1] == "amber"
    assert unsent(lamp(), view())[1] == "plain"
    assert unsent(with_status(oldest_unsent=AT - dt.timedelta(hours=25)), view())[1] == "amber"


@pytest.mark.parametrize(
    ("codes", "shown", "style"),
    [
        (CodesLeft("s", 160, 172, 9.5), "codes 160 ~9h30", "plain"),
        (CodesLeft("s", 160, 172, None), "codes 160 ~?", "plain"),
        (CodesLeft("s", 30, 172, None), "codes 30 ~?", "amber"),
        (CodesLeft("s", 160, 172, 7.9), "codes 160 ~7h54", "amber"),
        (CodesLeft("s", 9, 172, 0.75), "codes 9 ~45m", "red"),
        (CodesLeft("s", 0, 172, 0.0), "codes 0 PRINT STOPPED", "red"),
    ],
)
def test_codes_say_how_long_they_last_and_warn_when_low(codes, shown, style):
    assert codes_left(with_status(codes=codes), view()) == [(shown, style)]


def test_a_lost_device_is_named_and_red_and_many_devices_still_fit():
    lost = DeviceShown("printer-at-the-window", "printer", "lost")
    many = tuple(DeviceShown(f"serial-{n}", "serial_port", "ok") for n in range(9))
    row = status(with_status(devices=(*many, lost)), view())
    assert "printer-at-the-window STOPPED" in text(row)
    assert ("printer-at-the-window STOPPED", "red") in row or "red" in {s for _, s in row}
    assert cells("".join(part for part, _ in row)) == 80


def test_a_long_plan_shows_the_steps_around_the_present_one():
    lines = tuple(
        ChecklistLine(n, Words(f"Step {n}", f"步骤 {n}"), Words("", ""), "open")
        for n in range(1, 41)
    )
    lines = (*lines[:29], replace(lines[29], mark="here"), *lines[30:])
    rows = screen(lamp(checklist=lines, step=30, steps=40))
    assert any(row.startswith(" [>] 30 Step 30") for row in rows)
    assert any("Step 29" in row for row in rows)
    assert any("Step 31" in row for row in rows)


def test_a_long_head_gives_up_the_plan_before_the_order_and_never_the_station():
    operation = Words("Final assembly of the very long lamp", "总装")
    head = screen(lamp(operation=operation))[0]
    assert "WO 24-1187" in head
    assert "plan" not in head
    assert screen(lamp(operation=Words("x" * 90, "x")))[0].startswith(" S03")


def test_text_is_wrapped_by_cells_between_words_and_between_han_characters():
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("扫描电池批次。", 6) == ["扫描电", "池批", "次。"]
    assert wrap("x" * 9, 4) == ["xxxx", "xxxx", "x"]
    assert wrap("", 4) == [""]
    assert cut("扫描电池", 5) == "扫.."


def test_a_refusal_that_stays_rings_at_most_six_times_and_an_ok_once():
    bells, rung = Bells(), 0
    bells.take(answered("ng.used"), 0.0)
    for second in range(200):
        bells.take(answered("ng.used"), float(second))
        rung += bool(bells.due(float(second)))
    assert rung == TIMES_MAX
    bells = Bells()
    bells.take(answered("ok.bound"), 0.0)
    assert [len(bells.due(t)) for t in (0.0, 11.0)] == [1, 0]


def test_the_marked_practice_code_is_seen_however_many_there_are():
    codes = tuple(f"PCB-L-009{n:02}-AND-A-LONG-TAIL" for n in range(9))
    for marked in range(9):
        tray = Tray(codes=codes, marked=marked)
        assert any(f"[{codes[marked]}]" in row for row in screen(lamp(), tray=tray))


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_wide_screen_says_who_else_has_the_newest_event_as_a_narrow_one_does(count, lang):
    shown = with_status(elsewhere=count)
    words = view(lang).label("kept_near", count=count) if count else view(lang).label("kept_here")
    for size in ((80, 24), (120, 40)):
        assert words in "\n".join(screen(shown, lang, size))
