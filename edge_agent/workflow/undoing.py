"""Undo: take back the last action by an event that names its events; nothing is ever deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from edge_agent.workflow.turn import Reply, Turn, Weight, ok, plain, refuse
from edge_agent.workflow.types import Ask, Undo, Verdict
from tally.events.types import ActionUndone

FINAL_S_MAX: Final = 60
"""How long a finished unit can be taken back (`screens` 2.6); later it is a lead's correction."""


def ask_undo(turn: Turn) -> Reply:
    """CTLUNDO: say what would be taken back, and wait for CTLOK."""
    undo = _reachable(turn)
    if isinstance(undo, Reply):
        return undo
    turn.change(ask=Ask("undo", undo.key, undo.says))
    return Reply(Verdict.WAIT, undo.key, undo.says)


def undo_last(turn: Turn) -> Reply:
    """CTLOK after CTLUNDO: reverse, and stand where the station stood before."""
    undo = _reachable(turn)
    if isinstance(undo, Reply):
        return undo
    named = ", ".join(plain(said) for said in undo.says.values())
    what = f"{undo.key.removeprefix('undo.')}: {named}"
    turn.record(ActionUndone(reason="operator", what=what), seen=undo.seqs)
    opened = turn.unit
    parked = tuple(one for one in turn.state.parked if undo.unit is None or one != undo.unit)
    if undo.unit:
        parked = tuple(one for one in parked if one.code != undo.unit.code)
        if opened and opened.code != undo.unit.code:
            # The next unit had opened by itself; it waits its turn again.
            back = msgspec.structs.replace(opened, parked="recalled", recalled=True)
            parked = (back, *parked)
    turn.clear()
    made = turn.state.made if undo.made is None else undo.made
    turn.change(unit=undo.unit, loaded=undo.loaded, parked=parked, undo=None, made=made)
    return ok("ok.undone")


def _reachable(turn: Turn) -> Undo | Reply:
    """Give what can be taken back, or say why nothing can."""
    undo = turn.state.undo
    if undo is None:
        return refuse("E-105", "ng.nothing_to_undo", weight=Weight.NONE)
    if _is_too_late(turn, undo):
        return refuse("E-112", "ng.too_late_to_undo", seconds=str(FINAL_S_MAX))
    return undo


def _is_too_late(turn: Turn, undo: Undo) -> bool:
    if not undo.is_final:
        return False
    passed = turn.now.at - datetime.fromisoformat(undo.at)
    return abs(passed.total_seconds()) > FINAL_S_MAX
