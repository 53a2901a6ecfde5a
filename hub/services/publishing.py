"""Master data: one event per immutable version in feed `master`, orders in feed `orders`.

Rules:
1. All problems of all files at once; with any of them nothing is written.
2. What is unchanged is not written again. Other content under a published version is refused with
   both hashes: stations cite version and hash, so a version never changes.
3. A lot is not a version but a history: its state becomes `lot.received`, `lot.released`,
   `hold.placed`, `hold.released`, by the badge and at the time that the file names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.services import feeds
from hub.services.answers import Change, Position, Published, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.store.port import StoredVersion
from tally.events.types import (
    HoldPlaced,
    HoldReleased,
    LotReceived,
    LotReleased,
    MasterPublished,
    OrderReleased,
)
from tally.master import (
    Entity,
    Lot,
    Order,
    content_sha256,
    from_content,
    id_of,
    kind_of,
    load_documents,
    to_content,
    version_of,
)

KINDS: Final = (
    "site",
    "line",
    "station",
    "product",
    "scheme",
    "template",
    "bom",
    "plan",
    "routing",
    "lot",
    "person",
    "order",
)
FILES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class _New:
    """A version to publish: its row without position, the feed and the events that say it."""

    entity: Entity
    sha256: str
    content: dict[str, Any]
    feed: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Before:
    """What was published before: newest lots by part and number, orders that are released."""

    lots: dict[tuple[str, str], Lot]
    released: frozenset[str]


def publish(
    office: Office, files: Sequence[tuple[str, bytes]], *, dry_run: bool = False
) -> Published:
    """See `hub.services.hub.Hub.publish`."""
    if not 1 <= len(files) <= FILES_MAX:
        raise Refused("malformed", f"Expected 1 to {FILES_MAX} files, got {len(files)}.")
    if dry_run:
        with office.store.reading():
            changes, _ = _plan(office, files)
        return Published(changes, events=0, dry_run=True)
    with office.store.transaction():
        changes, new = _plan(office, files)
        events = sum(_write(office, feed, new) for feed in ("master", "orders"))
    return Published(changes, events=events, dry_run=False)


def entities(office: Office, kind: str) -> list[Entity]:
    """All published versions of a kind, in the order of publication.

    Content that this version of the program cannot read is left out.
    """
    found = []
    for version in office.store.versions(kind):
        entity = from_content(kind, msgspec.json.decode(version.content))
        if not isinstance(entity, tuple):
            found.append(entity)
    return found


def _plan(
    office: Office, files: Sequence[tuple[str, bytes]]
) -> tuple[tuple[Change, ...], list[_New]]:
    """What the files would change.

    Raises:
        Refused: `problems`, all of them.
    """
    known = [entity for kind in KINDS for entity in entities(office, kind)]
    given, problems = load_documents(files, known)
    before = _before(known)
    words = [str(problem) for problem in problems]
    words += _changed(office, given)
    words += [] if words else _backward(office, before, given)
    if words:
        raise Refused(
            "problems",
            f"{len(words)} problem{'s' if len(words) > 1 else ''} in the files; nothing was "
            f"published. Put them right and import again.",
            tuple(words),
        )
    changes, new = [], []
    # Lots by version: each goes on from the state that the one before it left.
    for entity in sorted(given, key=lambda e: version_of(e) if isinstance(e, Lot) else 0):
        content: dict[str, Any] = to_content(entity)
        sha256 = content_sha256(content)
        row = office.store.find_version(kind_of(entity), id_of(entity), str(version_of(entity)))
        what = (kind_of(entity), id_of(entity), str(version_of(entity)), sha256)
        changes.append(Change("unchanged" if row else "new", *what))
        if row is None:
            new.append(_new(office, before, entity, sha256, content))
            if isinstance(entity, Lot):
                before.lots[entity.part, entity.lot] = entity
    return tuple(changes), new


def _changed(office: Office, given: Sequence[Entity]) -> Iterator[str]:
    for entity in given:
        kind, name, version = kind_of(entity), id_of(entity), str(version_of(entity))
        row = office.store.find_version(kind, name, version)
        sha256 = content_sha256(to_content(entity))
        if row is not None and row.sha256 != sha256:
            yield (
                f"{kind} {name}@{version} is published with content {row.sha256[:16]}…, the file "
                f"has {sha256[:16]}…: a published version never changes. Give the change a new "
                f"version."
            )


def _backward(office: Office, before: _Before, given: Sequence[Entity]) -> Iterator[str]:
    states = dict(before.lots)
    new = [entity for entity in given if isinstance(entity, Lot) and _is_new(office, entity)]
    for lot in sorted(new, key=version_of):
        was = states.get((lot.part, lot.lot))
        states[lot.part, lot.lot] = lot
        if was is not None and was.version > lot.version:
            yield (
                f"lot {lot.lot} of {lot.part} is published up to version {was.version}, the file "
                f"has version {lot.version}. Give the change version {was.version + 1}."
            )
        elif was is not None and was.state != "received" and lot.state == "received":
            yield (
                f"lot {lot.lot} of {lot.part} is {was.state}, the file says received: what was "
                f"released stays so. Put it on hold instead."
            )


def _is_new(office: Office, entity: Entity) -> bool:
    what = (kind_of(entity), id_of(entity), str(version_of(entity)))
    return office.store.find_version(*what) is None


def _new(
    office: Office, before: _Before, entity: Entity, sha256: str, content: dict[str, Any]
) -> _New:
    if isinstance(entity, Lot):
        was = before.lots.get((entity.part, entity.lot))
        return _New(entity, sha256, content, "master", tuple(_lot_events(office, was, entity)))
    if isinstance(entity, Order):
        # A second release of one order would be two contents of one key, hence a case.
        if entity.status == "released" and entity.order not in before.released:
            released = OrderReleased(order=entity.order, sha256=sha256, content=content)
            return _New(entity, sha256, content, "orders", (Entry(released),))
        feed = "orders"
    else:
        feed = "master"
    body = MasterPublished(
        entity=kind_of(entity),
        id=id_of(entity),
        version=str(version_of(entity)),
        sha256=sha256,
        content=content,
    )
    return _New(entity, sha256, content, feed, (Entry(body),))


def _before(known: Sequence[Entity]) -> _Before:
    lots = sorted((one for one in known if isinstance(one, Lot)), key=version_of)
    return _Before(
        lots={(one.part, one.lot): one for one in lots},
        released=frozenset(
            one.order for one in known if isinstance(one, Order) and one.status == "released"
        ),
    )


def _write(office: Office, feed: str, new: Sequence[_New]) -> int:
    """Append the events of one feed and remember each version with the position of its last event.

    Returns:
        The number of events.
    """
    # What happened earlier (lots) goes first: the feed's last time is then the time of the import.
    own = sorted((e for e in new if e.feed == feed), key=lambda e: not isinstance(e.entity, Lot))
    entries = [entry for each in own for entry in each.entries]
    positions = feeds.append(office, feed, entries) if entries else []
    at = -1
    for each in own:
        at += len(each.entries)
        _remember(office, each, positions[at])
    return len(entries)


def _remember(office: Office, new: _New, at: Position) -> None:
    office.store.add_version(
        StoredVersion(
            entity=kind_of(new.entity),
            id=id_of(new.entity),
            version=str(version_of(new.entity)),
            sha256=new.sha256,
            content=msgspec.json.encode(new.content).decode(),
            feed=at.journal,
            seq=at.seq,
            event_id=at.event_id,
        )
    )


def _lot_events(office: Office, before: Lot | None, lot: Lot) -> Iterator[Entry]:
    """From the state last published to the one in the file; at least one event."""
    at = _since(office, lot.since)
    if before is None:
        received = LotReceived(
            lot=lot.lot,
            part=lot.part,
            quantity=lot.qty,
            supplier=lot.supplier or "",
            supplier_lot=lot.supplier_lot or "",
        )
        yield Entry(received, lot.by, at=at)
    was = before.state if before else _state_known(office, lot)
    if was == "on_hold" and lot.state != "on_hold":
        seen = tuple(_live_holds(office, lot.lot))
        reason = lot.reason or "released"
        yield Entry(HoldReleased(target=lot.lot, kind="lot", reason=reason), lot.by, seen, at)
    if lot.state == "on_hold":  # another reason or badge for a hold is one more hold
        placed = HoldPlaced(target=lot.lot, kind="lot", reason=lot.reason or "on hold")
        yield Entry(placed, lot.by, at=at)
    if lot.state == "released":
        yield Entry(LotReleased(lot=lot.lot, part=lot.part), lot.by, at=at)
    if before is not None and before.state == lot.state == "received":
        yield Entry(_described(lot), at=at)


def _state_known(office: Office, lot: Lot) -> str:
    """Of a lot without a published version: its events may have come back to a restored hub."""
    journals = {hold.place.journal for hold in office.store.ledger.holds(lot.lot)}
    rows = (office.store.find_journal(journal) for journal in journals)
    held = any(row is not None and row.role == "feed" for row in rows)
    return "on_hold" if held else "received"


def _described(lot: Lot) -> MasterPublished:
    """A lot whose description changed but not its state: a version, without a second receipt."""
    content: dict[str, Any] = to_content(lot)
    return MasterPublished(
        entity="lot",
        id=lot.lot,
        version=str(lot.version),
        sha256=content_sha256(content),
        content=content,
    )


def _live_holds(office: Office, lot: str) -> Iterator[int | str]:
    """The holds that a release names: own events by seq, others' by reference."""
    own = office.secrets.feeds["master"].journal
    for hold in office.store.ledger.holds(lot):
        yield hold.place.seq if hold.place.journal == own else hold.ref


def _since(office: Office, text: str) -> str:
    """The time in the file with its offset; `HH:MM` is the last such time at the plant."""
    now = office.now()
    if len(text) > len("06:50"):
        return dt.datetime.fromisoformat(text).isoformat(timespec="milliseconds")
    hour, minute = map(int, text.split(":"))
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if then > now:
        then -= dt.timedelta(days=1)
    return then.isoformat(timespec="milliseconds")


def versions_of(office: Office, kind: str) -> Mapping[str, Entity]:
    """The highest published version of each id of a kind."""
    return {id_of(entity): entity for entity in sorted(entities(office, kind), key=version_of)}
