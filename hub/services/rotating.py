"""Other signing keys for the hub's feeds and receipts, while everything goes on (decision 0176).

A feed's key writes one journal, so other keys open other feeds; each names the one before it. The
plant root key vouches for them in the new feed `keys`, and says there with which event each old
feed ended: whoever else may have an old key adds nothing to it.

1. The keys to come are saved beside those in use.
2. One transaction opens the new feeds and ends the old ones.
3. The keys are saved as those in use.
A hub that starts between two of these steps ends what was begun: nothing is ever signed by a key
that only a lost file had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.services import feeds, journals
from hub.services.answers import Refused
from hub.services.office import Office
from hub.store.port import Journal
from hub.trust import Secrets, with_keys_that_came, with_keys_to_come
from tally.events.types import KeyRetired
from tally.records.export import RowError, b64, unb64
from tally.records.ids import (
    EventId,
    JournalId,
    MalformedIdError,
    Ref,
    parse_journal,
    parse_ref,
    ref_to,
    show_journal,
)
from tally.records.segment import Segment
from tally.records.signing import RECEIPTS, RETIRED, PublicKey, retired_message

Save = Callable[[Secrets], None]
"""Puts keys in the place of those that were saved, durably."""
_REASON: Final = "other signing keys"
_END: Final = "feed_end:"
_BEFORE: Final = "feed_before:"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The feed `keys` that says so, the receipt key, and whether the one before was taken away."""

    keys_feed: JournalId
    receipt: PublicKey
    is_lost: bool


def rotate(office: Office, save: Save, *, is_lost: bool) -> Rotated:
    """Give the hub other keys for its feeds and receipts.

    Args:
        office: the hub's; it has the new keys afterwards.
        save: see `Save`.
        is_lost: somebody else may have the old keys: stations take no receipt under the old one
            any more, once they hear of it.

    Raises:
        OSError: they cannot be saved. StoreFault: the events cannot be written; both are made good
            at the hub's next start.
    """
    coming = with_keys_to_come(office.secrets, office.entropy, is_lost=is_lost)
    save(coming)
    office.secrets = coming
    done = finish(office, save)
    assert done is not None, "the keys to come have just been made"
    return done


def finish(office: Office, save: Save) -> Rotated | None:
    """Take the keys into use that were made before; None if there are none."""
    before = office.secrets
    if before.coming is None:
        return None
    fresh = with_keys_that_came(before)
    try:
        with office.store.transaction():
            if office.store.find_journal(fresh.feeds["keys"].journal) is None:
                _change_over(replace(office, secrets=fresh), before)
            # Before anybody else writes: nothing may stand behind the end of an old feed.
            office.secrets = fresh
    except BaseException:
        office.secrets = before
        raise
    save(fresh)
    return Rotated(fresh.feeds["keys"].journal, fresh.receipt.public, before.coming.is_lost)


def _change_over(fresh: Office, before: Secrets) -> None:
    retired = _retired(fresh, before)
    feeds.open_feeds(fresh, reason=_REASON, retired=retired)
    for body in retired:
        learn(fresh, body)
    for name, feed in fresh.secrets.feeds.items():
        old = before.feeds[name].journal
        fresh.store.put(_BEFORE + show_journal(feed.journal), show_journal(old))


def _retired(fresh: Office, before: Secrets) -> list[KeyRetired]:
    found = []
    for name, feed in before.feeds.items():
        row = fresh.registered(feed.journal)
        tip = journals.longest(fresh.store.branches(row.no))
        assert tip is not None, f"feed {name} has no event"
        last = str(ref_to(row.id, tip.tip_seq, tip.tip_id))
        found.append(_word(fresh, row.id, row.key, "feed", name, last))
    if before.coming is not None and before.coming.is_lost:
        key = before.receipt.public
        found.append(_word(fresh, before.hub_id, key, RECEIPTS, RECEIPTS, ""))
    return found


def _word(
    office: Office, journal: JournalId, key: PublicKey, purpose: str, name: str, last: str
) -> KeyRetired:
    message = retired_message(journal, key, purpose=purpose, name=name, last=last)
    return KeyRetired(
        journal=show_journal(journal),
        key=b64(key.raw),
        purpose="feed" if purpose == "feed" else "receipt",
        name=name,
        last=last,
        sig=b64(office.secrets.root.sign(RETIRED, message)),
    )


def is_rooted(office: Office, body: KeyRetired) -> bool:
    """Whether the plant root key said this."""
    try:
        journal, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
        signature = unb64(body.sig, 64)
    except (MalformedIdError, RowError):
        return False
    message = retired_message(journal, key, purpose=body.purpose, name=body.name, last=body.last)
    return office.secrets.root.public.verifies(RETIRED, message, signature)


def learn(office: Office, body: KeyRetired) -> None:
    """Remember where a feed ended, also by an event that came back to a restored hub."""
    if body.purpose == "feed":
        office.store.put(_END + body.journal, body.last)


def end_of(office: Office, journal: JournalId) -> Ref | None:
    """The last event of a feed whose key is out of use; None for any other journal."""
    found = office.store.get(_END + show_journal(journal))
    try:
        return parse_ref(found) if found else None
    except MalformedIdError:
        return None


def check_end(office: Office, row: Journal, segment: Segment, ids: Sequence[EventId]) -> None:
    """Whether events of a feed belong to it: none behind its end, and its end is that one.

    Raises:
        Refused: `forged`.
    """
    end = end_of(office, row.id)
    if end is None or segment.last < end.seq:
        return
    at = end.seq - segment.first
    if segment.last > end.seq or not end.names(ids[at]):
        raise Refused(
            "forged",
            f"Feed {row.name} of this hub ended with event {end.seq}, when its key was changed; "
            f"events to {segment.last} are not of this hub. Somebody has a key of its past: look "
            f"where this came from.",
        )


def written_since_the_start(office: Office, feed: JournalId) -> frozenset[JournalId]:
    """A feed and those before it in the same epoch of the hub, whose keys were changed."""
    found = [feed]
    while (before := office.store.get(_BEFORE + show_journal(found[-1]))) is not None:
        found.append(parse_journal(before))
    return frozenset(found)
