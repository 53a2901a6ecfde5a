"""Tables for people and scripts: JSON-safe rows, sorted, the same for console, commands and API.

Each function reads the store under its lock and gives a list of dicts; the fields are documented at
each. Ids are text: journals 26 letters, events 64 hex digits, references as in `seen`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hub.services import gaps, holes, journals, succeeding
from hub.services.answers import Apart
from hub.services.balancing import balances
from hub.services.office import Office
from hub.services.publishing import versions_of
from hub.store.port import UNPLACED
from tally.master import Lot, to_content
from tally.merge.history import Placed
from tally.merge.telling import plain_case
from tally.records.ids import show_journal
from tally.trace.doubting import with_times

Row = dict[str, Any]


def blocks(office: Office) -> list[Row]:
    """Grants in the order of their events, which `feed` and `seq` name."""
    return [
        {
            "block": one.block,
            "scheme": one.scheme,
            "period": one.period.removeprefix(UNPLACED) or None,
            "start": one.range.start,
            "count": one.range.count,
            "station": one.station,
            "journal": show_journal(one.journal),
            "request": one.request,
            "feed": show_journal(one.feed),
            "seq": one.seq,
        }
        for one in office.store.blocks()
    ]


def balance(office: Office) -> list[Row]:
    """Where the codes of each block are; `unexplained` must be 0."""
    rows = []
    for block, counted in balances(office):
        row: Row = {"block": block.block, "scheme": block.scheme, "station": block.station}
        row |= dataclasses.asdict(counted)
        row["unexplained"] = counted.unexplained
        rows.append(row)
    return rows


def cases(office: Office) -> list[Row]:
    """Conflicts, by id: what contradicts, who says so, what is held, what was decided."""
    return [plain_case(case) for case in sorted(office.store.ledger.cases(), key=lambda c: c.id)]


def findings(office: Office) -> list[Row]:
    """Soft checks that failed: code, subject, ref, words, evidence."""
    ledger = office.store.ledger
    rows = [plain(with_times(ledger.graph, finding)) for finding in ledger.findings()]
    return sorted(rows, key=lambda row: (row["code"], row["subject"], row["ref"]))


def rechecks(office: Office) -> list[Row]:
    """Checks that stations answered UNKNOWN: ref, rule, subject, arg, unit, state.

    `state` is what the hub knows now: pending, passed or failed.
    """
    rows = [plain(recheck) for recheck in office.store.ledger.rechecks()]
    return sorted(rows, key=lambda row: (row["state"], row["unit"], row["rule"], row["ref"]))


def units(office: Office) -> list[Row]:
    """Every unit and box with its state, by code; `sort` says which it is."""
    ledger = office.store.ledger
    found = [{"sort": "unit"} | plain(unit) for unit in ledger.units()]
    boxes = {box for unit in found for box in unit["container"]}
    states = (ledger.box(box) for box in boxes)
    found += [{"sort": "box"} | plain(state) for state in states if state is not None]
    return sorted(found, key=lambda row: (row["code"], row["sort"]))


def stations(office: Office) -> list[Row]:
    """Journals of stations: how far the hub holds them, and what they last said of themselves.

    `successor`: the journal that goes on in the place of this one, `closed_at`: since when, by this
    hub; None while it is open.
    """
    gauges = office.store.gauges()
    rows = []
    for journal in office.store.journals():
        if journal.role != "station":
            continue
        branches = office.store.branches(journal.no)
        tip = journals.longest(branches)
        at, said = gauges.get(journal.no, (None, "{}"))
        apart = gaps.apart(branches)
        after = succeeding.successor_of(office, journal.id)
        rows.append(
            {
                "station": journal.name,
                "line": journal.line,
                "site": journal.site,
                "journal": show_journal(journal.id),
                "successor": show_journal(after) if after else None,
                "closed_at": succeeding.closed_at(office, journal.id),
                "seq": tip.tip_seq if tip else 0,
                "event_id": tip.tip_id.hex() if tip else None,
                "branches": 1 + len(gaps.forks(branches)) if branches else 0,
                "apart": [{"first": one.first, "last": one.last} for one in apart],
                "missing": _missing(tip.tip_seq if tip else 0, apart),
                "lost": [seq for seq, _ in holes.listed(office.store, journal)],
                "said_at": at,
                "gauges": json.loads(said),
            }
        )
    return sorted(rows, key=lambda row: (row["station"], row["journal"]))


def _missing(reached: int, apart: Sequence[Apart]) -> int:
    """Events that the hub knows of and does not hold, between what it holds."""
    missing = 0
    for one in apart:
        missing += max(0, one.first - 1 - reached)
        reached = max(reached, one.last)
    return missing


def lots(office: Office) -> list[Row]:
    """Lots as last published, with what the ledger says of them."""
    rows = []
    for lot in versions_of(office, "lot").values():
        if isinstance(lot, Lot):
            state = plain(office.store.ledger.lot(lot.part, lot.lot))
            rows.append({"lot": lot.lot, "part": lot.part, "published": to_content(lot)} | state)
    return sorted(rows, key=lambda row: (row["part"], row["lot"]))


def orders(office: Office) -> list[Row]:
    """Work orders as last published, by id."""
    found = versions_of(office, "order")
    return [to_content(found[name]) for name in sorted(found)]


TABLES: Final[Mapping[str, Callable[[Office], list[Row]]]] = {
    "blocks": blocks,
    "cases": cases,
    "findings": findings,
    "rechecks": rechecks,
    "stations": stations,
    "units": units,
    "balance": balance,
    "lots": lots,
    "orders": orders,
}


def show(office: Office, table: str) -> list[Row]:
    """See `hub.services.hub.Hub.show`."""
    with office.store.reading():
        return TABLES[table](office)


def fingerprint(office: Office) -> Row:
    """The ledger's fingerprint with its frontier; `unprojected` above 0 asks for a rebuild."""
    with office.store.reading():
        found = office.store.ledger.fingerprint()
        return {
            "fingerprint": found.hex64,
            "short": found.short,
            "frontier": [
                {"journal": show_journal(journal), "seq": seq, "event_id": event_id.hex()}
                for journal, seq, event_id in found.frontier
            ],
            "uninterpreted": office.store.ledger.uninterpreted(),
            "unprojected": office.store.unprojected_count(),
            "quarantined": office.store.quarantine_count(),
        }


def plain(value: Any) -> Any:
    """Frozen values as JSON: bytes as hex, places as references, tuples as lists."""
    if isinstance(value, Placed):
        return value.ref
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
