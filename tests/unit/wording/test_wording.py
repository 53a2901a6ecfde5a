"""The texts: complete in both languages, nothing unused, nothing missing."""

import re
import string
from pathlib import Path

import pytest

from edge_agent.scan.selftest import FAULTS
from edge_agent.wording import say
from edge_agent.wording.chinese import TEXTS as CHINESE
from edge_agent.wording.english import TEXTS as ENGLISH
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
