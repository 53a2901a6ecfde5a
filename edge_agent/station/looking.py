"""What the reading commands show: plain values from a read-only connection.

Works while the station runs, and never changes anything. Each function gives a JSON-safe dict; its
keys are what scripts rely on.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.journal.blocks import read_blocks
from edge_agent.journal.branches import read_branches
from edge_agent.journal.copy_stamp import stamp_of
from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.holes import lost_in
from edge_agent.journal.identity import Identity
from edge_agent.journal.left import pruned_through
from edge_agent.journal.machine import read_kept
from edge_agent.journal.mending import damaged_in
from edge_agent.journal.projecting import not_taken_in
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.revoked import revocation_of
from edge_agent.station.safekeeping import safekeeping
from edge_agent.workflow.saving import load_state
from edge_agent.workflow.types import OpenUnit, StationState
from tally.events.decoding import EventLine, read_line
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import show_journal
from tally.trace import Direction, Trace, as_plain, trace


def status(connection: sqlite3.Connection, identity: Identity) -> dict[str, Any]:
    """Where the journal stands, what the hub acknowledged, what else is known."""
    row = connection.execute("SELECT seq, id FROM position").fetchone()
    if row is None:
        raise JournalCorrupt(0, expected="a journal that was opened", found="no signed head")
    seq, event_id = row
    receipt = read_receipt(connection, identity.journal)
    durable = receipt.durable_through if receipt else 0
    names = dict(connection.execute("SELECT journal, name FROM known_key").fetchall())
    return {
        "station": identity.station,
        "plant": identity.plant,
        "journal": show_journal(identity.journal),
        "seq": seq,
        "event_id": event_id.hex(),
        "acknowledged": durable,
        "unsent": seq - durable,
        "archived": receipt.archived_through if receipt else 0,
        "pruned": pruned_through(connection),
        "sealed": connection.execute("SELECT coalesce(max(last), 0) FROM seal").fetchone()[0],
        "suspect": _meta(connection, "suspect"),
        "copy_of": _copy_of(connection),
        "machine_changed": list(kept.changed) if (kept := read_kept(connection)) else [],
        "damaged": list(damaged_in(connection)),
        "lost": sorted(lost_in(connection)),
        "not_taken": not_taken_in(connection)[0],
        "key_revoked": revocation_of(connection, identity.journal),
        "hub_noted": hub_noted(connection),
        "durability": safekeeping(connection, identity, seq),
        "others": [
            {
                "journal": show_journal(branch.journal),
                "name": names.get(branch.journal, ""),
                "branch": branch.branch,
                "seq": branch.tip,
                "event_id": branch.tip_id.hex(),
            }
            for branch in read_branches(connection)
        ],
    }


def _copy_of(connection: sqlite3.Connection) -> dict[str, Any] | None:
    stamp = stamp_of(connection)
    return {"made": stamp.made, "seq": stamp.seq} if stamp else None


def wip(connection: sqlite3.Connection) -> dict[str, Any]:
    """Work in progress: the open unit or box, parked ones, loaded lots, who is signed in."""
    row = connection.execute("SELECT state FROM position").fetchone()
    state = load_state(row[0]) if row and row[0] else StationState()
    return {
        "plan": state.plan,
        "order": state.order,
        "operator": state.operator.badge if state.operator else None,
        "locked": state.locked,
        "open": _unit(state.unit) if state.unit else None,
        "parked": [_unit(unit) for unit in state.parked],
        "loaded": [
            {"part": loaded.part, "slot": loaded.slot, "lot": loaded.lot} for loaded in state.loaded
        ],
    }


def _unit(unit: OpenUnit) -> dict[str, Any]:
    return {
        "code": unit.code,
        "kind": unit.kind,
        "product": unit.product,
        "plan": unit.plan,
        "step": unit.step + 1,
        "attempt": unit.attempt,
        "commissioned": unit.commissioned,
        "bound": [{"slot": bound.slot, "child": bound.child} for bound in unit.bound],
        "items": list(unit.items),
        "parked": unit.parked,
    }


def codes(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every block of this journal, oldest grant first."""
    return [
        {
            "block": block.block,
            "scheme": block.scheme,
            "start": block.start,
            "count": block.count,
            "used": block.used,
            "left": block.left,
            "given": block.given,
            "lender": block.lender,
            "next": block.next,
            "period": block.period.isoformat() if block.period else None,
            "grant": block.ref,
        }
        for block in read_blocks(connection)
    ]


def fingerprint(connection: sqlite3.Connection) -> dict[str, Any]:
    """The ledger's fingerprint with its frontier (`format.md` 5)."""
    ledger = SqliteLedger(connection)
    found = ledger.fingerprint()
    return {
        "fingerprint": found.hex64,
        "short": found.short,
        "frontier": [
            {"journal": show_journal(journal), "seq": seq, "event_id": event_id.hex()}
            for journal, seq, event_id in found.frontier
        ],
        "uninterpreted": ledger.uninterpreted(),
    }


def traces(
    connection: sqlite3.Connection, code: str, wanted: Sequence[Direction]
) -> tuple[Trace, ...]:
    """Where a code went (`up`) and what is in it (`down`), as far as this station knows."""
    graph = SqliteLedger(connection).graph
    return tuple(trace(graph, code, way) for way in wanted)


def traces_as_plain(code: str, found: Sequence[Trace], lights: Mapping[str, str]) -> dict[str, Any]:
    """One direction as `tally.trace` gives it; of both {code, down, up, completeness}.

    Each link has a `light` as well (`lights`).
    """
    plain: dict[str, dict[str, Any]] = {one.direction: as_plain(one) for one in found}
    for one in plain.values():
        one["links"] = [link | {"light": lights[link["event"]]} for link in one["links"]]
    if len(found) == 1:
        return plain[found[0].direction]
    return {"code": code, **plain, "completeness": plain[found[0].direction]["completeness"]}


def untraced(code: str, found: Trace) -> str:
    """Words for a code that no event here names."""
    return (
        f"No event at this station names {code[:80]!r}. Check the code, or let the station sync. "
        f"{found.completeness.words['en']}"
    )


def newest_event(connection: sqlite3.Connection) -> EventLine | None:
    """The last own event, if this program can read it."""
    row = connection.execute("SELECT line FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    event = read_line(row[0]) if row else None
    return event if isinstance(event, EventLine) else None


def hub_noted(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Our clock less the hub's, and the end of the hub's certificate, as last seen; None if never.

    Keys: `at`, `clock_offset_ms`, `clock_within_ms`, `certificate_end`.
    """
    kept = _meta(connection, "hub_noted")
    return None if kept is None else dict(json.loads(kept))


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
