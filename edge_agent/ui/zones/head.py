"""The two rows at the top: station, order, plan, time, person; then the unit and how far it is.

Where a row has not room for all, the least needed goes first; a code is never shortened.
"""

from __future__ import annotations

from edge_agent.station.snapshot import NO_WORDS, Snapshot
from edge_agent.ui.cells import Row, Style, beside, cells, pad, row
from edge_agent.ui.view import View

_STEP_COLUMN = 33
_BAR_WIDTH = 14


def head(snapshot: Snapshot, view: View) -> list[Row]:
    """Give both rows."""
    return [_where(snapshot, view), _unit(snapshot, view)]


def _where(snapshot: Snapshot, view: View) -> Row:
    is_wrong = snapshot.status.clock != NO_WORDS
    time = snapshot_time(view)
    clock = view.label("clock_wrong", time=time) if is_wrong else time
    who = view.say(snapshot.operator) if snapshot.operator else view.label("nobody")
    after = f"  {who} "
    room = view.width - cells(clock) - cells(after) - 1
    left = next((one for one in _wheres(snapshot, view) if cells(one) <= room), "")
    where = pad(left or f" {snapshot.station}", room)
    style: Style = "red" if is_wrong else "head"
    return row((where, "head"), (clock, style), (after, "head"), width=view.width, fill="head")


def snapshot_time(view: View) -> str:
    """Give the time of day, with seconds where there is room."""
    return view.now.strftime("%H:%M:%S" if view.is_wide else "%H:%M")


def _wheres(snapshot: Snapshot, view: View) -> list[str]:
    """Give what may stand at the left, the fullest first."""
    station = f"{snapshot.station} {view.say(snapshot.operation)}".strip()
    line = [snapshot.line] if view.is_wide and snapshot.line else []
    plan, _, version = snapshot.plan.partition("@")
    shown = [view.label("plan", version=version)] if plan else [view.label("no_plan")]
    if view.is_wide and plan:
        shown = [view.label("plan_of", plan=snapshot.plan)]
    product = view.say(snapshot.product)
    number = product.partition(" ")[0]
    work = [_work(snapshot, view, one) for one in (product, number, "")]
    parts = [
        [station, *line, work[0], *shown],
        [station, work[0], *shown],
        [station, work[0]],
        [station, work[1], *shown],
        [station, work[1]],
        [station, work[2]],
        [station],
    ]
    return [" " + " | ".join(one for one in part if one) for part in parts]


def _work(snapshot: Snapshot, view: View, product: str) -> str:
    if snapshot.order is None:
        return product
    return view.label("order", order=view.clean(snapshot.order), product=product).strip()


def _unit(snapshot: Snapshot, view: View) -> Row:
    code = view.clean(snapshot.unit or "")
    unit = view.label(snapshot.kind, code=code) if code else view.label("no_unit")
    step = view.label("step", step=snapshot.step, steps=snapshot.steps) if snapshot.steps else ""
    left = pad(f" {unit}", max(cells(unit) + 3, _STEP_COLUMN)) + step
    right = _progress(snapshot, view, view.width - cells(left) - 2)
    return beside(left, f"{right} ", view.width, "strong")


def _progress(snapshot: Snapshot, view: View, room: int) -> str:
    """Give the progress of the order: the number always, the bar where there is room."""
    if not snapshot.wanted:
        return ""
    count = f"{snapshot.made}/{snapshot.wanted}"
    width = _BAR_WIDTH * 2 if view.is_wide else _BAR_WIDTH
    filled = min(width, width * snapshot.made // snapshot.wanted)
    full = f"{count} [{'#' * filled}{'.' * (width - filled)}]"
    return full if cells(full) <= room else count if cells(count) <= room else ""


def blurred(view: View) -> Row:
    """Give the warning that scans go elsewhere."""
    return row((f" {view.label('blurred')}", "red"), width=view.width, fill="red")
