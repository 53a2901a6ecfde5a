"""The hub as one value: everything it can be asked to do, each a line to the module that does it.

`hub.api` and `hub.cli` call these methods and nothing below them. Every method is synchronous and
safe to call from several threads; what writes has committed to disk before it returns. Built by
`hub.bootstrap` from a store, a clock and a source of random bytes, so a simulation can drive it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hub.services import (
    carrying,
    casefiles,
    deciding,
    directory,
    enrolling,
    exploring,
    previewing,
    publishing,
    reporting,
    restoring,
    showing,
    starting,
    stocktaking,
    tracing,
    verifying,
)
from hub.services.answers import (
    Decided,
    Published,
    Refused,
)
from hub.services.for_stations import StationsHub
from hub.services.previewing import Answer
from hub.services.starting import Step
from hub.services.stocktaking import Stock
from hub.services.verifying import Verified
from tally.master import Person, Words
from tally.records.ids import JournalId
from tally.trace.lanes import Look

Table: TypeAlias = Literal[
    "blocks", "cases", "findings", "rechecks", "stations", "units", "balance", "lots", "orders"
]


@dataclass(frozen=True, slots=True)
class Hub(StationsHub):
    """The services of one hub: what stations ask, and here what people and scripts do."""

    @property
    def site(self) -> str:
        """The hub's own site."""
        return self.office.secrets.site

    def take_parts(self, parts: Sequence[bytes]) -> list[dict[str, Any]]:
        """Store what a bundle brought, one JSON-safe row a part; see `carrying`. Never refuses."""
        return carrying.take_parts(self.office, parts)

    def pack(self, journal: JournalId, tips: carrying.Tips | None) -> carrying.Packed:
        """Plan a return bundle for a station, inside the caller's reading; see `carrying`.

        Raises:
            Refused: `unknown_journal`.
        """
        return carrying.pack(self.office, journal, tips)

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

    def open_token(self, station: str, addresses: Sequence[str]) -> str:
        """One line that lets one PC enrol as `station`, once, within 24 h by the hub's clock.

        Raises:
            Refused: `unknown_station` when master data do not know it.
        """
        return enrolling.open_token(self.office, station, addresses)

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
