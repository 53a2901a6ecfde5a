"""A second opinion on a set of events: brute force, sharing no code with the merge.

Everything is recomputed from the whole set by scanning it again and again. Slow, short, and
written from `format.md` 6 and 7 alone: claims by type, endings by name, decisions by maximality,
cases by counting.
"""

from dataclasses import dataclass, field

from tally.records.ids import parse_ref, show_journal


@dataclass(frozen=True)
class Ev:
    """One event of the set: its place, the id before it, and what it says (None if unreadable)."""

    journal: bytes
    seq: int
    id: bytes
    before: bytes
    line: object = field(compare=False)

    @property
    def t(self):
        return self.line.t if self.line is not None else ""

    @property
    def b(self):
        return self.line.b


def esc(part):
    return str(part).replace("%", "%25").replace("/", "%2F")


def text(*parts):
    return "/".join(esc("" if part is None else part) for part in parts)


def claims(ev):
    """(how, kind, key, value) of every claim of one event."""
    b = ev.b if ev.line is not None else None
    child = lambda: text(b.child) if b.ns is None else text(b.ns, b.child)
    match ev.t:
        case "code.reserved":
            return [("ONCE", "code", text(b.code), show_journal(ev.journal))]
        case "unit.commissioned":
            return [("ONCE", "unit", text(b.code), text(b.product, b.order, b.lot))]
        case "component.bound" if b.tracking == "serial":
            into = text(b.parent, b.slot)
            return [("ONE", "in", child(), into), ("ONE", "slot", into, child())]
        case "component.bound":
            return [("SET", "uses", text(b.parent, b.slot), text(b.part, b.child, b.quantity))]
        case "operation.completed":
            return [("ONE", "op", text(b.unit, b.operation, b.attempt), text(b.result))]
        case "item.packed":
            return [("ONE", "box", text(b.item), text(b.box))]
        case "hold.placed":
            return [("SET", "hold", text(b.target), text(b.kind, b.reason))]
        case _:
            return [_claim(b, *row) for row in OTHERS.get(ev.t, ())]


def _claim(b, how, kind, key, value):
    return how, kind, text(*(getattr(b, name) for name in key)), text(
        *(getattr(b, name) for name in value)
    )  # fmt: skip


OTHERS = {
    "label.printed": [("SET", "print", ("code",), ("copy", "printer", "job"))],
    "label.scrapped": [("SET", "scrapped", ("code",), ("reason",))],
    "lot.received": [("ONE", "lot", ("part", "lot"), ("part", "supplier", "supplier_lot"))],
    "lot.released": [("SET", "lotrel", ("part", "lot"), ())],
    "measurement.taken": [
        ("SET", "measure", ("unit", "operation", "step", "attempt", "trial"),
         ("characteristic", "value", "unit_of_measure", "verdict", "low", "high")),
    ],
    "box.opened": [("ONCE", "boxopen", ("box",), ("product", "capacity", "order"))],
    "box.closed": [("ONE", "boxstate", ("box",), ("sha256",))],
    "master.published": [("ONE", "master", ("entity", "id", "version"), ("sha256",))],
    "order.released": [("ONE", "order", ("order",), ("sha256",))],
}  # fmt: skip
"""Types whose claims are plain fields: (how, kind, fields of the key, fields of the value)."""


ENDERS = {
    "component.unbound", "item.unpacked", "hold.released", "action.undone", "decision.made",
}  # fmt: skip


