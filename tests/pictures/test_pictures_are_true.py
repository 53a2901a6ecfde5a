"""What is drawn is what was captured: every character in its cell, every colour that matters."""

import re
import xml.etree.ElementTree as ET

import cv2
import numpy as np

from tests.pictures.drawing import CELL, LINE, MARGIN, draw
from tests.pictures.shrinking import shrink

SVG = "{http://www.w3.org/2000/svg}"


def texts(captured, columns=20):
    """Text, its places in cells and its row, of every run."""
    root = ET.fromstring(draw(captured, columns=columns, title="a screen"))
    found = []
    for text in root.iter(f"{SVG}text"):
        cells = [round((float(x) - MARGIN) / CELL, 3) for x in text.get("x").split()]
        found.append((text.text.replace("\N{NO-BREAK SPACE}", " "), cells))
    return found


def test_chinese_keeps_its_columns():
    assert texts("a标签b\n") == [("a标签b", [0, 1, 3, 5])]


def test_blanks_before_and_within_a_text_keep_their_places():
    assert texts("   S03  OK   \n") == [("S03  OK", [3])]
    picture = draw("a  b\n", columns=20, title="")
    assert "  " not in re.sub(r"<[^>]*>", "", picture)


def test_a_background_covers_its_cells_and_no_more():
    root = ET.fromstring(draw("x\x1b[48;2;200;0;0m NG \x1b[0my\n", columns=20, title=""))
    [ground] = [one for one in root.iter(f"{SVG}rect") if one.get("fill") == "#c80000"]
    assert float(ground.get("x")) == MARGIN + CELL
    assert abs(float(ground.get("width")) - 4 * CELL) < CELL / 10
    assert abs(float(ground.get("height")) - LINE) < 1


def test_what_a_screen_shows_is_never_markup():
    [(text, _)] = texts("<b>&amp;</b>\n")
    assert text == "<b>&amp;</b>"


def test_a_picture_of_few_colours_is_the_same_with_a_palette(tmp_path):
    file = tmp_path / "few.png"
    before = np.zeros((20, 30, 3), np.uint8)
    before[5:10, 5:20] = (20, 120, 250)
    cv2.imwrite(str(file), before)
    shrink(file)
    assert (cv2.imread(str(file)) == before).all()


def test_of_many_colours_the_most_frequent_stay_and_the_others_move_little(tmp_path):
    file = tmp_path / "many.png"
    before = np.full((64, 64, 3), 255, np.uint8)
    before[:32] = np.stack(np.meshgrid(np.arange(64), np.arange(32), [7]), -1)[..., 0, :]
    cv2.imwrite(str(file), before)
    shrink(file)
    after = cv2.imread(str(file))
    assert (after[32:] == 255).all()
    assert np.abs(after.astype(int) - before.astype(int)).max() < 64
