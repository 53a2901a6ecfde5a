"""A trace as indented lines for a terminal, and as plain JSON values for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tally.merge.units import Origin
from tally.records.ids import show_journal
from tally.trace.completeness import Completeness
from tally.trace.histories import OneHistory
from tally.trace.timing import plain_time
from tally.trace.tracing import Done, Link, Node, Trace

DEPTH_MAX: Final = 40
"""Levels of a drawing."""


def as_lines(trace: Trace, lang: str = "en") -> list[str]:
    """The trace as people read it: one line a node below its parent, with who, where and when."""
    page = _Page(trace, lang)
    lines = [trace.words[lang]]
    for node in trace.nodes:
        if node.level == 0:
            lines += page.facts(node)
            page.drawn.add(node.code)
            lines += page.below(node.code, depth=1)
    lines += [
        f"! {one.station} clock {one.clock} against the hub's at {one.at} ({one.ref})"
        for one in trace.clocks
    ]
    return [*lines, trace.completeness.words[lang]]


class _Page:
    """One drawing: a code that was drawn before is named and not opened again."""

    def __init__(self, trace: Trace, lang: str) -> None:
        self._histories = trace.histories
        self._lang = lang
        self.is_down = trace.direction == "down"
        self.drawn: set[str] = set()
        self.nodes = {(node.code, node.sort == "lot"): node for node in trace.nodes}
        self.links: dict[str, list[Link]] = {}
        for link in trace.links:
            self.links.setdefault(link.parent if self.is_down else link.child, []).append(link)

    def below(self, code: str, *, depth: int) -> Iterator[str]:
        """The lines under one code, depth first, `DEPTH_MAX` levels at most."""
        indent = "  " * (2 * depth - 1)
        links = sorted(self.links.get(code, ()), key=lambda one: (one.slot, one.parent, one.child))
        if links and depth > DEPTH_MAX:
            yield f"{indent}… deeper than {DEPTH_MAX} levels; trace {code} to go on"
            return
        for link in links:
            far = link.child if self.is_down else link.parent
            yield f"{indent}{_relation(link)}{self._who(link.origin)}"
            if far in self.drawn:
                yield f"{indent}  {far} (above)"
                continue
            self.drawn.add(far)
            node = self.nodes.get((far, self.is_down and link.relation in {"lot", "of_lot"}))
            yield from (f"{indent}  {line}" for line in (self.facts(node) if node else [far]))
            yield from self.below(far, depth=depth + 1)

    def facts(self, node: Node) -> list[str]:
        """What is known of one node."""
        told = [node.product, node.lot and f"lot {node.lot}"]
        if node.supplier or node.supplier_lot:
            told.append(f"from {node.supplier} {node.supplier_lot}".rstrip())
        told += [f"HELD: {held.words['en']}" for held in node.held]
        head = ", ".join(text for text in told if text)
        lines = [f"{node.code}: {head}" if head else node.code]
        lines += [f"  made{self._who(origin)}" for origin in node.made]
        lines += [f"  {_done(done)}{self._who(done.origin)}{_timed(done)}" for done in node.done]
        return lines

    def _who(self, origin: Origin) -> str:
        one = self._histories.get(origin.ref)
        told = f" [{one.words[self._lang]}]" if one else ""
        return f" ({origin.who}, {origin.station}, {origin.at}){told}"


def _relation(link: Link) -> str:
    quantity = f" x{link.quantity}" if link.quantity else ""
    words = {"serial": link.slot, "lot": link.slot, "packed": "packed", "of_lot": "own lot"}
    return f"{words[link.relation]}{quantity}"


def _done(done: Done) -> str:
    return f"{done.what} {done.value}" + (f" plan {done.plan}" if done.plan else "")


def _timed(done: Done) -> str:
    return "" if done.timed.is_plain else f" [{done.timed.words['en']}]"


def as_plain(trace: Trace) -> dict[str, Any]:
    """The trace as JSON values.

    Fields: `root`, `direction`, `words`, `is_cut`, `nodes` [{code, sort, level, product, lot,
    supplier, supplier_lot, made, done, held}], `links` [{parent, child, relation, slot, quantity,
    who, station, at, event}], `clocks` [{station, event, at, offset_ms, within_ms}],
    `completeness`. `time` of a `done`: None where `at` and the order are right as they stand. An
    event of a journal that was forked has `history` {name, after, words} as well.
    """
    return {
        "root": trace.root,
        "direction": trace.direction,
        "words": trace.words,
        "is_cut": trace.is_cut,
        "nodes": [_plain_node(node, trace.histories) for node in trace.nodes],
        "links": [
            {
                "parent": link.parent,
                "child": link.child,
                "relation": link.relation,
                "slot": link.slot,
                "quantity": link.quantity,
                **_plain_origin(link.origin, trace.histories),
            }
            for link in trace.links
        ],
        "clocks": [
            {
                "station": one.station,
                "event": one.ref,
                "at": one.at,
                "offset_ms": one.clock.offset_ms,
                "within_ms": one.clock.within_ms,
            }
            for one in trace.clocks
        ],
        "completeness": plain_completeness(trace.completeness),
    }


def plain_completeness(found: Completeness) -> dict[str, Any]:
    """What an answer rests on, as JSON values.

    `journals` [{journal, name, seq, event_id, at}], `gaps`, `pending`, counts, `words`;
    `untrusted` [{journal, station, since, by, at, reason, event, is_decided, words}];
    `lost` [{journal, station, seq, at, event, words}].
    """
    return {
        "journals": [
            {
                "journal": show_journal(tip.journal),
                "name": tip.name,
                "seq": tip.seq,
                "event_id": tip.id.hex(),
                "at": tip.at,
            }
            for tip in found.tips
        ],
        "gaps": found.gaps,
        "pending": found.pending,
        "uninterpreted": found.unread,
        "untrusted": [
            {
                "journal": show_journal(one.journal),
                "station": one.station,
                "since": one.since,
                "by": one.by,
                "at": one.at,
                "reason": one.reason,
                "event": one.ref,
                "is_decided": one.is_decided,
                "words": one.words,
            }
            for one in found.untrusted
        ],
        "lost": [
            {
                "journal": show_journal(one.journal),
                "station": one.station,
                "seq": one.seq,
                "at": one.at,
                "event": one.ref,
                "words": one.words,
            }
            for one in found.lost
        ],
        "words": found.words,
    }


def _plain_node(node: Node, histories: Mapping[str, OneHistory]) -> dict[str, Any]:
    return {
        "code": node.code,
        "sort": node.sort,
        "level": node.level,
        "product": node.product,
        "lot": node.lot,
        "supplier": node.supplier,
        "supplier_lot": node.supplier_lot,
        "made": [_plain_origin(origin, histories) for origin in node.made],
        "done": [
            {
                "what": done.what,
                "value": done.value,
                "plan": done.plan,
                "time": None if done.timed.is_plain else plain_time(done.timed),
                **_plain_origin(done.origin, histories),
            }
            for done in node.done
        ],
        "held": [
            {"code": h.code, "subject": h.subject, "evidence": h.evidence, "words": h.words}
            for h in node.held
        ],
    }


def _plain_origin(origin: Origin, histories: Mapping[str, OneHistory]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "who": origin.who,
        "station": origin.station,
        "at": origin.at,
        "event": origin.ref,
    }
    one = histories.get(origin.ref)
    return plain | {"history": plain_history(one)} if one else plain


def plain_history(one: OneHistory) -> dict[str, Any]:
    """One of several histories as JSON values: its name, the last event it shares, words."""
    return {"name": one.name, "after": one.after, "words": one.words}
