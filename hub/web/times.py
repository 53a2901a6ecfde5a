"""Times as people read them: the plant's zone on the page, UTC for whoever hovers.

Pure: `now` is given, and its zone is the plant's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` for the eye, `utc` for hovering, `iso` for programs."""

    text: str
    utc: str
    iso: str


def moment(value: dt.datetime | str) -> dt.datetime:
    """A time with its zone.

    Raises:
        ValueError: no RFC 3339 time.
    """
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


def shown(value: dt.datetime | str, now: dt.datetime) -> Shown:
    """A time for a page: the clock alone today, with its date otherwise; unreadable text as it is.

    >>> now = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    >>> shown("2026-11-20T00:30:05Z", now).text
    '08:30:05'
    >>> shown("2026-11-19T00:30:05Z", now)
    Shown(text='2026-11-19 08:30', utc='2026-11-19 00:30:05 UTC', iso='2026-11-19T00:30:05+00:00')
    """
    try:
        at = moment(value)
        local, utc = at.astimezone(now.tzinfo), at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return Shown(str(value), "", "")
    text = f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"
    return Shown(text, f"{utc:%Y-%m-%d %H:%M:%S} UTC", utc.isoformat(timespec="seconds"))


def ago(value: dt.datetime | str, now: dt.datetime) -> tuple[str, int]:
    """How long ago, as a key of the wording and its count.

    >>> now = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    >>> ago("2026-11-20T08:14:59Z", now), ago("2026-11-20T09:00:03Z", now)
    (('ago.minutes', 45), ('ago.now', 0))
    """
    try:
        seconds = int((now - moment(value)).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return "ago.unknown", 0
    for key, size in (("ago.days", _DAY), ("ago.hours", _HOUR), ("ago.minutes", _MINUTE)):
        if seconds >= size * (2 if size > _MINUTE else 1):
            return key, seconds // size
    return ("ago.seconds", seconds) if seconds > 1 else ("ago.now", 0)
