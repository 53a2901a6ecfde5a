"""Proof of a bundle: which of its parts hold, and which plant vouches for their writers.

A bundle holds stretches of journals, so chains are judged part by part. Its first parts are the
feed `keys` from event 1; every other key follows from that one under the plant root key. What is
listed but missing or changed is named; the other parts stay usable (`sync.md` 3.12).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from tally.events.decoding import EventLine, Unread, read_lines
from tally.events.losses import losses_in
from tally.events.types import KeyPublished, KeyRevoked, StationEnrolled
from tally.proof.anchors import plant_problems
from tally.proof.lost import LostEvent, lost_events
from tally.proof.placing import Problem, ended
from tally.proof.withdrawn import Withdrawn, withdrawn
from tally.records.bundle import Bundle, BundleError, FoundPart, Source, parts_in, read_opening
from tally.records.export import RowError, unb64
from tally.records.ids import SEQ_MAX, JournalId, MalformedIdError, parse_journal, show_journal
from tally.records.segment import Segment, SegmentError, prove
from tally.records.signing import KEY, PublicKey, key_message


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of one journal that hold; `gaps` where parts between first and last are not here."""

    journal: str
    writer: str
    first: int
    last: int
    events: int
    gaps: int


@dataclass(frozen=True, slots=True)
class BundleReport:
    """The outcome; `problems` is empty exactly when everything that is listed holds."""

    problems: tuple[Problem, ...]
    journals: tuple[Stretch, ...]
    parts: int
    """Listed in the manifest."""
    holding: int
    """Of these, whole and proven."""
    events: int
    plant: str | None
    maker: str
    made: str
    receipts: int
    left: int
    """Events that the maker could not fit in."""
    untrusted: tuple[Withdrawn, ...] = ()
    lost: tuple[LostEvent, ...] = ()
    sealed: int = 0
    """Parts that only the reader can open, whole as far as their hash says."""


@dataclass(slots=True)
class Keys:
    """The keys that follow from one plant root key and the events shown so far."""

    root: PublicKey
    journals: dict[JournalId, PublicKey] = field(default_factory=dict)
    names: dict[JournalId, str] = field(default_factory=dict)
    hubs: dict[JournalId, list[PublicKey]] = field(default_factory=dict)
    """Keys of receipts, by hub."""
    revoked: list[EventLine] = field(default_factory=list)
    """Events that take a key back."""

    def of(self, segment: Segment) -> PublicKey | None:
        """The key of a segment's journal; a feed `keys` may bring the root's word for its own."""
        if segment.journal not in self.journals:
            for event in read_lines(segment.lines):
                if isinstance(event, EventLine) and isinstance(event.b, KeyPublished):
                    self._publish(event.b, only=segment.journal)
        return self.journals.get(segment.journal)

    def learn(self, segment: Segment) -> None:
        """Take the keys that a proven segment of a feed `keys` publishes."""
        if self.names.get(segment.journal) != "keys":
            return
        events: Iterable[EventLine | Unread] = read_lines(segment.lines)
        for event in events:
            if isinstance(event, EventLine) and isinstance(event.b, KeyPublished):
                self._publish(event.b)
            elif isinstance(event, EventLine) and isinstance(event.b, StationEnrolled):
                self._enrol(event.b)
            elif isinstance(event, EventLine) and isinstance(event.b, KeyRevoked):
                self.revoked.append(event)

    def _publish(self, body: KeyPublished, only: JournalId | None = None) -> None:
        try:
            subject, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
            signature = unb64(body.sig, 64)
        except (RowError, MalformedIdError):
            return
        message = key_message(subject, key, purpose=body.purpose, name=body.name)
        if only not in {None, subject} or not self.root.verifies(KEY, message, signature):
            return
        if body.purpose == "feed":
            self.journals.setdefault(subject, key)
            self.names.setdefault(subject, body.name)
        elif body.purpose == "receipt":
            self.hubs.setdefault(subject, []).append(key)

    def _enrol(self, body: StationEnrolled) -> None:
        try:
            journal, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
        except (RowError, MalformedIdError):
            return
        self.journals.setdefault(journal, key)
        self.names.setdefault(journal, body.station)


