"""The hub as one value: everything it can be asked to do, each a line to the module that does it.

`hub.api` and `hub.cli` call these methods and nothing below them. Every method is synchronous and
safe to call from several threads; what writes has committed to disk before it returns. Built by
`hub.bootstrap` from a store, a clock and a source of random bytes, so a simulation can drive it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from hub.services import (
    carrying,
    casefiles,
    deciding,
    directory,
    enrolling,
    exploring,
    feeds,
    ingesting,
    leasing,
    previewing,
    publishing,
    reading,
    reporting,
    restoring,
    showing,
    starting,
    stocktaking,
    succeeding,
    tracing,
    verifying,
    witnessing,
)
from hub.services.answers import (
    Decided,
    Enrolled,
    Granted,
    Ingested,
    Notice,
    Published,
    Refused,
    Standing,
    Subscription,
)
from hub.services.office import Office
from hub.services.previewing import Answer
from hub.services.starting import Step
from hub.services.stocktaking import Stock
from hub.services.verifying import Verified
from tally.master import Person, Words
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey, Receipt
from tally.records.witness import Witness
from tally.trace.lanes import Look

Table: TypeAlias = Literal[
    "blocks", "cases", "findings", "rechecks", "stations", "units", "balance", "lots", "orders"
]


@dataclass(frozen=True, slots=True)
class Hub:
    """The services of one hub."""

    office: Office

    @property
    def hub_id(self) -> JournalId:
        """The hub's name in certificates and receipts; 16 bytes like a journal's."""
        return self.office.secrets.hub_id

    @property
    def epoch(self) -> int:
        """Grows when the hub was restored from a backup."""
        return self.office.secrets.epoch

    @property
    def plant(self) -> str:
        """The plant's name."""
        return self.office.secrets.plant

    @property
    def site(self) -> str:
        """The hub's own site."""
        return self.office.secrets.site

    @property
    def root(self) -> PublicKey:
        """The plant root key, in which everything is anchored."""
        return self.office.secrets.root.public

    @property
    def receipt_key(self) -> PublicKey:
        """The key that signs receipts."""
        return self.office.secrets.receipt.public

    @property
    def word_for_receipts(self) -> bytes:
        """The plant root key's signature over the receipt key, as in `key.published`."""
        return feeds.vouched_receipt_key(self.office)

    def ingest(self, journal: JournalId, data: bytes) -> Ingested:
        """Store one piece or segment of a station's journal, proven, without what is held already.

        Authentic content is never refused: a fork is stored as a second branch with notice `fork`;
        events beyond a gap are answered with `need` and not stored.

        Raises:
            Refused: `unknown_journal`, `forged`, `malformed`, `too_large`; kept in quarantine where
            it helps.
        """
        return ingesting.ingest(self.office, journal, data)

    def take_returned(self, data: bytes) -> Ingested:
        """Store a piece of an old feed `keys` that a station brings back after a restore.

        For callers of whom the hub knows nothing (it forgot them): what is brought proves itself.

        Raises:
            Refused: `not_allowed` for every other journal, `forged`, `malformed`, `too_large`.
        """
        return ingesting.take_returned(self.office, data)

    def take_parts(self, parts: Sequence[bytes]) -> list[dict[str, Any]]:
        """Store what a bundle brought, one JSON-safe row a part; see `carrying`. Never refuses."""
        return carrying.take_parts(self.office, parts)

    def pack(self, journal: JournalId, tips: carrying.Tips | None) -> carrying.Packed:
        """Plan a return bundle for a station, inside the caller's reading; see `carrying`.

        Raises:
            Refused: `unknown_journal`.
        """
        return carrying.pack(self.office, journal, tips)

    def note_cursors(
        self, journal: JournalId, cursors: Mapping[JournalId, tuple[int, EventId]]
    ) -> None:
        """How far a station holds others' journals; after a restore, whether it has reported."""
        restoring.note_cursors(self.office, journal, cursors)

    def awaited(self) -> list[str]:
        """Names of the stations that have not reported since this hub was restored."""
        with self.office.store.reading():
            return sorted(journal.name for journal in restoring.awaited(self.office))

    def go_on_without(self, stations: Sequence[str]) -> list[str]:
        """Grant codes again although these stations have not reported; who is left to wait for.

        Raises:
            Refused: `unknown_station` for one that is not awaited.
        """
        return restoring.go_on_without(self.office, stations)

    def ingest_seal(self, journal: JournalId, header: bytes) -> Ingested:
        """Close a range whose lines are held, by the header line of the writer's segment.

        `need` names the first seq that is missing for it.

        Raises:
            Refused: as `ingest`.
        """
        return ingesting.ingest_seal(self.office, journal, header)

    def standing(self, journal: JournalId) -> Standing:
        """Where the hub stands in a journal, with a fresh receipt.

        Raises:
            Refused: `unknown_journal`.
        """
        return ingesting.standing(self.office, journal)

    def common(
        self, journal: JournalId, locator: Sequence[tuple[int, EventId]]
    ) -> tuple[int, EventId]:
        """The highest of the caller's positions that the hub holds too; (0, zeros) when none."""
        return ingesting.common(self.office, journal, locator)

    def receipt_at(self, journal: JournalId, seq: int, event_id: EventId) -> Receipt:
        """A fresh receipt for an event that is held, and thereby for all before it.

        Raises:
            Refused: `unknown_journal`, or `malformed` when the event is not held.
        """
        return ingesting.receipt_at(self.office, journal, seq, event_id)

    def key_of(self, journal: JournalId) -> PublicKey | None:
        """The registered key of a station's journal or feed; None for a stranger."""
        with self.office.store.reading():
            found = self.office.store.find_journal(journal)
        return found.key if found else None

    def journal_of(self, station: str) -> JournalId:
        """The newest journal of a station.

        Raises:
            Refused: `unknown_station`, naming those that are enrolled.
        """
        with self.office.store.reading():
            own = [j for j in self.office.store.journals() if j.role == "station"]
        found = [journal for journal in own if journal.name == station]
        if not found:
            known = ", ".join(sorted({journal.name for journal in own})) or "none"
            raise Refused(
                "unknown_station",
                f"No station {station[:40]!r} is enrolled; enrolled are: {known}.",
            )
        return found[-1].id

    def frontier(self) -> Mapping[JournalId, tuple[int, EventId]]:
        """The newest contiguous position of every journal, of its longest branch."""
        return reading.frontier(self.office)

    def read_after(
        self, journal: JournalId, after: EventId, toward: EventId | None = None
    ) -> bytes | None:
        """A segment or piece that begins at or before the event after `after`; None at the tip.

        Loose lines are cut anew under their newest stored head. `toward`: the tip to walk to, for
        a journal that has several; without it the branch of `after` is followed.

        Raises:
            Refused: `unknown_journal`, or `malformed` when `after` is not held.
        """
        return reading.read_after(self.office, journal, after, toward)

    def subscriptions(self, journal: JournalId) -> tuple[Subscription, ...]:
        """What this station pulls: keys, leases, decisions, orders, master, then its line.

        Of a journal whose key was taken back: feed `keys` alone, which says so and why.
        """
        return reading.subscriptions(self.office, journal)

    def asked_back(
        self, journal: JournalId, cursors: Mapping[JournalId, tuple[int, EventId]]
    ) -> tuple[Subscription, ...]:
        """Feeds of which a journal whose key was taken back holds more than a restored hub.

        It may not read them, but what it gives back proves itself. Empty for any other journal.
        """
        return reading.asked_back(self.office, journal, cursors)

    def open_token(self, station: str, addresses: Sequence[str]) -> str:
        """One line that lets one PC enrol as `station`, once, within 24 h by the hub's clock.

        Raises:
            Refused: `unknown_station` when master data do not know it.
        """
        return enrolling.open_token(self.office, station, addresses)

    def enroll(self, secret: str, genesis: bytes) -> Enrolled:
        """Use up a token: register the key of the journal that `genesis` opens.

        `genesis` is an encoded piece of one event, `journal.opened`, signed by the new key. A
        repeat with the same secret and the same genesis has the same answer, so that a lost reply
        can be asked again.

        Raises:
            Refused: `token_unknown`, `token_used`, `token_expired`, `forged`, `malformed`.
        """
        return enrolling.enroll(self.office, secret, genesis)

    def succeed(self, journal: JournalId, genesis: bytes, signature: bytes) -> Enrolled:
        """Let another journal of the same station go on in the place of this one, once.

        `genesis` is as for `enroll` and names this journal as predecessor; `signature` is by the
        key of this journal (`tally.records.signing.succession_message`). A repeat with the same
        genesis has the same answer.

        Raises:
            Refused: `unknown_journal`, `forged`, `malformed`, `too_large`, `succeeded` when a copy
                of the station was first, `not_allowed` where a person has to let it.
        """
        return succeeding.succeed(self.office, journal, genesis, signature)

    def lease(
        self,
        journal: JournalId,
        request_id: str,
        scheme_id: str,
        count: int,
        *,
        start: int | None = None,
        period: dt.date | None = None,
        block: str | None = None,
    ) -> Granted:
        """Grant a range of codes to a journal; the same request has the same grant for ever.

        Raises:
            Refused: `unknown_journal`, `unknown_scheme`, `no_capacity` with the arithmetic,
                `closed` when another journal goes on in the place of this one,
                `restoring` while a restored hub has not heard of all stations, `old_copy`,
                `request_reused` when the id was used for something else, `malformed`.
        """
        return leasing.lease(
            self.office,
            journal,
            request_id,
            scheme_id,
            count,
            start=start,
            period=period,
            block=block,
        )

    def publish(self, files: Sequence[tuple[str, bytes]], *, dry_run: bool = False) -> Published:
        """Append what is new in master data files; what is unchanged is not written.

        Raises:
            Refused: `problems`, all of them at once; nothing was written.
        """
        return publishing.publish(self.office, files, dry_run=dry_run)

    def decide(
        self,
        case_id: str,
        *,
        keep: str,
        by: str,
        reason: str,
        claims_seen: Sequence[str],
        supersedes: Sequence[str],
    ) -> Decided:
        """Settle a case.

        `keep`: reference of the event whose claim stays; `none`: every claim ends; `all`: none
        ends, all stay held; `before`: as it was before the last decision.

        `claims_seen` and `supersedes` are references as the person's page or command showed them.

        Raises:
            Refused: `unknown_case`, `ambiguous`, `not_allowed`, `nothing_to_decide`, `malformed`.
        """
        return deciding.decide(
            self.office,
            case_id,
            keep=keep,
            by=by,
            reason=reason,
            claims_seen=claims_seen,
            supersedes=supersedes,
        )

    @property
    def decisions_feed(self) -> JournalId:
        """The feed in which decisions stand."""
        return self.office.secrets.feeds["decisions"].journal

    def inbox(self) -> list[dict[str, Any]]:
        """Cases as rows, those that wait first, the worst and oldest of them on top; JSON-safe."""
        return casefiles.inbox(self.office)

    def case_file(self, case_id: str) -> dict[str, Any]:
        """What the page of a case shows, JSON-safe (`casefiles.case_file`).

        Raises:
            Refused: `unknown_case`, `ambiguous`.
        """
        return casefiles.case_file(self.office, case_id)

    def foresee(self, answer: Answer) -> dict[str, Any]:
        """What an answer to a case would append and change, JSON-safe; nothing stays.

        Raises:
            Refused: as `decide`, but whoever asks may look.
        """
        return previewing.foresee(self.office, answer)

    def settle(self, answer: Answer, *, by: str, mark: str, digest: str) -> Decided:
        """Decide, if all is still as `foresee` showed it (`mark` and `digest` are from there).

        Raises:
            Refused: `changed` with the number of new events; else as `decide`.
        """
        return previewing.settle(self.office, answer, by=by, mark=mark, digest=digest)

    def new_events(self, case_id: str, mark: str) -> int:
        """How many events touched a case since `mark` was made.

        Raises:
            Refused: `unknown_case`, `ambiguous`, `malformed`.
        """
        return previewing.new_events(self.office, case_id, mark)

    def note_hello(
        self,
        journal: JournalId,
        gauges: Mapping[str, int | str],
        *,
        has_returned: bool = False,
        witnesses: Sequence[Witness] = (),
    ) -> tuple[Notice, ...]:
        """Remember what a station said of itself, with the time by the hub's clock.

        `has_returned`: its program opened a session although it had one, as after a cut link.
        `witnesses`: what stations hold of each other's journals; notices say which do not count.
        """
        brought = witnessing.judge(self.office, witnesses)
        with self.office.store.transaction():
            row = self.office.registered(journal)
            starting.note_hello(self.office, row, gauges, has_returned=has_returned)
            said = msgspec.json.encode(dict(gauges), order="sorted").decode()
            self.office.store.note_gauges(row.no, self.office.now(), said)
            witnessing.keep(self.office, brought.news)
        return brought.notices

    def deciders(self) -> tuple[Person, ...]:
        """Persons whose role lets them settle cases, by badge."""
        return directory.deciders(self.office)

    def names(self) -> Mapping[tuple[str, str], Words]:
        """Names of sites, lines, stations and persons: (kind, id) → both languages."""
        return directory.names(self.office)

    def progress(self) -> Mapping[Step, bool]:
        """Which of the first steps of a new plant have been done."""
        return starting.progress(self.office)

    def note_step(self, step: Step) -> None:
        """Remember that a first step was done, where no event tells it."""
        starting.note(self.office, step)

    def show(
        self,
        table: Table,
    ) -> list[dict[str, Any]]:
        """Rows for people and scripts, JSON-safe, sorted; as `tally hub <table> --json`."""
        return showing.show(self.office, table)

    def trace(self, code: str, direction: Literal["up", "down", "both"] = "both") -> dict[str, Any]:
        """The trace as `tally hub trace --json` prints it.

        Raises:
            Refused: `unknown_code`.
        """
        return tracing.trace(self.office, code, direction)

    def explore(self, code: str, look: Look | None = None) -> dict[str, Any]:
        """The lanes of a code for the console; see `exploring.explore`. Never refuses."""
        return exploring.explore(self.office, code, look)

    def tell(self, code: str) -> dict[str, Any]:
        """The life of a code; see `exploring.tell`. Never refuses."""
        return exploring.tell(self.office, code)

    def family(self, code: str, direction: Literal["up", "down"], limit: int) -> dict[str, Any]:
        """One direction of a trace, at most `limit` links, with names. Never refuses."""
        return exploring.family(self.office, code, direction, limit)

    def find(self, text: str) -> list[dict[str, Any]]:
        """What a scanned or typed text names: [{sort, id}]; empty for a stranger."""
        return exploring.find(self.office, text)

    def order(self, name: str) -> dict[str, Any] | None:
        """A work order as last published."""
        return exploring.order(self.office, name)

    def report(self, code: str) -> dict[str, Any]:
        """The trace report of a code; see `reporting.report`. Never refuses."""
        return reporting.report(self.office, code)

    def verify(self, code: str, gtin: str | None = None) -> Verified | None:
        """What anybody may know of a code; None for all that is no finished unit of ours."""
        return verifying.verify(self.office, code, gtin)

    def schemes(self) -> list[dict[str, Any]]:
        """Numbering schemes with an example and their capacity; see `stocktaking.schemes`."""
        return stocktaking.schemes(self.office)

    def stock(self, books: Stock) -> list[dict[str, Any]]:
        """Every block with what is left of it; `books` remembers what was read (keep it)."""
        return books.blocks(self.office)

    def fingerprint(self) -> dict[str, Any]:
        """The ledger's fingerprint with its frontier, JSON-safe."""
        return showing.fingerprint(self.office)
