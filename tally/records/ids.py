"""Names of journals and events, and how people see them.

A journal id is 16 random bytes, shown as 26 base32 letters; an event id is a SHA-256, shown as hex.
A reference (`Ref`) names one event from inside another (`decided.md` 7): own events by seq alone,
others' as `<journal>:<seq>:<first 8 bytes of the id, hex>`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NewType

JournalId = NewType("JournalId", bytes)
EventId = NewType("EventId", bytes)

JOURNAL_ID_SIZE: Final = 16
EVENT_ID_SIZE: Final = 32
REF_PREFIX_SIZE: Final = 8
GENESIS: Final = EventId(bytes(EVENT_ID_SIZE))
"""Stands before event 1 of every journal."""

SEQ_MAX: Final = 2**40 - 1
"""More events than one station writes in 10,000 years; keeps a position inside 64 bits beside
its journal.
"""

_JOURNAL_TEXT = re.compile(r"[A-Z2-7]{26}\Z")
_REF_TEXT = re.compile(r"([A-Z2-7]{26}):([1-9][0-9]{0,12}):([0-9a-f]{16})\Z")


class MalformedIdError(ValueError):
    """Text that should name a journal, an event or a reference does not have its shape."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One event named from elsewhere: journal, seq and the first 8 bytes of its id."""

    journal: JournalId
    seq: int
    prefix: bytes

    def __str__(self) -> str:
        """The form carried in `seen`: `<journal>:<seq>:<prefix hex>`."""
        return f"{show_journal(self.journal)}:{self.seq}:{self.prefix.hex()}"

    def names(self, event_id: EventId) -> bool:
        """Whether the id begins as this reference says."""
        return event_id.startswith(self.prefix)


@lru_cache(maxsize=4096)
def show_journal(journal: JournalId) -> str:
    """The journal id as 26 base32 letters without padding."""
    return base64.b32encode(journal).decode("ascii").rstrip("=")


def parse_journal(text: str) -> JournalId:
    """The inverse of `show_journal`.

    Raises:
        MalformedIdError: not exactly 26 letters A-Z, 2-7, or bits beyond the 128th are set.
    """
    if not _JOURNAL_TEXT.match(text):
        raise MalformedIdError(
            f"Expected a journal id of 26 letters A-Z and 2-7, got {text[:40]!r}."
        )
    raw = JournalId(base64.b32decode(text + "======"))
    if show_journal(raw) != text:  # the last letter carries two unused bits: one spelling only
        raise MalformedIdError(f"Journal id {text!r} has stray bits in its last letter.")
    return raw


def parse_event_id(text: str) -> EventId:
    """An event id from 64 lower-case hex digits.

    Raises:
        MalformedIdError: another length or another alphabet.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise MalformedIdError(f"Expected an event id of 64 hex digits, got {text[:80]!r}.")
    return EventId(bytes.fromhex(text))


def ref_to(journal: JournalId, seq: int, event_id: EventId) -> Ref:
    """The reference that other journals use for this event."""
    return Ref(journal, seq, event_id[:REF_PREFIX_SIZE])


def parse_ref(text: str) -> Ref:
    """The inverse of `str(Ref)`.

    Raises:
        MalformedIdError: not `<26 letters>:<seq>:<16 hex digits>`, or a seq beyond the limit.
    """
    found = _REF_TEXT.match(text)
    if not found or int(found[2]) > SEQ_MAX:
        raise MalformedIdError(
            f"Expected a reference <journal>:<seq>:<16 hex digits>, got {text[:80]!r}."
        )
    return Ref(parse_journal(found[1]), int(found[2]), bytes.fromhex(found[3]))
