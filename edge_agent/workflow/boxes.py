"""Boxes: pack items, close with the content list once the label was read back."""

from __future__ import annotations

import hashlib
from typing import Final

from edge_agent.scan import Scan
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.labels import wrong_label
from edge_agent.workflow.parts import is_serial_of, stop
from edge_agent.workflow.progress import close, step_done
from edge_agent.workflow.rules import judge, rule_serial
from edge_agent.workflow.turn import Reply, Turn, ok, refuse, stand
from edge_agent.workflow.types import Ask, Verdict
from edge_agent.workflow.wrong import wrong_scan
from tally.events.types import BoxClosed, Check, ItemPacked
from tally.master.plans import CloseBox, Pack

LIST_BYTES_MAX: Final = 48 * 1024
"""The content list of a box stands in one event line of 64 KiB, with room for the rest."""


def pack(turn: Turn, scan: Scan, step: Pack, approved: PersonFact | None = None) -> Reply:
    """One unit goes into the open box."""
    box = turn.open_unit
    if not is_serial_of(turn, scan, step.part):
        return wrong_scan(turn, scan)
    if scan.text in box.items:
        at = str(box.items.index(scan.text) + 1)
        return refuse("E-104", "ng.already_in_box", item=scan.text, box=box.code, position=at)
    if sum(len(item) + 3 for item in box.items) > LIST_BYTES_MAX:
        return refuse("E-113", "ng.box_list_full", box=box.code, count=str(len(box.items)))
    ruled = rule_serial(
        turn.knowledge, scan.text, ns=None, rules=step.rules, default=turn.plan.unknown
    )
    judged = judge(ruled, approved)
    stopped = stop(turn, scan, judged)
    if stopped:
        return stopped
    items = (*box.items, scan.text)
    right = Check("right_part", scan.text, "PASS", "numbering scheme", step.part)
    turn.record(
        ItemPacked(
            item=scan.text,
            box=box.code,
            position=len(items),
            checks=(right, *judged.checks),
            provisional=judged.is_provisional,
            source=scan.source,
            raw=scan.raw,
        ),
        seen=judged.seen,
    )
    turn.change_unit(items=items)
    key = "ok.packed_provisional" if judged.is_provisional else "ok.packed"
    said = ok(key, item=scan.text, count=str(len(items)), capacity=str(step.count))
    if len(items) >= step.count:
        said = step_done(turn, stand(turn.state, turn.plan), said)
    else:
        turn.clear()
    turn.can_undo("undo.packed", item=scan.text, box=box.code)
    return said


def end_early(turn: Turn, step: Pack) -> Reply:
    """CTLDONE with room left: a partial box needs a lead's badge."""
    box = turn.open_unit
    if not box.items:
        return refuse("E-111", "ng.box_empty", box=box.code)
    says = {"box": box.code, "count": str(len(box.items)), "capacity": str(step.count)}
    turn.change(ask=Ask("partial", "ask.partial", dict(says)))
    return Reply(Verdict.WAIT, "ask.partial", dict(says), "E-207")


def allow_partial(turn: Turn) -> Reply:
    """The lead's badge for a partial box; go on to closing it."""
    said = Reply(Verdict.READY, "ready.partial", {"box": turn.open_unit.code})
    return step_done(turn, stand(turn.state, turn.plan), said)


def close_box(turn: Turn, scan: Scan, step: CloseBox) -> Reply:
    """The label on the box was read back: the content is final."""
    box = turn.open_unit
    if box.label is None:
        return refuse("E-105", "ng.print_box_first", box=box.code)
    wrong = wrong_label(turn, scan, step)
    if wrong:
        return wrong
    listed = "".join(f"{item}\n" for item in sorted(box.items))
    turn.record(
        BoxClosed(box=box.code, items=box.items, sha256=hashlib.sha256(listed.encode()).hexdigest())
    )
    close(turn)
    turn.can_undo("undo.closed", box=box.code)
    return Reply(Verdict.DONE, "done.box", {"box": box.code, "count": str(len(box.items))})
