"""A loan slip on the screen: whole at every size, read by a scanner, gone with the next answer."""

from dataclasses import replace

import pytest

from edge_agent.station.slips import SHOWN
from edge_agent.station.symbols import qr_rows
from edge_agent.ui.layout import draw
from edge_agent.ui.themes import THEMES, styles_of
from edge_agent.workflow.types import Verdict
from tally.master import Words
from tests.unit.station.test_slips import seen_by_a_scanner
from tests.unit.ui.scenes import answered, joined, screen, view

PART = "TLN:JZ73:1/3:" + "AG56S7IXIS" * 14
SAYS = Words(
    "200 codes of block B-02 for S03: part 1 of 3. Let S03 scan it. CTLSLIP: next part. "
    "CTLNO: done.",
    "借给 S03 的号段 B-02 的 200 个编码:第 1 部分,共 3 部分。请在 S03 扫描。CTLSLIP:下一部分。",
)


@pytest.fixture
def shown():
    """The lamp with a slip over it."""
    usual = answered("ok.lent")
    band = replace(usual.band, verdict=Verdict.READY, code=SHOWN, text=SAYS)
    return replace(usual, band=band, slip=qr_rows(PART))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (100, 25)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_symbol_is_whole_and_what_to_do_stands_beside_it(shown, language, size):
    rows = draw(shown, view(language, size))
    assert len(rows) == size[1]
    symbol = [row[0][0] for row in rows if row[0][1] == "paper"]
    assert seen_by_a_scanner(symbol) == PART
    said = "".join(text for row in rows for text, style in row if style == "strong")
    wanted = SAYS.zh if language == "zh" else SAYS.en
    assert "".join(wanted.split()) in "".join(said.split())


def test_the_next_answer_takes_the_place_of_it(shown):
    assert joined(screen(replace(shown, slip=()))) != joined(screen(shown))
    assert "200codes" in joined(screen(shown, is_ascii=True)), "words alone where blocks are wide"


@pytest.mark.parametrize("theme", THEMES)
def test_a_symbol_is_light_on_dark_in_every_theme(theme):
    style = styles_of(theme)["paper"]
    assert style.color.get_truecolor()[0] > 200
    assert style.bgcolor.get_truecolor()[0] < 60
