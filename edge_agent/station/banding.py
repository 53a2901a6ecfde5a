"""From an output to what a screen shows of it: the band, and the line among the last scans.

Pure. A lock and a latched refusal stay in the band; what is answered meanwhile stands below them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from edge_agent.station.outputs import Output
from edge_agent.station.snapshot import NO_WORDS, Band, LastScan, News
from edge_agent.wording import say, say_sentences
from edge_agent.wording.showing import Language
from edge_agent.wording.titles import title_of
from edge_agent.workflow.types import Answer, Heard, Prompt, Says, StationState, Verdict
from tally.master import Words

_SUBJECTS: Final = (
    "child",
    "item",
    "text",
    "got",
    "lot",
    "badge",
    "order",
    "plan",
    "command",
    "name",
    "unit",
    "box",
    "subject",
    "case",
)
"""What an answer is about, the most exact placeholder first."""
_NOT_SAVED: Final = "E-901"
_LOCKED: Final = "E-603"
_NOT_LISTED: Final = frozenset(("ready.here", "ready.help", "ready.language", "wait.printing"))


def both(key: str, says: Says) -> Words:
    """A text of the tables in both languages."""
    return Words(say(key, "en", **says), say(key, "zh", **says))


def prompt_words(prompt: Prompt) -> Words:
    """A prompt in both languages."""
    return both(prompt.key, prompt.says)


def band_of(output: Output, state: StationState, number: int, at: datetime) -> Band:
    """What the band shows after this output, when nothing else stays in it."""
    answer = output.answer
    if answer is None:
        text = output.words or NO_WORDS
        by = "hub" if output.source == "hub" else output.verdict.value
        title = title_of(output.code, by)
        return Band(number, output.verdict, output.code, title, text, at)
    is_locked = output.verdict is Verdict.LOCK
    title = title_of("lock" if is_locked else answer.key)
    band = Band(number, output.verdict, output.code, title, _text(answer), at)
    if is_locked:
        return replace(band, do_now=(prompt_words(answer.next),), latched=True)
    if state.latch and (state.latch.key, state.latch.says) == (answer.key, answer.says):
        return latched_band(band, answer.key, answer.says, answer.next)
    return band


def latched_band(band: Band, key: str, says: Says, then: Prompt) -> Band:
    """The refusal of a thing: what and why in the band, what to do beside it."""
    said = [_sentences(key, says, lang) for lang in _LANGUAGES]
    text = Words(*("\n".join(one[:-1] or one) for one in said))
    action = Words(*(one[-1] for one in said))
    return replace(band, text=text, do_now=(action, prompt_words(then)), latched=True)


def staying(band: Band | None, new: Band, state: StationState, then: Prompt) -> Band:
    """The band after `new` was said: a lock or a latched refusal stays, and `new` stands below it.

    That nothing can be saved goes before every refusal: who only read "scan another" would.
    """
    if new.latched or new.code == _NOT_SAVED or new.verdict is Verdict.LOCK:
        return new
    band = _kept(band, state, then, new.since)
    if band is None:
        return new
    # What only repeats that it is blocked needs no second heading.
    head = NO_WORDS if new.code == band.code else new.title
    text = Words(new.text.en.replace("\n", " "), new.text.zh.replace("\n", ""))
    note = Words(*(" ".join(f"{new.code} {t} {x}".split()) for t, x in _pairs(head, text)))
    do_now = (*band.do_now[:-1], prompt_words(then))
    return replace(band, number=new.number, note=note, do_now=do_now)


def _kept(band: Band | None, state: StationState, then: Prompt, at: datetime) -> Band | None:
    """The band that stays: as it is, or made again where something went before it."""
    latch = state.latch
    if state.locked:
        if band and band.latched and band.verdict is Verdict.LOCK:
            return band
        text, do_now = both("lock", {"reason": state.locked}), (prompt_words(then),)
        lock, title = Verdict.LOCK, title_of("lock")
        return Band(0, lock, _LOCKED, title, text, at, do_now=do_now, latched=True)
    if latch is None or state.ask:
        return None
    if band and band.latched and band.verdict is not Verdict.LOCK:
        return band
    blank = Band(0, Verdict.NG, latch.code, title_of(latch.key), NO_WORDS, at)
    return latched_band(blank, latch.key, latch.says, then)


def _pairs(first: Words, second: Words) -> Sequence[tuple[str, str]]:
    return ((first.en, second.en), (first.zh, second.zh))


def news_of(band: Band) -> News:
    """What was said by itself, each language in one line."""
    text = Words(band.text.en.replace("\n", " "), band.text.zh.replace("\n", ""))
    return News(band.since, band.title, text)


def heard_again(heard: Heard) -> News:
    """News as it was said before a restart; shown like any other answer."""
    text = Words(*(joint.join(one) for joint, one in zip((" ", ""), _said(heard), strict=True)))
    return News(datetime.fromisoformat(heard.at), title_of(heard.key), text)


def line_of(news: News) -> Words:
    """Time, heading and text."""
    at = news.at.strftime("%H:%M")
    return Words(*(f"{at} {title}: {text}" for title, text in _pairs(news.title, news.text)))


def in_lines(texts: Sequence[Words]) -> Words:
    """Several texts below each other."""
    return Words("\n".join(one.en for one in texts), "\n".join(one.zh for one in texts))


def last_scan_of(output: Output, at: datetime) -> LastScan | None:
    """The line among the last scans; None for what is no news tomorrow."""
    answer = output.answer
    if answer is None:
        if output.verdict in {Verdict.READY, Verdict.WAIT} or output.source == "hub":
            return None
        title, subject = title_of(output.code, output.verdict.value), NO_WORDS
    elif answer.key in _NOT_LISTED:
        return None
    else:
        title, subject = title_of(answer.key), subject_of(answer.says)
    text = Words(*(f"{t}  {s}".strip() for t, s in _pairs(title, subject)))
    return LastScan(at, output.verdict, output.code, text, output.source or "")


def subject_of(says: Says) -> Words:
    """What an answer is about, quoted short."""
    if "value" in says and "unit" in says:
        return Words(*(_plain(says["value"], lang, says["unit"]) for lang in _LANGUAGES))
    named = (says[name] for name in _SUBJECTS if says.get(name, "-") != "-")
    said = next(named, "")
    return Words(*(_plain(said, lang) for lang in _LANGUAGES))


def _plain(said: str | Words, lang: Language, after: str | Words = "") -> str:
    text = say("step.code", lang, code=said)
    quoted = text if len(text) <= _QUOTE_MAX else f"{text[:_QUOTE_MAX]}..."
    return f"{quoted} {say('step.code', lang, code=after)}".strip()


def _text(answer: Answer) -> Words:
    said = _said(answer)
    if answer.last:
        for lang, parts in zip(_LANGUAGES, said, strict=True):
            last = say(answer.last.key, lang, **answer.last.says)
            parts.append(say("around.last", lang, said="", last=last))
    return Words(*("\n".join(parts) for parts in said))


def _said(told: Answer | Heard) -> list[list[str]]:
    """The sentences of a text in each language, but for one that the heading says already."""
    said = []
    for lang, title in zip(_LANGUAGES, _titles(told.key), strict=True):
        parts = list(_sentences(told.key, told.says, lang))
        if parts[0].rstrip(".\u3002").casefold() == title.casefold():
            del parts[0]
        said.append(parts)
    return said


def _titles(key: str) -> tuple[str, str]:
    title = title_of(key)
    return title.en, title.zh


def _sentences(key: str, says: Says, lang: Language) -> tuple[str, ...]:
    return say_sentences(key, lang, **says) or ("",)


_LANGUAGES: Final[tuple[Language, Language]] = ("en", "zh")
_QUOTE_MAX: Final = 24
