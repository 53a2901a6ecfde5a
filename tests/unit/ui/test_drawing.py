"""Every text of both tables on the screen at 80x24 and 120x40: whole, and no row too wide."""

import pytest
from rich.cells import cell_len

from edge_agent.station.banding import prompt_words
from edge_agent.station.snapshot import ScanNow
from edge_agent.wording import say
from edge_agent.wording.english import TEXTS as ENGLISH
from edge_agent.workflow.types import Prompt, Verdict
from tests.unit.ui.scenes import (
    ANSWERS,
    answered,
    joined,
    lamp,
    says_of,
    screen,
)

SIZES = [(80, 24), (120, 40)]
LANGUAGES = ["en", "zh"]


def squeezed(text):
    return "".join(text.split())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ANSWERS)
def test_every_answer_is_drawn_whole_and_no_row_is_too_wide(key, language, size):
    snapshot = answered(key)
    rows = screen(snapshot, language, size)
    assert len(rows) == size[1]
    assert {cell_len(one) for one in rows} == {size[0]}
    band, shown = snapshot.band, joined(rows)
    title, text = ((w.zh if language == "zh" else w.en) for w in (band.title, band.text))
    assert squeezed(title).casefold() in shown.casefold()
    for sentence in text.split("\n") if band.verdict is not Verdict.DUP else ():
        assert squeezed(sentence) in shown
    for words in band.do_now:
        assert squeezed(words.zh if language == "zh" else words.en) in shown
    assert any(one.startswith(" F1") for one in rows[-2:])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [key for key in ENGLISH if key.startswith("next.")])
def test_every_prompt_is_drawn_whole(key, language):
    says = says_of(key)
    if "hint" in says:
        says["hint"] = "x" * 52
    says = {**says, "text": prompt_words(Prompt("ready.here"))} if "text" in says else says
    snapshot = lamp(scan_now=ScanNow(prompt_words(Prompt(key, says))))
    assert squeezed(say(key, language, **says)) in joined(screen(snapshot, language))


def test_the_longest_step_text_and_hint_that_a_plan_may_have_are_drawn():
    from tally.master import Words

    text, hint = Words("T" * 30, "T" * 30), Words("H" * 52, "H" * 52)
    shown = joined(screen(lamp(scan_now=ScanNow(text, hint))))
    assert "T" * 30 in shown
    assert "H" * 52 in shown