class Oracle:
    """Answers about one set of events."""

    def __init__(self, events):
        self.events = list(events)
        self.by_id = {ev.id: ev for ev in self.events}
        # Looked up again and again; which they are follows from their own type alone.
        self.enders = [ev for ev in self.events if ev.t in ENDERS]
        self.at = {}
        for ev in self.events:
            self.at.setdefault((ev.journal, ev.seq), []).append(ev)
        self.names = {}
        self.revoked = [ev for ev in self.events if ev.t == "key.revoked" and self.is_feed(ev)]

    def leads_to(self, ev, ref):
        """Whether an event is the one that a reference names, or stands before it."""
        try:
            end = parse_ref(ref)
        except ValueError:
            return False
        if end.journal != ev.journal or ev.seq > end.seq:
            return False
        named = [e for e in self.at.get((end.journal, end.seq), ()) if e.id.startswith(end.prefix)]
        if not named:
            return ev.seq < end.seq
        way = [*named, *self.chain_before(named[0])]
        there = [e for e in way if e.seq == ev.seq]
        return not there or ev in there

    def doubt(self, ev):
        """Empty, "open" or "excluded": whether a key that was taken back wrote it."""
        name = show_journal(ev.journal)
        if self.is_feed(ev):
            return ""
        worst = ""
        for revocation in self.revoked:
            if revocation.b.journal != name or self.leads_to(ev, revocation.b.trusted):
                continue
            answers = [
                by.b
                for by in self.decisions(f"trust:{name}")[0]
                if any(revocation in self.named(by, [ref]) for ref in by.b.claims_seen)
            ]
            if any(self.leads_to(ev, body.keep) for body in answers):
                continue
            was_seen = any(self.leads_to(ev, ref) for body in answers for ref in body.claims_seen)
            worst = "open" if not was_seen or worst == "open" else "excluded"
        return worst

    def chain_before(self, ev):
        found = []
        while ev.before in self.by_id:
            ev = self.by_id[ev.before]
            found.append(ev)
        return found

    def is_feed(self, ev):
        first = ([ev, *self.chain_before(ev)])[-1]
        return first.seq == 1 and first.t == "journal.opened" and first.b.role == "feed"

    def named(self, by, refs):
        """Events of the set that `by` names."""
        asked = (by.id, tuple(refs))
        if asked not in self.names:
            self.names[asked] = list(self._named(by, refs))
        return self.names[asked]

    def _named(self, by, refs):
        before = self.chain_before(by) if any(isinstance(ref, int) for ref in refs) else []
        for ref in refs:
            if isinstance(ref, int):
                yield from (e for e in before if e.seq == ref)
            else:
                try:
                    at = parse_ref(ref)
                except ValueError:
                    continue
                for e in self.at.get((at.journal, at.seq), ()):
                    if e.id.startswith(at.prefix):
                        yield e

    def undone(self, ev):
        return any(
            undo.t == "action.undone"
            and not self.doubt(undo)
            and ev in list(self.named(undo, [s for s in undo.line.seen if isinstance(s, int)]))
            and not self.undone(undo)
            for undo in self.enders
            if undo.journal == ev.journal and undo.seq > ev.seq
        )

    def decisions(self, key):
        """Effective decisions on a key, and whether they contradict."""
        known = [
            e for e in self.enders
            if e.t == "decision.made" and e.b.key == key and self.is_feed(e) and not self.undone(e)
        ]  # fmt: skip
        gone = {
            old.id for by in known for old in self.named(by, by.b.supersedes) if old.id != by.id
        }
        top = [e for e in known if e.id not in gone]
        outcomes = {(e.b.keep, frozenset(e.b.retires)) for e in top}
        return (top, False) if len(outcomes) == 1 else ([], bool(known))

    def live(self, ev):
        if self.doubt(ev):
            return False
        for by in self.enders:
            if self.doubt(by):
                continue
            if by.t == "decision.made":
                on_key = by.b.key in {f"{kind}:{key}" for _, kind, key, _ in claims(ev)}
                ends = on_key and ev in list(self.named(by, by.b.retires))
                in_force = ends and by in self.decisions(by.b.key)[0]
            elif by.t == "action.undone":
                own = [s for s in by.line.seen if isinstance(s, int)]
                in_force = ev in list(self.named(by, own)) and not self.undone(by)
            else:
                pairs = {
                    "component.unbound": ("component.bound", ("child", "ns", "parent")),
                    "item.unpacked": ("item.packed", ("item", "box")),
                    "hold.released": ("hold.placed", ("target",)),
                }
                if by.t not in pairs or ev.t != pairs[by.t][0]:
                    continue
                same = all(getattr(by.b, n) == getattr(ev.b, n) for n in pairs[by.t][1])
                in_force = same and ev in list(self.named(by, by.line.seen)) and not self.undone(by)
            if in_force:
                return False
        return True

    def live_claims(self):
        """(kind, key, value, event id) of everything that stands."""
        return {
            (kind, key, value, ev.id)
            for ev in self.events
            for _, kind, key, value in claims(ev)
            if self.live(ev)
        }

    def cases(self):
        """Key → status."""
        hows = {(kind, key): how for ev in self.events for how, kind, key, _ in claims(ev)}
        standing = self.live_claims()
        made = [e.b.key for e in self.events if e.t == "decision.made"]
        decided = {key for key in made if not key.startswith("trust:")}
        on_key, found = {}, {}
        for kind, key, value, ev in standing:
            on_key.setdefault((kind, key), []).append((value, ev))
        for name in {f"{kind}:{key}" for kind, key in hows} | decided:
            kind, _, key = name.partition(":")
            values = on_key.get((kind, key), [])
            how = hows.get((kind, key), "SET")
            count = {"SET": 0, "ONCE": len(values), "ONE": len({v for v, _ in values})}[how]
            effective, contested = self.decisions(name)
            if count > 1:
                found[name] = "contested" if contested else "open"
            elif effective:
                found[name] = "decided"
        return found
