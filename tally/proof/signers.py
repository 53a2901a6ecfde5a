"""Whose keys a certificate is judged by, and whether its events stand under them.

Keys of feeds and of the hub's receipts are signed by the plant root key; keys of stations stand in
events of such feeds, which are proven first. Then every event must stand under a seal or a signed
head of its own journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from tally.events.types import KeyPublished, StationEnrolled
from tally.proof.filing import WRONG, CertificateFile, CertifiedLine
from tally.proof.placing import Problem, ended
from tally.records.certificate import ChainFields
from tally.records.chain import chain_hashes
from tally.records.export import HeadFields, RowError, unb64
from tally.records.ids import (
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.merkle import root_from_path
from tally.records.segment import SEGMENT_EVENTS_MAX
from tally.records.signing import (
    HEAD,
    KEY,
    SEAL,
    PublicKey,
    head_message,
    key_message,
    seal_message,
)


def anchor(file: CertificateFile) -> None:
    """Collect keys: what the root signed; then stations, from proven events of vouched feeds."""
    for event in file.events:
        if isinstance(event.body, KeyPublished):
            try:
                _take_published(file, event.body)
            except WRONG as error:
                words = f"Event {event.name} publishes a key that cannot be read: {ended(error)}"
                file.problems.append(Problem(words, event.name))
    _collect_signed(file)
    stations: dict[JournalId, tuple[PublicKey, str]] = {}
    for event in file.events:
        body = event.body
        if not isinstance(body, StationEnrolled) or event.journal not in file.keys:
            continue  # a station's own word for another registers nothing
        try:
            found = (PublicKey(unb64(body.key, 32)), body.station)
            if not list(event_problems(file, event)):
                stations.setdefault(parse_journal(body.journal), found)
        except WRONG as error:
            words = f"Event {event.name} enrols a key that cannot be read: {ended(error)}"
            file.problems.append(Problem(words, event.name))
    for journal, (key, name) in stations.items():
        file.keys.setdefault(journal, key)
        file.stations.setdefault(journal, name)
    _collect_signed(file)


def _take_published(file: CertificateFile, body: KeyPublished) -> None:
    subject, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
    message = key_message(subject, key, purpose=body.purpose, name=body.name)
    if not file.root.verifies(KEY, message, unb64(body.sig, 64)):
        raise RowError("it is not signed by the plant root key")
    if body.purpose == "feed":
        file.keys.setdefault(subject, key)
        file.stations.setdefault(subject, body.name)
        file.feeds.add(subject)
    elif body.purpose == "receipt":
        file.hubs.setdefault(subject, key)


def _collect_signed(file: CertificateFile) -> None:
    """What the known keys signed: every event on the way to a head, and the roots of seals."""
    for chain in file.chains:
        covered = _covered(file, chain)
        file.under_heads |= covered
        file.ends |= set(sorted(covered)[-1:])
    for seal in file.seals:
        with suppress(*WRONG, OverflowError):
            journal, root = parse_journal(seal.journal), parse_event_id(seal.root)
            before, head = parse_event_id(seal.before), parse_event_id(seal.head)
            key, signature = file.keys.get(journal), unb64(seal.seal, 64)
            message = seal_message(
                journal, seal.first, seal.last, before=before, head=head, root=root
            )
            if key is not None and key.verifies(SEAL, message, signature):
                file.under_seals[journal].add((seal.first, seal.last, root))
                file.ends.add((journal, seal.last, head))
    signed = {at for at in (signed_at(file, head) for head in file.heads) if at is not None}
    file.under_heads |= signed
    file.ends |= signed


def signed_at(file: CertificateFile, head: HeadFields) -> tuple[JournalId, int, EventId] | None:
    """The event that a head names; None if its writer's key did not sign it."""
    try:
        journal, event_id = parse_journal(head.journal), parse_event_id(head.head)
        message = head_message(journal, head.seq, event_id)
        key, signature = file.keys.get(journal), unb64(head.sig, 64)
    except (*WRONG, OverflowError):
        return None
    holds = key is not None and key.verifies(HEAD, message, signature)
    return (journal, head.seq, event_id) if holds else None


def _covered(file: CertificateFile, chain: ChainFields) -> set[tuple[JournalId, int, EventId]]:
    """The events of a chain; none if its head is not signed by a known key."""
    try:
        journal, signature = parse_journal(chain.journal), unb64(chain.sig, 64)
        key = file.keys.get(journal)
        if key is None or not 1 <= len(chain.hashes) <= SEGMENT_EVENTS_MAX:
            return set()
        hashes = [parse_event_id(one) for one in chain.hashes]
        ids = chain_hashes(journal, chain.first, parse_event_id(chain.before), hashes)
        message = head_message(journal, chain.first + len(ids) - 1, ids[-1])
    except (*WRONG, OverflowError):
        return set()
    if not key.verifies(HEAD, message, signature):
        return set()
    return {(journal, seq, one) for seq, one in enumerate(ids, chain.first)}


def event_problems(file: CertificateFile, event: CertifiedLine) -> Iterator[Problem]:
    """Whether nothing that its journal's registered key signed covers the event."""
    if event.journal not in file.keys:
        yield Problem(
            f"No proven event of the file registers the key of journal "
            f"{show_journal(event.journal)}: anyone may have written {event.name}.",
            event.name,
        )
    elif event.path is None:
        if (event.journal, event.seq, event.id) not in file.under_heads:
            words = f"Event {event.name} stands under no signed head of its journal in the file."
            yield Problem(words, event.name)
    elif not any(
        leads_to(event.seq, event.id, event.path, *seal) for seal in file.under_seals[event.journal]
    ):
        words = f"The path of event {event.name} leads to no seal of its journal in the file."
        yield Problem(words, event.name)


def leads_to(
    seq: int, event_id: EventId, path: tuple[str, ...] | None, first: int, last: int, root: bytes
) -> bool:
    """Whether the Merkle path of the event at `seq` leads to the root of a seal."""
    try:
        steps = [parse_event_id(step) for step in path or ()]
    except MalformedIdError:
        return False
    return root_from_path(event_id, seq - first, last - first + 1, steps) == root
