"""From keys to sentences: placeholders filled, scanned text shown safely and short."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from edge_agent.wording import chinese, english
from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.types import Answer, StationState
from tally.master.reading import Words

Language: TypeAlias = Literal["en", "zh"]
_TEXTS: Final[dict[Language, dict[str, str]]] = {"en": english.TEXTS, "zh": chinese.TEXTS}
_SENTENCE_ENDS: Final = re.compile("(?<=[.?]) (?=[A-Z{])|(?<=[\u3002\uff1f])")
_BETWEEN: Final[dict[Language, str]] = {"en": " ", "zh": ""}
_CONTROLS: Final = {0x1D: "<GS>", 0x1E: "<RS>", 0x04: "<EOT>", 0x00: "<NUL>"}

QUOTE_CHARACTERS_MAX: Final = 24
"""Longest quote of scanned text on a screen (`screens` 2.7)."""


def say(key: str, lang: Language, **says: str | Words) -> str:
    """Fill a text.

    Raises:
        KeyError: no such key or a placeholder without a value (our own bug; a test finds it).
    """
    shown = {name: _show(name, said, lang) for name, said in says.items()}
    return _TEXTS[lang][key].format(**shown).strip()


def say_sentences(key: str, lang: Language, **says: str | Words) -> tuple[str, ...]:
    """Fill a text sentence by sentence; in a refusal of a thing the last one is what to do now."""
    shown = {name: _show(name, said, lang) for name, said in says.items()}
    parts = (part.format(**shown).strip() for part in _SENTENCE_ENDS.split(_TEXTS[lang][key]))
    return tuple(part for part in parts if part)


def show(answer: Answer, lang: Language) -> str:
    """Say what happened, what was saved last if that is asked, and what to do next."""
    text = say(answer.key, lang, **answer.says)
    if answer.last:
        last = say(answer.last.key, lang, **answer.last.says)
        text = say("around.last", lang, said=text, last=last)
    following = show_next(answer, lang)
    return say("around.next", lang, said=text, next=following)


def show_next(answer: Answer, lang: Language) -> str:
    """Say only what to scan or do now."""
    return say(answer.next.key, lang, **answer.next.says)


def language_of(state: StationState, knowledge: Knowledge) -> Language:
    """The language of whoever is signed in, else the one chosen since, else the station's."""
    if state.operator:
        return state.operator.language
    return state.language or knowledge.language


def _show(name: str, said: str | Words, lang: Language) -> str:
    if isinstance(said, Words):
        return said.zh if lang == "zh" else said.en
    if name == "faults":  # of a scanner, by name; each has a text of its own
        return _BETWEEN[lang].join(_TEXTS[lang][f"test.{one}"] for one in said.split())
    shown = "".join(one if one.isprintable() else _control(one) for one in said)
    if name == "text" and len(shown) > QUOTE_CHARACTERS_MAX:
        return f"{shown[:QUOTE_CHARACTERS_MAX]}..."
    return shown


def _control(one: str) -> str:
    return _CONTROLS.get(ord(one), f"<{ord(one):02X}>")