def prove_bundle(file: Source, *, plant: str | None = None) -> BundleReport:
    """Check a whole bundle.

    Args:
        file: stands at its first byte.
        plant: the fingerprint the reader trusts, or its first 12 or more hex digits.

    Returns:
        Every problem found, in the order of the file.
    """
    try:
        bundle = read_opening(file)
    except BundleError as error:
        return BundleReport((Problem(str(error)),), (), 0, 0, 0, None, "", "", 0, 0)
    problems = list(plant_problems(bundle.root, plant)) if plant is not None else []
    keys = Keys(bundle.root)
    held: dict[JournalId, list[Segment]] = {}
    sealed = 0
    for found in parts_in(bundle, file):
        problem = _part_problem(found, keys)
        sealed += found.is_closed
        if problem is not None:
            problems.append(problem)
        elif found.segment is not None:
            held.setdefault(found.segment.journal, []).append(found.segment)
    if file.read(1):
        problems.append(Problem("Bytes that the manifest does not list follow the last part."))
    problems += _maker_problems(bundle, keys)
    problems += _receipt_problems(bundle, keys)
    return replace(_report(bundle, keys, held, problems), sealed=sealed)


def _part_problem(found: FoundPart, keys: Keys) -> Problem | None:
    name = f"{found.fields.journal}:{found.fields.first}"
    if found.is_closed:
        return None  # whole, as its hash says; what is in it only the reader can prove
    if found.segment is None:
        return Problem(found.words, name)
    key = keys.of(found.segment)
    if key is None:
        return Problem(
            f"{found.fields}: the plant's keys in the file vouch for no key of this journal, so "
            "nobody can say who wrote it.",
            name,
        )
    try:
        prove(found.segment, key)
    except SegmentError as error:
        return Problem(f"{found.fields} does not hold: {ended(error)}", name)
    keys.learn(found.segment)
    return None


def _maker_problems(bundle: Bundle, keys: Keys) -> Iterator[Problem]:
    vouched = [keys.journals.get(bundle.maker), *keys.hubs.get(bundle.maker, [])]
    if bundle.key not in vouched:
        yield Problem(
            f"The plant's keys in the file do not vouch for the key of its maker, {bundle.name!r} "
            f"({show_journal(bundle.maker)}): anyone may have put the file together."
        )


def _receipt_problems(bundle: Bundle, keys: Keys) -> Iterator[Problem]:
    for receipt in bundle.receipts:
        if not any(receipt.is_signed_by(key) for key in keys.hubs.get(receipt.hub, [])):
            yield Problem(
                f"The receipt for {show_journal(receipt.journal)} at {receipt.seq} is not signed "
                "by the hub's key."
            )


def _report(
    bundle: Bundle,
    keys: Keys,
    held: dict[JournalId, list[Segment]],
    problems: list[Problem],
) -> BundleReport:
    stretches = [_stretch(keys, journal, found) for journal, found in held.items()]
    return BundleReport(
        problems=tuple(problems),
        journals=tuple(sorted(stretches, key=lambda one: (one.writer, one.journal))),
        parts=len(bundle.parts),
        holding=sum(map(len, held.values())),
        events=sum(one.events for one in stretches),
        plant=bundle.plant,
        maker=bundle.name,
        made=bundle.made,
        receipts=len(bundle.receipts),
        left=bundle.left,
        untrusted=withdrawn(keys.revoked, map(show_journal, keys.journals)),
        lost=tuple(one for item in held.items() for one in _lost(keys, *item)),
    )


def _lost(keys: Keys, journal: JournalId, found: list[Segment]) -> tuple[LostEvent, ...]:
    lines = [item for one in found for item in enumerate(one.lines, one.first)]
    said = {loss.seq for one in found for loss in losses_in(one.first, one.lines)}
    ranges = sorted((one.first, one.last) for one in found)
    ends = list(accumulate((last for _, last in ranges), max))
    missing = set()
    for seq in said:
        at = bisect_right(ranges, (seq, SEQ_MAX))
        if not at or ends[at - 1] < seq:
            missing.add(seq)
    return lost_events(show_journal(journal), keys.names.get(journal, "?"), lines, missing)


def _stretch(keys: Keys, journal: JournalId, found: list[Segment]) -> Stretch:
    """What is held of a journal; events that two parts or branches share count once a seq."""
    ranges = sorted((one.first, one.last) for one in found)
    events, gaps, reached = 0, 0, ranges[0][0] - 1
    for first, last in ranges:
        gaps += first > reached + 1
        events += max(0, last - max(reached, first - 1))
        reached = max(reached, last)
    name = keys.names.get(journal, "?")
    return Stretch(show_journal(journal), name, ranges[0][0], reached, events, gaps)
