"""A hub after its restore from a backup: what it does because it cannot know what it has forgotten.

1. It writes into new feeds, which name the old heads that it knows; into the old ones never again.
2. It grants no code until every station that it knows of has shown that it holds nothing of the
   old feeds that is not here, or a person says to go on without it.
3. Then each scheme begins well behind every grant that is known: a station that was enrolled after
   the backup, or is gone, may hold codes of which nobody else has heard.
4. Tokens that were not used before the backup do not work any more.

What stations bring back is taken in by `returning`; the steps are told in
`docs/operating/backup.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from hub.services import feeds, journals, rotating
from hub.services.answers import Refused
from hub.services.office import COPIED, Office
from hub.store.port import Journal
from tally.codes import Scheme
from tally.records.ids import EventId, JournalId, parse_journal, show_journal

JUMP: Final = 1000
"""How many codes are left out behind the last known grant; at most a tenth of a scheme's."""
_AWAITED: Final = "awaited"
_FORGOTTEN: Final = "forgotten"


def begin_anew(office: Office) -> None:
    """The first thing that a restored hub does, inside the caller's transaction, once.

    The keys of `office` are those of the new epoch.
    """
    office.store.forget_unused_tokens()
    office.store.put(_FORGOTTEN, "")
    office.store.put(COPIED, "")
    newest = {j.name: j.id for j in office.store.journals() if j.role == "station"}
    feeds.open_feeds(office)
    _put(office, list(newest.values()))


def awaited(office: Office) -> list[Journal]:
    """Stations that have not reported since the restore, each by its newest journal."""
    found = (office.store.find_journal(journal) for journal in _get(office))
    return [journal for journal in found if journal is not None]


def note_cursors(
    office: Office, journal: JournalId, cursors: Mapping[JournalId, tuple[int, EventId]]
) -> None:
    """See `hub.services.hub.Hub.note_cursors`."""
    with office.store.reading():
        if journal not in _get(office):
            return
    with office.store.transaction():
        if all(_is_held(office, other, *at) for other, at in cursors.items()):
            _put(office, [other for other in _get(office) if other != journal])


def note_enrolled(office: Office, station: Journal) -> None:
    """A station that was enrolled after the backup is known again: it is awaited as well.

    It has the place of whoever had its name before.
    """
    waiting = [journal for journal in awaited(office) if journal.name != station.name]
    _put(office, [*(journal.id for journal in waiting), station.id])


def go_on_without(office: Office, stations: Sequence[str]) -> list[str]:
    """See `hub.services.hub.Hub.go_on_without`."""
    with office.store.transaction():
        waiting = awaited(office)
        names = {journal.name for journal in waiting}
        unknown = sorted(set(stations) - names)
        if unknown:
            expected = ", ".join(sorted(names)) or "none"
            raise Refused(
                "unknown_station",
                f"Nobody waits for {', '.join(unknown)[:200]}; awaited since the restore: "
                f"{expected}.",
            )
        left = [journal for journal in waiting if journal.name not in stations]
        _put(office, [journal.id for journal in left])
        return sorted(journal.name for journal in left)


def note_forgotten(office: Office, feed: Journal, seq: int) -> None:
    """The hub was shown an event of a feed of this epoch that it signed and does not have."""
    office.store.put(_FORGOTTEN, f"event {seq} of feed {feed.name}")


def note_changed_since(office: Office) -> None:
    """The hub was shown that its signing keys are others by now, which it does not have."""
    office.store.put(_FORGOTTEN, "the change of its signing keys")


def check_awaited(office: Office) -> None:
    """Before codes are granted.

    Raises:
        Refused: `restoring`, naming the stations that have not reported; `old_copy` when the hub
            stands on an old copy of its own files that nobody restored.
    """
    forgotten = office.store.get(_FORGOTTEN)
    if forgotten:
        raise Refused(
            "old_copy",
            f"This hub does not have {forgotten}, which it signed and a station holds: its files "
            f"are an old copy. It grants no codes, or they might be granted a second time. Stop "
            f"it, then: tally hub backup DIR FILE, and tally hub restore FILE into a new folder.",
        )
    missing = sorted(journal.name for journal in awaited(office))
    if missing:
        raise Refused(
            "restoring",
            f"This hub was restored from a backup. Before it grants codes again, every station has "
            f"to connect once and give back what the backup lacks, or a code might be granted a "
            f"second time. Not yet heard: {', '.join(missing)}. For a station that will not come "
            f"back: tally hub returns DIR --without STATION.",
        )


def first_free(office: Office, scheme: Scheme, period: str) -> tuple[int, int]:
    """Where the allocator goes on, and below which counter nothing may be granted by choice."""
    position = office.store.position(scheme.scheme_id, period)
    if office.secrets.epoch == 1:
        return position, 0
    own = rotating.written_since_the_start(office, office.secrets.feeds["leases"].journal)
    known = [b for b in office.store.blocks() if (b.scheme, b.period) == (scheme.scheme_id, period)]
    since = [block.range.start for block in known if block.feed in own]
    if since:
        return position, min(since)
    end = max([position, *(block.range.end for block in known)])
    begin = end + min(JUMP, scheme.capacity // 10)
    return begin, begin


def _is_held(office: Office, journal: JournalId, seq: int, event_id: EventId) -> bool:
    """Whether a station's position in an old feed is here; those of stations do not matter."""
    row = office.store.find_journal(journal)
    if row is None:
        return False  # an old feed, or a station enrolled in one, of which nothing came back yet
    if row.role != "feed" or seq == 0:
        return True
    branches = office.store.branches(row.no)
    return any(journals.holds(office.store, row, branch, seq, event_id) for branch in branches)


def _get(office: Office) -> list[JournalId]:
    return [parse_journal(name) for name in json.loads(office.store.get(_AWAITED) or "[]")]


def _put(office: Office, waiting: Sequence[JournalId]) -> None:
    office.store.put(_AWAITED, json.dumps([show_journal(journal) for journal in waiting]))
