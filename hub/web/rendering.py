"""From values to a page: language, wording, times, and what the frame shows on every page.

Templates get `page` (below), `t` (a text of the wording by its key) and the values of their own
page. Everything is escaped; nothing that came from outside is ever marked as safe.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hub.web.desk import Desk
from hub.web.sessions import Person, SignedIn
from hub.web.standing import Standing
from hub.web.times import Shown, ago, shown
from hub.web.wording import Language, language_of, say
from tally.master import Words
from tally.master.reasons import reason_words

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "tally-language"
_SAYS_OF_GAPS: Final[Mapping[str, str]] = {
    "live": "complete.live",
    "silent": "complete.silent",
    "unheard": "complete.unheard",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation; `letter` opens it after `g`."""

    path: str
    key: str
    letter: str
    counter: str = ""


NAVIGATION: Final[Sequence[Entry]] = (
    Entry("/", "nav.overview", "o"),
    Entry("/conflicts", "nav.conflicts", "c", "conflicts"),
    Entry("/trace", "nav.trace", "t"),
    Entry("/codes", "nav.codes", "d"),
    Entry("/stations", "nav.stations", "s", "stations"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a template knows of the request. Times are shown in the plant's zone."""

    request: Request
    desk: Desk
    language: Language
    signed_in: SignedIn | None
    now: dt.datetime

    @property
    def path(self) -> str:
        """Path and query of this page, for links that lead back."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def is_answer(self) -> bool:
        """Whether this page answers a post: asking for it again would lose what was posted."""
        return self.request.method == "POST"

    @property
    def person(self) -> Person | None:
        """Who signed in."""
        return self.signed_in.person if self.signed_in else None

    @property
    def csrf(self) -> str:
        """The token for forms of this page; empty on public pages."""
        return self.signed_in.csrf if self.signed_in else ""

    @property
    def standing(self) -> Standing:
        """Where things stand."""
        return self.desk.standing()

    @property
    def navigation(self) -> Sequence[Entry]:
        """The frame's entries."""
        return NAVIGATION

    @property
    def plant(self) -> str:
        """Name of the plant."""
        return self.desk.hub.plant

    def is_at(self, entry: Entry) -> bool:
        """Whether this page lies under an entry of the navigation."""
        here = self.request.url.path
        return here == entry.path if entry.path == "/" else here.startswith(entry.path)

    def word(self, words: Words | Mapping[str, str] | str) -> str:
        """A name that is there in both languages."""
        match words:
            case str():
                return words
            case Words():
                return words.zh if self.language == "zh" else words.en
            case _:
                return words.get(self.language) or words.get("en", "")

    def time(self, value: dt.datetime | str) -> Shown:
        """A time for people; RFC 3339 or datetime."""
        return shown(value, self.now)

    def ago(self, value: dt.datetime | str) -> str:
        """How long ago, in the words of the language."""
        key, count = ago(value, self.now)
        return self.say(key, count=count)

    @property
    def completeness(self) -> str:
        """Up to when the events of which stations are here, in one line."""
        stations = sorted(self.standing.stations, key=lambda one: one.station)
        if not any(one.heard for one in stations):
            return self.say("complete.none")
        whole = [one.station for one in stations if one.state == "live" and not one.unsent]
        parts = []
        if whole:
            parts = [self.say("complete.now", stations=self.say("list.comma").join(whole))]
        for one in stations:
            if one.state in _SAYS_OF_GAPS and one.station not in whole:
                key = _SAYS_OF_GAPS[one.state] + ("_unsent" if one.unsent else "")
                time = self.time(one.heard or self.now).text
                parts.append(self.say(key, station=one.station, time=time, count=one.unsent))
        return self.say("complete.line", parts=self.say("list.semicolon").join(parts))

    def say(self, key: str, **filled: object) -> str:
        """A text of the wording; `t` in templates."""
        return say(self.language, key, **filled)

    def told(self, key: str, values: Mapping[str, object]) -> str:
        """A text filled with values of which some are there in both languages."""
        filled = {k: self.word(v) if isinstance(v, Words) else v for k, v in values.items()}
        return self.say(key, **filled)

    def reason(self, recorded: str) -> str:
        """A recorded reason in the language of the page."""
        return self.word(reason_words(recorded))

    def trace(self, code: str) -> str:
        """Address of the trace of a code."""
        return f"/trace?code={quote(code, safe='')}"


def page_of(request: Request) -> Page:
    """What templates get as `page`."""
    desk: Desk = request.app.state.desk
    language = language_of(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language")
    )
    return Page(request, desk, language, request.state.signed_in, desk.now())


def render(request: Request, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page from a template.

    Args:
        request: as the route got it.
        name: a file of `templates/`; it begins with `{% extends "frame.html" %}`.
        status: HTTP status.
        values: what the template names.
    """
    page = page_of(request)
    content = _environment().get_template(name).render(page=page, t=page.say, **values)
    headers = {"Content-Language": page.language, "Vary": "Cookie, Accept-Language"}
    return HTMLResponse(content, status, headers)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["code"] = visible
    return made


def visible(code: Any) -> str:
    """A code as people read it: control characters by name, as scanners' manuals write them."""
    text = str(code)
    return "".join(
        _NAMES.get(sign, sign) if sign.isprintable() or sign in _NAMES else f"<{ord(sign):02X}>"
        for sign in text
    )


_NAMES: Final = {"\x1d": "<GS>", "\x1e": "<RS>", "\x04": "<EOT>", "\x1c": "<FS>"}
