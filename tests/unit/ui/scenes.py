"""Snapshots to draw: one of a lamp at its third step, and what each answer makes of it."""

import datetime as dt
import re
import string
from dataclasses import dataclass, replace

from edge_agent.station.banding import band_of, last_scan_of
from edge_agent.station.outputs import Output
from edge_agent.station.snapshot import (
    ChecklistLine,
    CodesLeft,
    Content,
    DeviceShown,
    ScanNow,
    Snapshot,
    Status,
)
from edge_agent.ui.cells import text_of
from edge_agent.ui.layout import draw
from edge_agent.ui.view import View
from edge_agent.wording.english import TEXTS as ENGLISH
from edge_agent.workflow.expects import Expects
from edge_agent.workflow.types import Answer, Latch, Prompt, StationState, Verdict
from tally.master import Words

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
AT = dt.datetime(2026, 11, 20, 7, 42, 31, tzinfo=SHANGHAI)
CODE = "BL2-2647-000412"
BOARD = "PCB-L-00931"

VALUES = {
    "unit": CODE,
    "code": "E-201",
    "child": BOARD,
    "item": CODE,
    "parent": "BL2-2647-000398",
    "part": Words("LED board", "LED 灯板"),
    "lot": "BAT-18650-2647B",
    "loaded": "BAT-18650-2647A",
    "text": "BAT-18650-2647B",
    "got": Words("Battery", "电池"),
    "wants": Words("LED board", "LED 灯板"),
    "later": "4",
    "value": "0.74",
    "low": "0.50",
    "high": "0.70",
    "measure": "Nm",
    "trial": "1",
    "tries": "2",
    "ended": CODE,
    "box": "095211010000000870",
    "block": "B-01",
    "count": "7",
    "capacity": "12",
    "position": "7",
    "operation": Words("Final assembly", "总装"),
    "plan": "final-assembly@14",
    "order": "24-1187",
    "orders": "24-1187, 24-1188 …",
    "operator": Words("LI Na", "李娜"),
    "status": "paused",
    "name": Words("ZHANG Wei", "张伟"),
    "who": Words("CHEN Jing", "陈静"),
    "badge": "BDG-1107",
    "command": "CTLPRINT",
    "since": "06:50",
    "at": "06:51",
    "reason": Words("solder bridge at J3, see report 8", "J3 焊锡短路,见报告 8"),
    "case": "K1-7Q4M2",
    "subject": BOARD,
    "units": CODE,
    "others": "BL2-2647-000381",
    "where": "S02 07:10",
    "kept": "BL2-2647-000381",
    "number": "3",
    "then": "BL2-2647-000402",
    "station": "S02",
    "stations": "S03, S02",
    "last": "S01 07:10",
    "basis": Words("hub as of 06:55", "中心 06:55 的数据"),
    "rule": Words("the result of the operation before", "前道工序结果"),
    "devices": "camera-1, serial-1",
    "source": "serial-2",
    "seen": "3",
    "fit": "2",
    "scheme": "bl2@1",
    "words": Words("no paper, expected a roll", "缺纸,应有卷纸"),
    "seconds": "60",
    "defects": "SOLDER, LENS, CRACK",
    "job": "BL2-2647-000412.1",
    "times": "2",
    "faults": Words("Caps Lock is on: press Caps Lock.", "大写锁定已打开:请按 Caps Lock。"),
    "hint": "2D code beside connector J3",
}
LATCHED = ("ng.lot_held", "ng.lot_unreleased", "ng.used", "ng.op_failed", "ng.op_missing")
ANSWERS = [
    key for key in ENGLISH if key.partition(".")[0] not in {"next", "step", "around", "test"}
]
_VERDICTS = {"ok": "OK", "done": "DONE", "ready": "READY", "wait": "WAIT", "ask": "WAIT"} | {
    "undo": "WAIT",
    "hold": "HOLD",
    "lock": "LOCK",
    "ng": "NG",
    "dup": "DUP",
}


@dataclass(frozen=True)
class Tray:
    enter: str = "Enter scans"
    codes: tuple[str, ...] = ("PCB-L-00897", "4006381333931", "PCB-L-00904")
    marked: int = 0
    hint: str = "No scanner? Enter scans the marked code; left and right mark another."


def says_of(key, texts=ENGLISH):
    """A value for each placeholder of a text, as long as they come."""
    names = {name for _, name, _, _ in string.Formatter().parse(texts[key]) if name}
    return {name: VALUES[name] for name in names}


