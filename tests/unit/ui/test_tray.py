"""The tray of practice codes: what is marked, what it tells, what it knows after a restart."""

import json
from dataclasses import replace

import pytest

from edge_agent.station.snapshot import Content
from edge_agent.ui.practice import PracticeError
from edge_agent.ui.tray import open_tray
from tally.master import Words
from tests.unit.ui.scenes import CODE, answered, lamp

CODES = {
    "badge": "BDG-1107",
    "part": {"PCB-L": ["PCB-L-00897", "PCB-L-00898"]},
    "wrong": "LED-88",
    "shared": {"PCB-L": ["PCB-L-00921"]},
    "console": "http://127.0.0.1:8440/",
    "told": "practice.log",
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "practice.json"
    path.write_text(json.dumps(CODES), "utf-8")
    return path


def told(file):
    return [json.loads(line) for line in file.with_name("practice.log").read_text().splitlines()]


def marked(tray):
    lines = tray.lines("en")
    return lines.codes[lines.marked]


def cut(snapshot):
    return replace(snapshot, status=replace(snapshot.status, is_link_cut=True))


def test_the_mark_goes_round_and_stands_at_the_right_code_after_every_answer(file):
    tray = open_tray(file)
    tray.see(lamp())
    tray.mark(1)
    assert marked(tray) == "LED-88"
    assert tray.scan() == b"LED-88"
    tray.see(answered("ng.wrong_part"))
    assert marked(tray) == "PCB-L-00897"
    tray.mark(-1)
    assert marked(tray) == "LED-88"
    tray.mark(1)
    assert marked(tray) == "PCB-L-00897"


def test_a_picture_that_says_nothing_new_leaves_the_mark_where_it_is(file):
    tray = open_tray(file)
    tray.see(answered("ng.wrong_part"))
    tray.mark(1)
    tray.see(replace(answered("ng.wrong_part"), made=48))
    assert marked(tray) == "LED-88"


def test_before_the_first_picture_there_is_nothing_to_scan(file):
    tray = open_tray(file)
    tray.mark(1)
    assert tray.scan() is None
    assert tray.lines("en").codes == ()


def test_the_first_unit_is_named_in_both_languages_once_its_label_was_read_back(file):
    tray = open_tray(file)
    tray.see(answered("ok.label_verified"))
    assert (
        tray.lines("en").hint == f"Now open the hub: unit ...{CODE[-3:]} is live at 127.0.0.1:8440"
    )
    assert CODE[-3:] in tray.lines("zh").hint


def test_a_cut_link_is_told_with_the_board_of_the_neighbour_and_so_is_its_return(file):
    tray = open_tray(file)
    tray.see(cut(lamp()))
    assert marked(tray) == "PCB-L-00921"
    tray.see(cut(lamp()))
    tray.scan()
    tray.see(lamp())
    assert told(file) == [
        {"link": "down", "board": "PCB-L-00921"},
        {"gave": "PCB-L-00921"},
        {"link": "up"},
    ]


def test_what_a_real_scanner_built_in_is_told_and_known_after_a_restart(file):
    tray = open_tray(file)
    board = Content(Words("LED board", "灯板"), "PCB-L-00897")
    tray.see(lamp(contents=(board,)))
    assert told(file) == [{"gave": "PCB-L-00897"}]
    again = open_tray(file)
    again.see(lamp())
    assert marked(again) == "PCB-L-00898"


def test_after_a_restart_nothing_is_offered_or_told_twice(file):
    tray = open_tray(file)
    tray.see(cut(lamp()))
    tray.scan()
    tray.see(cut(lamp()))
    tray.scan()
    before = told(file)
    again = open_tray(file)
    again.see(cut(lamp()))
    assert marked(again) == "PCB-L-00898"
    assert told(file) == before


def test_what_cannot_be_told_does_not_stop_the_screen(file):
    tray = open_tray(file)
    file.with_name("practice.log").mkdir()
    tray.see(lamp())
    assert tray.scan() == b"PCB-L-00897"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PracticeError, match=r"nowhere\.json: No such file"):
        open_tray(tmp_path / "nowhere.json")
