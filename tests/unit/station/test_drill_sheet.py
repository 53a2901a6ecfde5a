"""The sheet of a drill: what is lost or twice is named, and nothing passes that was not shown."""

import string

import pytest

from edge_agent.station.drill_sheet import Sheet, judge
from edge_agent.station.drilling import Measured, practice_code
from edge_agent.wording.drilling import DRILLING
from tally.events.types import DrillScanned
from tally.master import Words
from tests.support.building import Writing

DRILL = "9f1c2b7e00a4d355"
CODES = [practice_code(DRILL, number) for number in (1, 2, 3)]


def rows(codes):
    own = Writing("S03")
    for number, code in enumerate(codes, 1):
        own.add(DrillScanned(DRILL, number, code))
    return dict(enumerate(zip(own.ids, own.lines, strict=True), 1))


def sheet(**changes):
    seen = Measured(
        reached=True,
        was_cut=True,
        codes=list(CODES),
        cut_s=60.0,
        kept=3,
        connected_s=0.4,
        drained_s=1.5,
    )
    for name in [name for name in changes if hasattr(seen, name)]:
        setattr(seen, name, changes.pop(name))
    given = {"lost": (), "twice": (), "checked": 4} | changes
    return Sheet("S03", DRILL, "2026-11-20T16:00:00+00:00", 60.0, seen, **given)


def test_codes_that_stand_at_the_hub_as_they_stand_here_are_neither_lost_nor_twice():
    here = rows(CODES)
    assert judge(DRILL, CODES, here, here) == ([], [])


def test_a_code_that_the_hub_lacks_is_lost_by_name():
    here = rows(CODES)
    at_hub = {seq: row for seq, row in here.items() if CODES[1].encode() not in row[1]}
    assert judge(DRILL, CODES, here, at_hub) == ([CODES[1]], [])


def test_a_code_whose_bytes_differ_at_the_hub_is_lost():
    here = rows(CODES)
    seq = max(here)
    at_hub = here | {seq: (here[seq][0], here[seq][1].replace(b"PRACTICE", b"practice"))}
    assert CODES[2] in judge(DRILL, CODES, here, at_hub)[0]


def test_a_code_that_was_answered_but_never_saved_is_lost():
    here = rows(CODES[:2])
    assert judge(DRILL, CODES, here, here) == ([CODES[2]], [])


def test_a_code_that_stands_twice_is_named():
    here = rows([*CODES, CODES[0]])
    assert judge(DRILL, CODES, here, here)[1] == [CODES[0]]


def test_codes_of_another_drill_do_not_count():
    here = rows(CODES)
    assert judge("another", CODES, here, here)[0] == CODES


def test_a_drill_passes_when_all_was_shown():
    assert sheet().has_passed
    assert sheet().as_lines("en")[-4] == "PASS"


@pytest.mark.parametrize(
    "fault",
    [
        {"lost": (CODES[0],)},
        {"twice": (CODES[0],)},
        {"checked": None},
        {"drained_s": None},
        {"was_cut": False},
        {"codes": []},
        {"refused": [Words("full", "满")]},
        {"cut_s": 59.0},
        {"kept": 2},
        {"reached": False},
    ],
)
def test_a_drill_that_left_something_open_has_not_passed(fault):
    found = sheet(**fault)
    assert not found.has_passed
    assert found.as_plain()["passed"] is False
    assert "NOT PASSED" in found.as_lines("en")
    assert any(line.startswith("NOT") for line in found.as_lines("en")[:-4])


def test_lost_codes_are_named_on_the_sheet_and_a_long_list_is_cut():
    many = tuple(practice_code(DRILL, number) for number in range(30))
    [line] = [line for line in sheet(lost=many).as_lines("en") if " lost" in line]
    assert many[0] in line
    assert many[9] in line
    assert "+20" in line
    assert many[10] not in line


@pytest.mark.parametrize("key", DRILLING)
def test_both_languages_of_the_sheet_fill_the_same_places(key):
    english, chinese = (
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in DRILLING[key]
    )
    assert english == chinese


def test_the_sheet_says_in_both_languages_what_was_not_shown():
    assert any("Not shown" in line for line in sheet().as_lines("en"))
    assert any("未证明" in line for line in sheet().as_lines("zh"))
