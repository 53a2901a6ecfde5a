"""The texts: complete in both languages, nothing unused, nothing missing."""

import re
import string
from pathlib import Path

import pytest
from rich.cells import cell_len

from edge_agent.scan.selftest import FAULTS
from edge_agent.ui.cells import clean
from edge_agent.wording import say, say_sentences
from edge_agent.wording.chinese import TEXTS as CHINESE
from edge_agent.wording.english import TEXTS as ENGLISH
from edge_agent.wording.screen import SCREEN
from edge_agent.wording.titles import TITLE_CELLS_MAX, TITLES
from tally.master import Words

AGENT = Path(__file__).parents[3] / "edge_agent"
KEY = re.compile(r'"((?:ok|ng|ready|wait|ask|hold|done|next|undo|around|step)\.[a-z_]+|lock|dup)"')


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def used_keys():
    sources = [*AGENT.glob("workflow/*.py"), AGENT / "wording" / "showing.py"]
    return {key for path in sources for key in KEY.findall(path.read_text())}


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(ENGLISH) == list(CHINESE)


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_fill_the_same_placeholders(key):
    assert placeholders(ENGLISH[key]) == placeholders(CHINESE[key])


def test_every_text_is_used_and_every_text_used_exists():
    assert used_keys() | {f"test.{fault}" for fault in FAULTS} == set(ENGLISH)


@pytest.mark.parametrize("text", [*ENGLISH.values(), *CHINESE.values()])
def test_no_text_says_invalid_or_failed_or_error(text):
    assert not re.search(r"\b(invalid|failed|error)\b", text, re.IGNORECASE)


def test_scanned_text_is_quoted_short_and_without_control_characters():
    said = say("ng.partial", "en", text="A\x1dB\x07" + "C" * 600)
    assert "A<GS>B<07>" in said
    assert "C" * 24 not in said


def test_words_are_said_in_the_language_asked_for():
    part = Words("LED board", "LED 灯板")
    says = {"part": part, "child": "PCB-L-00931", "unit": "BL2-2547-000412"}
    assert say("ok.bound", "en", **says).startswith("LED board PCB-L-00931")
    assert say("ok.bound", "zh", **says).startswith("LED 灯板 PCB-L-00931")


def test_every_answer_has_a_heading_and_every_heading_an_answer():
    answers = {
        key for key in ENGLISH if key.split(".")[0] not in {"next", "around", "step", "test"}
    }
    others = {"E-901", "E-902", "hub", "READY", "WAIT", "NG", "HOLD", "LOCK"}
    others |= {f"S-{number}" for number in range(121, 127)}
    assert set(TITLES) == answers | others


@pytest.mark.parametrize("words", [*TITLES.values(), *SCREEN.values()])
def test_what_the_screen_says_is_there_in_both_languages_and_without_blame(words):
    assert placeholders(words.en) == placeholders(words.zh)
    assert words.en
    assert words.zh
    assert not re.search(r"\b(invalid|failed|error)\b", words.en, re.IGNORECASE)


@pytest.mark.parametrize("key", TITLES)
def test_a_heading_fits_beside_its_code_and_names_nothing(key):
    words = TITLES[key]
    assert max(cell_len(words.en), cell_len(words.zh)) <= TITLE_CELLS_MAX
    assert not placeholders(words.en)


def test_every_fixed_word_of_the_screen_is_used():
    used = "".join(path.read_text() for path in AGENT.glob("ui/**/*.py"))
    made = {f"device_{state}" for state in ("ok", "starting", "degraded", "lost")}
    kinds = {"unit", "box", "serial_port", "camera", "printer"}
    named = set(re.findall(r"""["']([a-zA-Z0-9_-]+)["']""", used))
    assert set(SCREEN) - named <= made | kinds


def test_a_text_is_cut_into_its_sentences_and_nothing_is_lost():
    for lang, texts in (("en", ENGLISH), ("zh", CHINESE)):
        for key, text in texts.items():
            says = {name: f"<{name}>" for name in placeholders(text)} | {"faults": "caps gs"}
            joined = "".join("".join(say_sentences(key, lang, **says)).split())
            assert joined == "".join(say(key, lang, **says).split())


@pytest.mark.parametrize("words", [*TITLES.values(), *SCREEN.values()])
def test_the_fixed_words_hold_no_character_of_doubtful_width(words):
    assert clean(words.zh, ascii_only=True) == words.zh
    assert words.en.isascii()


@pytest.mark.parametrize("text", [*ENGLISH.values(), *CHINESE.values()])
def test_no_text_holds_a_character_of_doubtful_width(text):
    assert clean(text, ascii_only=True) == text
