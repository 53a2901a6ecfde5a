"""The console's texts in English and Chinese, and the way from a key to a text.

`english` and `chinese` hold the frame and the plain pages; every larger page has a module of its
own beside them with both tables (`ENGLISH`, `CHINESE`). The same keys and placeholders stand in
both languages; a test holds them against each other and against the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from hub.web.wording import chinese, codes, conflicts, english, tracing, unread, verifying

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_PAGES: Final = (conflicts, tracing, codes, verifying, unread)

TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": english.TEXTS | {key: text for page in _PAGES for key, text in page.ENGLISH.items()},
    "zh": chinese.TEXTS | {key: text for page in _PAGES for key, text in page.CHINESE.items()},
}


def say(language: Language, key: str, **filled: object) -> str:
    """A text with its placeholders filled; the result is plain text, not HTML.

    Raises:
        KeyError: a key or placeholder that does not exist: a bug of ours, found by the tests.
    """
    return TEXTS[language][key].format(**filled)


def language_of(cookie: str | None, accepted: str | None) -> Language:
    """What to show: what the person chose before, else what the browser asks for, else English.

    >>> language_of(None, "fr;q=0.9, zh-CN;q=0.8, en;q=0.7"), language_of("en", "zh")
    ('zh', 'en')
    """
    if cookie in LANGUAGES:
        return "zh" if cookie == "zh" else "en"
    wanted = sorted(
        (_wish(part) for part in (accepted or "")[:1000].split(",")), key=lambda wish: -wish[1]
    )
    for language, _ in wanted:
        if language in LANGUAGES:
            return "zh" if language == "zh" else "en"
    return "en"


def _wish(part: str) -> tuple[str, float]:
    """Primary language and weight of one part of Accept-Language (RFC 9110, 12.5.4)."""
    name, _, rest = part.strip().partition(";")
    weight = rest.strip().removeprefix("q=")
    try:
        return name.strip().lower().partition("-")[0], float(weight or 1)
    except ValueError:
        return "", 0.0
