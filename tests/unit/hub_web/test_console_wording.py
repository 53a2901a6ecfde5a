"""The console's texts: complete in both languages, nothing unused, nothing missing."""

import re
import string
from pathlib import Path

import pytest

from hub import web
from hub.web.wording import (
    TEXTS,
    chinese,
    codes,
    conflicts,
    english,
    say,
    tracing,
    unread,
    verifying,
)

WEB = Path(web.__file__).parent
TABLES = {
    "frame": (english.TEXTS, chinese.TEXTS),
    "conflicts": (conflicts.ENGLISH, conflicts.CHINESE),
    "tracing": (tracing.ENGLISH, tracing.CHINESE),
    "codes": (codes.ENGLISH, codes.CHINESE),
    "verifying": (verifying.ENGLISH, verifying.CHINESE),
    "unread": (unread.ENGLISH, unread.CHINESE),
}
SOURCES = [
    path.read_text("utf-8")
    for path in (*WEB.rglob("*.html"), *WEB.glob("*.py"), *(WEB / "pages").glob("*.py"))
]


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def quoted():
    """Everything in quotes that could be a key or the beginning of one."""
    return {found for text in SOURCES for found in re.findall(r"""["']([a-z_]+\.[a-z_.]*)""", text)}


@pytest.mark.parametrize("name", TABLES)
def test_both_languages_have_the_same_keys_in_the_same_order(name):
    english_table, chinese_table = TABLES[name]
    assert list(english_table) == list(chinese_table)


def test_no_key_stands_in_two_tables():
    assert len(TEXTS["en"]) == sum(len(table) for table, _ in TABLES.values())


def test_both_languages_fill_the_same_placeholders():
    filled = {
        language: {key: placeholders(text) for key, text in TEXTS[language].items()}
        for language in ("en", "zh")
    }
    assert filled["en"] == filled["zh"]


def test_every_text_that_a_template_names_exists():
    named = {
        key for text in SOURCES for key in re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", text)
    }
    assert len(named) > 50
    assert named <= set(TEXTS["en"])


def test_no_text_is_left_over():
    begun = quoted()
    left = [key for key in TEXTS["en"] if not any(key.startswith(part) for part in begun)]
    unnamed = [key for key in left if not any(f'"{key}"' in text for text in SOURCES)]
    assert unnamed == []


def test_no_text_says_invalid_or_failed_or_error():
    said = [*TEXTS["en"].values(), *TEXTS["zh"].values()]
    assert [t for t in said if re.search(r"\b(invalid|failed|error)\b", t, re.IGNORECASE)] == []


def test_what_is_filled_in_is_not_read_as_a_placeholder():
    assert "{key}" in say("en", "complete.line", parts="{key}")
