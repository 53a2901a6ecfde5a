"""The table of event types: name, version, body. One row per type; every list of types
elsewhere is made from this one.
"""

from __future__ import annotations

from typing import Final

from tally.events import types as t

TYPES: Final[dict[str, type[t.Body]]] = {
    "journal.opened": t.JournalOpened,
    "agent.started": t.AgentStarted,
    "journal.checkpointed": t.JournalCheckpointed,
    "clock.observed": t.ClockObserved,
    "clock.jumped": t.ClockJumped,
    "operator.signed_in": t.OperatorSignedIn,
    "operator.signed_out": t.OperatorSignedOut,
    "refusal.shown": t.RefusalShown,
    "changeover.made": t.ChangeoverMade,
    "step.skipped": t.StepSkipped,
    "drill.started": t.DrillStarted,
    "drill.scanned": t.DrillScanned,
    "drill.ended": t.DrillEnded,
    "event.mended": t.EventMended,
    "event.lost": t.EventLost,
    "machine.changed": t.MachineChanged,
    "machine.confirmed": t.MachineConfirmed,
    "code.reserved": t.CodeReserved,
    "block.returned": t.BlockReturned,
    "block.lent": t.BlockLent,
    "block.borrowed": t.BlockBorrowed,
    "label.printed": t.LabelPrinted,
    "label.scrapped": t.LabelScrapped,
    "unit.commissioned": t.UnitCommissioned,
    "lot.received": t.LotReceived,
    "lot.released": t.LotReleased,
    "lot.loaded": t.LotLoaded,
    "lot.unloaded": t.LotUnloaded,
    "component.bound": t.ComponentBound,
    "component.unbound": t.ComponentUnbound,
    "measurement.taken": t.MeasurementTaken,
    "operation.completed": t.OperationCompleted,
    "box.opened": t.BoxOpened,
    "item.packed": t.ItemPacked,
    "item.unpacked": t.ItemUnpacked,
    "box.closed": t.BoxClosed,
    "hold.placed": t.HoldPlaced,
    "hold.released": t.HoldReleased,
    "action.undone": t.ActionUndone,
    "station.enrolled": t.StationEnrolled,
    "key.published": t.KeyPublished,
    "key.retired": t.KeyRetired,
    "ca.published": t.AuthorityPublished,
    "key.revoked": t.KeyRevoked,
    "journal.forked": t.JournalForked,
    "journal.closed": t.JournalClosed,
    "block.leased": t.BlockLeased,
    "block.written_off": t.BlockWrittenOff,
    "master.published": t.MasterPublished,
    "order.released": t.OrderReleased,
    "decision.made": t.DecisionMade,
}
"""Name of the type in a line → its body, version 1."""

NAMES: Final[dict[type[t.Body], str]] = {body: name for name, body in TYPES.items()}

CARRIES_CONTENT: Final = (t.MasterPublished, t.OrderReleased)
"""Types with free-form content, which only the strict reader can judge."""