def answer(key, *, code=None, then="next.scan"):
    """An answer as the machine gives it."""
    verdict = Verdict(_VERDICTS[key.partition(".")[0]])
    code = code or ("E-201" if verdict in {Verdict.NG, Verdict.HOLD, Verdict.LOCK} else "")
    text = {"text": Words("Scan LED BOARD", "扫描 LED 灯板"), "hint": Words("", "")}
    return Answer(verdict, code, key, says_of(key), CODE, 3, Prompt(then, text))


def lamp(**more):
    """ZHANG Wei at the third step of a lamp."""
    lines = (
        (Words("Print serial label", "打印序列号标签"), Words(CODE, CODE), "done"),
        (
            Words("Scan the label you stuck on", "扫描刚贴上的标签"),
            Words(f"{CODE}  verified", f"{CODE}  已核对"),
            "done",
        ),
        (
            Words("Scan LED BOARD", "扫描 LED 灯板"),
            Words("PCB-L, any released lot", "PCB-L,任一已放行批次"),
            "here",
        ),
        (Words("Scan BATTERY LOT", "扫描电池批次"), Words("BAT-18650", "BAT-18650"), "open"),
        (
            Words("Torque two screws", "拧紧两颗螺丝"),
            Words("0.50 .. 0.70 Nm", "0.50 .. 0.70 Nm"),
            "open",
        ),
        (Words("Pass / fail", "合格 / 不合格"), Words("", ""), "open"),
    )
    usual = Snapshot(
        at=AT,
        language="en",
        station="S03",
        line="L2",
        operation=Words("Final assembly", "总装"),
        plan="final-assembly@14",
        product=Words("BL-2 Bike lamp", "BL-2 车灯"),
        order="24-1187",
        made=47,
        wanted=120,
        operator=Words("ZHANG Wei", "张伟"),
        unit=CODE,
        kind="unit",
        step=3,
        steps=6,
        checklist=tuple(ChecklistLine(n, *line) for n, line in enumerate(lines, 1)),
        contents=(Content(Words("Battery", "电池"), "BAT-18650-2647A"),),
        scan_now=ScanNow(
            Words("Scan LED BOARD", "扫描 LED 灯板"),
            Words("2D code beside connector J3", "J3 插座旁的二维码"),
        ),
        band=None,
        last=tuple(
            last_scan_of(Output(one.verdict, "", CODE, 3, answer=one, source="serial-1"), AT)
            for one in (answer("ok.label_verified"), answer("ok.printed"), answer("done.pass"))
        ),
        refusals=0,
        refusals_max=3,
        can_undo=True,
        expects=Expects("part", part="PCB-L"),
        status=Status(
            online=False,
            hub_at=AT - dt.timedelta(minutes=47),
            unsent=128,
            oldest_unsent=AT - dt.timedelta(minutes=46),
            codes=CodesLeft("bl2@1", 160, 172, 3.2),
            devices=(
                DeviceShown("serial-1", "serial_port", "ok"),
                DeviceShown("camera-1", "camera", "ok"),
                DeviceShown("printer-1", "printer", "ok"),
            ),
        ),
    )
    return replace(usual, **more)


def answered(key, *, code=None):
    """The lamp after this answer."""
    given = answer(key, code=code)
    if key in LATCHED:
        given = replace(given, next=Prompt("next.latched"))
    if given.verdict is Verdict.LOCK:
        given = replace(given, next=Prompt("next.lead"))
    latch = Latch(given.code, key, given.says) if key in LATCHED else None
    output = Output(given.verdict, given.code, CODE, 3, answer=given, source="serial-1")
    before = lamp()
    line = last_scan_of(output, AT)
    is_counted = given.verdict is Verdict.NG
    checklist = list(before.checklist)
    if is_counted:
        checklist[2] = replace(checklist[2], mark="refused")
    return replace(
        before,
        band=band_of(output, StationState(latch=latch), 7, AT),
        last=((line, *before.last) if line else before.last),
        refusals=1 if is_counted else 0,
        checklist=tuple(checklist),
    )


def view(language="en", size=(80, 24), **more):
    """Looked at in that moment."""
    return View(*size, language=language, now=more.pop("now", AT), **more)


def screen(snapshot, language="en", size=(80, 24), **more):
    """The rows as text, each as wide as the screen."""
    return [text_of(one) for one in draw(snapshot, view(language, size, **more))]


FRAME = re.compile(r"^[ #|*/:=]*|[ =]*(?:##|\|{1,2}|\*\*|/|:)? *$")


def joined(rows):
    """All of it without blanks and frames: what must be found however it was wrapped."""
    return "".join("".join(FRAME.sub("", row).split()) for row in rows)
