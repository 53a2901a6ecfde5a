"""Where feeds of the hub ended when its keys were changed: nothing may stand behind that.

Whoever has an old key could sign more; the plant root key says which event was the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from tally.events.decoding import EventLine, read_line
from tally.events.types import KeyRetired
from tally.proof.placing import FiledJournal, Problem
from tally.records.export import RowError, unb64
from tally.records.ids import (
    JournalId,
    MalformedIdError,
    Ref,
    parse_journal,
    parse_ref,
    show_journal,
)
from tally.records.signing import RETIRED, PublicKey, retired_message

_MARKER = b'{"t":"key.retired"'


def end_problems(
    journals: Mapping[JournalId, FiledJournal], root: PublicKey | None
) -> Iterator[Problem]:
    """Events that stand where the plant root key says that their journal had ended."""
    for end in sorted(set(_ends(journals, root)), key=str) if root else ():
        found = journals.get(end.journal)
        for seq in sorted(found.events) if found else ():
            wrong = [one for one in found.events[seq] if not end.names(one.stated)] if found else []
            if seq > end.seq or (seq == end.seq and wrong):
                name = f"{show_journal(end.journal)}:{seq}"
                words = (
                    f"Event {name} is not of this feed: it ended with event {end.seq}, when the "
                    f"hub's key was changed. Somebody has a key of its past."
                )
                yield Problem(words, name)


def _ends(journals: Mapping[JournalId, FiledJournal], root: PublicKey | None) -> Iterator[Ref]:
    for found in journals.values():
        for placed in found.events.values():
            for one in placed:
                event = read_line(one.line) if one.line.startswith(_MARKER) else None
                body = event.b if isinstance(event, EventLine) else None
                if isinstance(body, KeyRetired) and body.last and root and _is_rooted(body, root):
                    with suppress(MalformedIdError):
                        yield parse_ref(body.last)


def _is_rooted(body: KeyRetired, root: PublicKey) -> bool:
    try:
        journal, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
        message = retired_message(
            journal, key, purpose=body.purpose, name=body.name, last=body.last
        )
        return root.verifies(RETIRED, message, unb64(body.sig, 64))
    except (MalformedIdError, RowError):
        return False
