"""Which certificates of the hub end soon, so that somebody at the desk knows before.

Pure. No end stops a station (`sync.md` 3.16): these are words beside a page and refuse nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from hub.certificates import AUTHORITY_WARNS

Kind: TypeAlias = Literal["certificate", "authority"]
CERTIFICATE_WARNS: Final = dt.timedelta(days=150)
"""A serving hub renews its certificate 180 days before: a month later, something hinders it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends soon or has ended: the one that stations see, or the hub's CA."""

    kind: Kind
    at: dt.datetime
    has_ended: bool


def endings(
    certificate: dt.datetime | None, authority: dt.datetime, now: dt.datetime
) -> tuple[Ending, ...]:
    """What ends soon, of these ends; None: not known."""
    found: list[Ending] = []
    if certificate is not None and certificate - now < CERTIFICATE_WARNS:
        found.append(Ending("certificate", certificate, certificate <= now))
    if authority - now < AUTHORITY_WARNS:
        found.append(Ending("authority", authority, authority <= now))
    return tuple(found)
