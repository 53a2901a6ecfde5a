"""Proof of an as-built certificate, offline, by someone who trusts only the plant's fingerprint.

How a change is found:
1. The first row lists every other one by SHA-256 and is signed by the hub: what was edited, put
   in, left out or moved, and a tail that was cut, is named by it.
2. Every event is proven again without the hub's word: its id follows from its line and stands
   under a seal or a signed head of its own journal.
3. The keys that signed are registered by events of the same file, up to the plant root key.
4. What neighbours of a station signed names events that the file must have: where it ends before
   one of them, its end was cut.
5. Another unit's certificate is whole as well: the reader says which code and plant they expect.

That the hub left nothing else out of the list is its word and no proof (`decided.md` 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from tally.events.decoding import EventLine
from tally.events.types import Body, KeyPublished, KeyRevoked, StationEnrolled
from tally.proof.anchors import plant_fingerprint, plant_problems
from tally.proof.filing import WRONG, CertificateFile, CertifiedLine, sort_rows
from tally.proof.listing import listing_problems
from tally.proof.placing import Problem, ended
from tally.proof.signers import anchor, event_problems
from tally.proof.withdrawn import Withdrawn, withdrawn
from tally.proof.witnessed import Stand, stands
from tally.records.certificate import (
    FILE_BYTES_MAX,
    ROWS_MAX,
    HistoryNote,
    TimeNote,
    is_signed_by,
    read_contents,
)
from tally.records.export import unb64
from tally.records.ids import (
    MalformedIdError,
    parse_event_id,
    parse_journal,
    ref_to,
    show_journal,
)
from tally.records.signing import PublicKey, Receipt


@dataclass(frozen=True, slots=True)
class CertifiedEvent:
    """One event of the file as people read it.

    `about`: what it says, without names of fields; `time`: what the hub adds to `at` and to the
    order, its word and no proof; empty where it has nothing to add. `history`: likewise on which of
    several histories of its journal it stands.
    """

    event: str
    at: str
    station: str
    by: str
    type: str
    about: str
    time: str = ""
    history: str = ""


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """The outcome; `problems` is empty exactly when everything held.

    `events`: those about the unit, in the file's order; keys' registrations are not among them.
    `receipts`: per journal how far the hub held it when it made the file.
    """

    problems: tuple[Problem, ...]
    code: str
    plant: str
    plant_name: str
    hub: str
    made_at: str
    events: tuple[CertifiedEvent, ...]
    receipts: tuple[tuple[str, int], ...]
    cases: tuple[str, ...]
    waiting: int
    """Gaps, references and unread events that the hub knew of; `stands`: how far each journal goes
    and who signed that.
    """
    untrusted: tuple[Withdrawn, ...] = ()
    stands: tuple[Stand, ...] = ()


def prove_certificate(
    lines: Iterable[bytes], *, plant: str | None = None, code: str | None = None
) -> CertificateReport:
    """Check a whole certificate.

    Args:
        lines: the lines of the file, each with its line break.
        plant: the fingerprint the reader trusts, or its first 12 or more hex digits.
        code: the code the reader expects.
    """
    whole = _within_limits(lines)
    rows = [line.removesuffix(b"\n") for line in whole]
    try:
        contents = read_contents(rows[0] if rows else b"")
        root = PublicKey(unb64(contents.root, 32))
    except WRONG as error:
        words = f"Row 1, the list of contents, cannot be read: {ended(error)}"
        return CertificateReport((Problem(words),), "?", "", "?", "?", "?", (), (), (), 0)
    file = CertificateFile(contents, root, [])
    if not whole[-1].endswith(b"\n"):
        file.problems.append(Problem(f"The file was cut: row {len(rows)} does not end."))
    file.problems += listing_problems(contents.rows, rows[1:])
    sort_rows(file, rows[1:])
    anchor(file)
    for event in file.events:
        file.problems += event_problems(file, event)
    file.problems += _receipt_problems(file)
    file.problems += _contents_problems(file)
    untrusted = _untrusted(file)
    stood, unfit = stands(file, {one.journal for one in untrusted})
    file.problems += unfit
    file.problems += _swap_problems(file, plant, code)
    return _report(file, untrusted, stood)


def _within_limits(lines: Iterable[bytes]) -> list[bytes]:
    """The lines of a file; of one that is too large the beginning, which is then found cut."""
    kept: list[bytes] = []
    size = 0
    for line in islice(lines, ROWS_MAX + 2):
        size += len(line)
        if size > FILE_BYTES_MAX:
            break
        kept.append(line)
    return kept


def _receipt_problems(file: CertificateFile) -> Iterator[Problem]:
    for row in file.receipts:
        try:
            hub = parse_journal(row.hub)
            receipt = Receipt(
                hub,
                row.epoch,
                parse_journal(row.journal),
                row.seq,
                parse_event_id(row.head),
                row.durable_through,
                row.archived_through,
                unb64(row.sig, 64),
            )
            holds = hub in file.hubs and receipt.is_signed_by(file.hubs[hub])
        except (*WRONG, OverflowError):
            holds = False
        if not holds:
            yield Problem(f"The receipt for {row.journal} is not signed by the hub's key.")


def _contents_problems(file: CertificateFile) -> Iterator[Problem]:
    """Whether the hub signed the list, and the list is about the code that it names."""
    contents = file.contents
    try:
        key = file.hubs.get(parse_journal(contents.hub))
        holds = key is not None and is_signed_by(contents, key)
    except WRONG:
        holds = False
    if not holds:
        yield Problem(
            "Row 1, the list of contents, is not signed by the hub that it names: it was changed, "
            "or the events that register the hub's key are missing."
        )
    if not any(contents.code in _names(event.body) for event in file.events):
        yield Problem(f"No event of the file names {contents.code!r}.")


def _swap_problems(file: CertificateFile, plant: str | None, code: str | None) -> Iterator[Problem]:
    if plant is not None:
        yield from plant_problems(file.root, plant)
    if code is not None and code != file.contents.code:
        yield Problem(
            f"Expected the certificate of {code!r}, this one is of {file.contents.code!r}."
        )


def _names(body: Body | None) -> list[str]:
    """The texts of a body, its lists unrolled; of a lot also `part/lot`."""
    if body is None:
        return []
    given = msgspec.to_builtins(body)
    texts = [text for text in given.values() if isinstance(text, str)]
    texts += [text for text in given.get("items", ()) if isinstance(text, str)]
    texts += [
        f"{given[space]}/{given.get(one, '')}"
        for space in ("part", "ns")
        for one in ("lot", "child")
        if space in given
    ]
    return texts


_ABOUT: Final = (
    *("unit", "code", "child", "parent", "item", "box", "part", "lot", "target", "case"),
    *("slot", "operation", "characteristic", "value", "unit_of_measure", "result"),
    *("verdict", "defects", "provisional", "what", "reason"),
)
"""Fields of bodies in the order in which a line for people has them."""


def _report(
    file: CertificateFile, untrusted: tuple[Withdrawn, ...], stood: tuple[Stand, ...]
) -> CertificateReport:
    contents = file.contents
    notes = {one.event: one for one in contents.times or ()}
    histories = {one.event: one for one in contents.histories or ()}
    return CertificateReport(
        problems=tuple(file.problems),
        code=contents.code,
        plant=plant_fingerprint(file.root),
        plant_name=contents.plant,
        hub=contents.hub,
        made_at=contents.made_at,
        events=tuple(
            _shown(file, event, notes.get(event.name), histories.get(_ref(event)))
            for event in file.events
            if not isinstance(event.body, KeyPublished | StationEnrolled | KeyRevoked)
        ),
        receipts=tuple(sorted((_station(file, row.journal), row.seq) for row in file.receipts)),
        cases=contents.cases,
        waiting=contents.gaps + contents.pending + contents.unread,
        untrusted=untrusted,
        stands=stood,
    )


def _untrusted(file: CertificateFile) -> tuple[Withdrawn, ...]:
    """Writers and witnesses whose key was taken back."""
    about = {show_journal(one.journal) for one in file.events}
    return withdrawn(_of_feeds(file), about | {one.witness.witness for one in file.witnesses})


def _of_feeds(file: CertificateFile) -> Iterator[EventLine]:
    """Events that take a key back, from journals whose key the plant root signed."""
    for event in file.events:
        if event.read and isinstance(event.body, KeyRevoked) and event.journal in file.feeds:
            yield event.read


def _ref(event: CertifiedLine) -> str:
    return str(ref_to(event.journal, event.seq, event.id))


def _shown(
    file: CertificateFile,
    event: CertifiedLine,
    noted: TimeNote | None,
    history: HistoryNote | None,
) -> CertifiedEvent:
    given = msgspec.to_builtins(event.body) if event.body is not None else {}
    about = " ".join(_as_text(name, given[name]) for name in _ABOUT if given.get(name))
    read = event.read
    return CertifiedEvent(
        event=event.name,
        at=read.at if read else "?",
        station=file.stations.get(event.journal, "?"),
        by=read.by if read else "?",
        type=read.t if read else "?",
        about=about,
        time=_said(noted) if noted else "",
        history=_parted(history) if history else "",
    )


def _said(noted: TimeNote) -> str:
    within = "" if noted.within_s is None else f" ± {noted.within_s} s"
    apart = "" if noted.apart_s is None else f" (± {noted.apart_s} s)"
    when = f"by the hub's clock {noted.at}{within}" if noted.at else ""
    order = "" if noted.is_order_proven else f"order not provable{apart}"
    return "; ".join(part for part in (when, order) if part)


def _parted(noted: HistoryNote) -> str:
    return (
        f"history {noted.name}, one of several: two computers wrote as this station after its "
        f"event {noted.after}"
    )


def _as_text(name: str, value: object) -> str:
    if value is True:
        return name
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _station(file: CertificateFile, journal: str) -> str:
    try:
        return file.stations.get(parse_journal(journal), journal)
    except MalformedIdError:
        return journal
