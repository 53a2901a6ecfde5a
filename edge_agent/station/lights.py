"""How far each bind can be trusted now, in one word, from what this station holds (capability M5).

- `contested`: an open case is about it, or it stands where its journal has two histories.
- `upstream-unverified`: it was made on trust, since something of the steps before was unknown here,
  and that is still so, or turned out wrong; or the result before it is known from a journal with
  two histories alone.
- `hub-confirmed`: the hub has the event and nothing speaks against it.
- `local-proven`: proven here, and the hub is not known to have it yet.

The first that fits holds. A light changes by itself when events arrive; nobody scans anything
again. Reads only.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from edge_agent.journal.forked import forked_in, in_doubt
from edge_agent.journal.identity import Identity
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.standing import read_by_neighbours
from tally.ledger.sqlite import SqliteLedger
from tally.master import Words
from tally.merge.rechecks import checks_of
from tally.records.ids import EventId, JournalId, Ref, parse_ref, ref_to
from tally.trace import Trace

Light = Literal["contested", "upstream-unverified", "hub-confirmed", "local-proven"]
LIGHTS: Final[Mapping[Light, Words]] = {
    "contested": Words("contested", "有争议"),
    "upstream-unverified": Words("upstream unverified", "上游未验证"),
    "hub-confirmed": Words("hub confirmed", "中心已确认"),
    "local-proven": Words("local proven", "本地已证明"),
}
_BOUND: Final = '{"t":"component.bound"%'


class Lights:
    """The lights of events, over one moment of the journal."""

    def __init__(self, connection: sqlite3.Connection, identity: Identity) -> None:
        ledger = SqliteLedger(connection)
        self._connection = connection
        self._ledger = ledger
        self._forked = forked_in(connection)
        self._own = identity.journal
        receipt = read_receipt(connection, identity.journal)
        self._durable = receipt.durable_through if receipt else 0
        self._by_neighbours = read_by_neighbours(connection)
        open_cases = (case for case in ledger.cases() if case.status != "decided")
        self._contested = {claim.ref for case in open_cases for claim in case.claims}
        self._unverified = {one.ref for one in ledger.rechecks() if one.state != "passed"}

    def of(self, ref: str) -> Light:
        """The light of the event that a reference names."""
        named = parse_ref(ref)
        if ref in self._contested or in_doubt(self._forked, named):
            return "contested"
        if ref in self._unverified or (self._forked and self._rests_on_doubt(named)):
            return "upstream-unverified"
        return "hub-confirmed" if self._is_at_hub(named.journal, named.seq) else "local-proven"

    def _rests_on_doubt(self, named: Ref) -> bool:
        """Whether a check let it pass for a result that nobody can say which computer made."""
        graph = self._ledger.graph
        at = graph.find(named)
        if at is None or not graph.is_readable(at):
            return False
        for check in checks_of(graph.line(at).b):
            if check.rule != "previous_op" or check.verdict != "PASS":
                continue
            attempts = self._ledger.operation(check.subject, check.arg or "")
            origins = attempts[-1].origins if attempts else ()
            if origins and all(in_doubt(self._forked, parse_ref(one.ref)) for one in origins):
                return True
        return False

    def _is_at_hub(self, journal: JournalId, seq: int) -> bool:
        if journal == self._own:
            return seq <= self._durable
        return seq < self._by_neighbours.get(journal, seq + 1)

    def counts(self) -> dict[Light, int]:
        """Own binds that the hub has not acknowledged, by light; each light stands there."""
        rows = self._connection.execute(
            "SELECT seq, id FROM event WHERE seq > ? AND CAST(line AS TEXT) LIKE ?",
            (self._durable, _BOUND),
        )
        found = Counter(self.of(str(ref_to(self._own, seq, EventId(event)))) for seq, event in rows)
        return {light: found[light] for light in LIGHTS if light != "hub-confirmed"}


def lights_of(
    connection: sqlite3.Connection, identity: Identity, traces: Iterable[Trace]
) -> dict[str, Light]:
    """The light of each link's event, by reference."""
    lights = Lights(connection, identity)
    refs = {link.origin.ref for trace in traces for link in trace.links}
    return {ref: lights.of(ref) for ref in sorted(refs)}


def light_lines(trace: Trace, lights: Mapping[str, Light], lang: Literal["en", "zh"]) -> list[str]:
    """One line a link: what is in what, and its light; those that need somebody first."""
    order = list(LIGHTS)
    links = sorted(
        trace.links,
        key=lambda one: (order.index(lights[one.origin.ref]), one.parent, one.slot, one.child),
    )
    inside = "in" if lang == "en" else "装于"
    return [
        f"[{_said(LIGHTS[lights[link.origin.ref]], lang)}] {link.child} {inside} {link.parent}"
        for link in links
    ]


def _said(words: Words, lang: Literal["en", "zh"]) -> str:
    return words.zh if lang == "zh" else words.en
