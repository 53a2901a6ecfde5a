"""Every text of both tables in a real terminal of 80x24, whole; check 19 of `screens.md` 5."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge_agent.wording.english import TEXTS
from edge_agent.workflow.types import Verdict
from tests.support.text_show import snapshot_of
from tests.support.tmux import Terminal
from tests.unit.ui.scenes import ANSWERS, joined

ROOT = Path(__file__).parents[2]
KEYS = [*ANSWERS, *(key for key in TEXTS if key.startswith("test."))]
FOOT = {"en": (" F1Help", "OFFLINE"), "zh": (" F1帮助", "离线")}


def expected(key, language):
    """Title, sentences and what to do, as the screen must hold them."""
    band = snapshot_of(key).band
    title, text = (in_language(words, language) for words in (band.title, band.text))
    sentences = [] if band.verdict is Verdict.DUP else text.split("\n")
    actions = [in_language(words, language) for words in band.do_now]
    return ["".join(one.split()).casefold() for one in (title, *sentences, *actions)]


def in_language(words, language):
    return words.zh if language == "zh" else words.en


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_19_every_text_stands_whole_on_the_screen_with_its_foot(language):
    command = [sys.executable, "-m", "tests.support.text_show", language]
    with Terminal(command, env={"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.until("S03", wait_s=20)
        for key in KEYS:
            wanted = expected(key, language)
            terminal.type(f"show {key}\r")
            rows = until_all(terminal, wanted)
            assert len(rows) == 24
            assert rows[-1].startswith(FOOT[language][0]), rows[-1]
            assert FOOT[language][1] in rows[-2], rows[-2]


def until_all(terminal, wanted):
    """The rows as soon as they hold everything."""
    for _ in range(1000):
        rows = terminal.screen().split("\n")[:-1]
        shown = joined(rows).casefold()
        if all(one in shown for one in wanted):
            return rows
    raise AssertionError(f"expected {wanted}, found\n" + "\n".join(rows))
