"""`tally bench drain`: stations come back from an outage, one alone and three hundred at once (G7).

Journals are made before by the real journal code; stations are programs that run the real sync;
the hub is `tally hub serve`. Beside it, in the same round and with the same events: the raw limit
(our pieces' bytes over TLS, one fdatasync each), an outbox to the plain hub, an outbox to a tuned
one. After each round the hub's file is opened and must hold every journal to its last event.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine, plant
from bench.fleet import OURS, PLAIN, RAW, TUNED, Sent, send_all
from bench.measuring import Spread
from bench.outages import make_outages
from bench.programs import Served, hub_served, peer_served
from bench.relay import Relay
from bench.report import Count, Measured, Ratio, Report
from hub import bootstrap, trust
from tally.records.ids import JournalId

EVENTS: Final = 20_000
QUICK_EVENTS: Final = 200
STATIONS: Final = 300
QUICK_STATIONS: Final = 4
KINDS: Final = (OURS, PLAIN, TUNED, RAW)
NOTES: Final = (
    (
        "Plain: a table of unsent rows, 500 a request, to FastAPI + pydantic over HTTP. Tuned: the "
        "same table packed with zstd over TLS, to Starlette + msgspec, which is what an outbox can "
        "be made of from PyPI without a service beside it. Neither proves, signs or compares."
    ),
    (
        "Raw limit: the bytes of our pieces over TLS, each written and synced before the answer; "
        "nobody reads them."
    ),
    (
        "All stations run on this machine too, in three programs; in a plant each has a computer. "
        "Events for each second of the hub's own processor do not depend on that."
    ),
    (
        "A station is done when the receipt for its newest event was verified and is on its disk. "
        "Slowest / median: how much longer the last station waits than the middle one."
    ),
    "Not measured: a network with delay and loss; PouchDB, NATS and Morango (docs/benchmarks.md).",
)


@dataclass(frozen=True, slots=True)
class _Drained:
    """One kind in one round."""

    one: float
    all: float
    fairness: float


@dataclass(frozen=True, slots=True)
class _Cost:
    """What the hub needed while all stations drained."""

    idle_mib: float
    peak_mib: float
    per_cpu_second: float
    p99_seconds: float
    """Of all requests of all stations, the long poll left out."""
    busy: int
    """Requests that were told to come again."""
    faults: int
    """Requests that the hub did not answer, or with a fault of its own."""


class _Round:
    """One plant with its stations, everything waiting to be sent."""

    def __init__(self, directory: Path, stations: int, events: int) -> None:
        self.directory = directory
        self.events = events
        self.each = max(1, events // stations)
        directory.mkdir()
        self.fleet = [directory / f"S{number:04d}" for number in range(1, stations + 1)]
        self.alone, self.counted, self.short = (directory / name for name in ("A1", "C1", "C2"))
        short = [(folder, self.each) for folder in (*self.fleet, self.short)]
        wanted = [(self.alone, events), (self.counted, events), *short]
        hub = plant.make_hub(directory / "hub", [folder.name for folder, _ in wanted])
        now = dt.datetime.now(dt.UTC)
        self.certificate = trust.server_certificate(directory / "hub", hub.office.secrets, now)
        make_outages(hub, wanted)
        hub.office.store.close()
        self.reached: list[str] = []
        self.cost: _Cost | None = None
        self.wire: tuple[Count, ...] = ()

    def drained(self, turn: int) -> dict[str, _Drained]:
        """Each kind once, in another order each round."""
        with ExitStack() as stack:
            served: dict[str, Served] = {
                OURS: stack.enter_context(hub_served(self.directory / "hub")),
                PLAIN: stack.enter_context(peer_served("plain_hub", self.directory / "plain.db")),
            }
            for kind, name in ((TUNED, "tuned_hub"), (RAW, "raw_door")):
                file = self.directory / f"{kind}.file"
                served[kind] = stack.enter_context(peer_served(name, file, self.certificate))
            if turn == 0:
                self.wire = self._wire(served[OURS])
            order = [KINDS[(turn + step) % len(KINDS)] for step in range(len(KINDS))]
            return {kind: self._drain(kind, served[kind]) for kind in order}

    def _drain(self, kind: str, served: Served) -> _Drained:
        alone = self._send(kind, served, [self.alone])
        served.forget_peak()
        idle, cpu = served.resident_mib(), served.cpu_seconds()
        together = self._send(kind, served, self.fleet)
        waited = [one.seconds for one in together]
        total = self.each * len(self.fleet)
        if kind == OURS:
            used = max(served.cpu_seconds() - cpu, 0.01)
            answers = [answer for one in together for answer in one.answers]
            seconds = sorted(answer.seconds for answer in answers)
            self.cost = _Cost(
                idle,
                served.peak_mib(),
                total / used,
                seconds[int(len(seconds) * 0.99)],
                sum(answer.status in {429, 503} for answer in answers),
                sum(answer.status in {0, 500} for answer in answers),
            )
        return _Drained(
            self.events / alone[0].seconds,
            total / max(waited),
            max(waited) / statistics.median(waited),
        )

    def _send(self, kind: str, served: Served, folders: Sequence[Path]) -> list[Sent]:
        sent = send_all(kind, served.address, folders)
        if kind == OURS:
            self.reached += [one.reached for one in sent]
        return sent

    def _wire(self, served: Served) -> tuple[Count, ...]:
        """Bytes that go over a counting cable for a long journal and for a short one."""
        return (
            *self._counted(served, self.counted, self.events),
            *self._counted(served, self.short, self.each),
        )

    def _counted(self, served: Served, folder: Path, events: int) -> tuple[Count, ...]:
        with Relay(served.address) as cable:
            (sent,) = send_all(OURS, cable.address, [folder])
        self.reached.append(sent.reached)
        of, how = f"of a journal of {events}", "TLS and headers included, at a relay"
        return (
            Count(f"to the hub, {of}", cable.up / events, "B/event", how, "G14", 20),
            Count(f"back, {of}", cable.down / events, "B/event", how),
        )

    def check(self) -> None:
        """The hub's file holds each journal to the event that its station says is its newest."""
        hub = bootstrap.open_view(self.directory / "hub")
        held = hub.frontier()
        hub.office.store.close()
        for said in self.reached:
            journal, seq, event_id = said.split()
            there = held.get(JournalId(bytes.fromhex(journal)))
            if there is None or (there[0], there[1].hex()) != (int(seq), event_id):
                raise RuntimeError(f"the hub holds {there} where a station ends at {said}")


def run(directory: Path, *, rounds: int, stations: int, events: int) -> Report:
    """Measure, in an empty folder on the disk that counts.

    Args:
        directory: the folder.
        rounds: how often.
        stations: that come back at once.
        events: of the station that drains alone, and of all others together.
    """
    facts = machine.facts(directory)
    found: list[dict[str, _Drained]] = []
    costs: list[_Cost] = []
    wire: tuple[Count, ...] = ()
    for turn in range(rounds):
        current = _Round(directory / f"round-{turn}", stations, events)
        found.append(current.drained(turn))
        wire = wire or current.wire
        current.check()
        assert current.cost is not None
        costs.append(current.cost)
    one = {kind: [each[kind].one for each in found] for kind in KINDS}
    all_ = {kind: [each[kind].all for each in found] for kind in KINDS}
    over = Spread.of_ratios
    many = f"{stations} stations"
    return Report(
        bench="drain",
        rounds=rounds,
        size=f"{events} binds from one station, {max(1, events // stations)} from each of {many}",
        machine=facts,
        ratios=(
            Ratio("one station / raw limit", over(one[OURS], one[RAW]), "", "higher"),
            Ratio("one station / plain outbox", over(one[OURS], one[PLAIN]), "G7", "higher"),
            Ratio("one station / tuned outbox", over(one[OURS], one[TUNED]), "G7", "higher"),
            Ratio(f"{many} / raw limit", over(all_[OURS], all_[RAW]), "", "higher"),
            Ratio(f"{many} / plain outboxes", over(all_[OURS], all_[PLAIN]), "", "higher"),
            Ratio(f"{many} / tuned outboxes", over(all_[OURS], all_[TUNED]), "", "higher"),
            *(
                Ratio(
                    f"slowest / median, {words}",
                    Spread.of([each[kind].fairness for each in found]),
                )
                for kind, words in ((OURS, many), (PLAIN, "plain"), (TUNED, "tuned"))
            ),
            Ratio(
                "hub's memory, peak / before",
                Spread.of([cost.peak_mib / cost.idle_mib for cost in costs]),
            ),
        ),
        measured=(
            *(
                Measured(f"{who}, {kind}", "events/s", Spread.of(rates[kind]))
                for who, rates in (("one station", one), (many, all_))
                for kind in KINDS
            ),
            Measured(
                "a second of the hub's processor",
                "events",
                Spread.of([cost.per_cpu_second for cost in costs]),
            ),
            Measured(
                f"p99 of a request while {many} drain",
                "s",
                Spread.of([cost.p99_seconds for cost in costs]),
            ),
            Measured(
                f"requests told to come again, {many}",
                "in all",
                Spread.of([float(cost.busy) for cost in costs]),
            ),
            Measured(
                f"requests not answered or with a fault, {many}",
                "in all",
                Spread.of([float(cost.faults) for cost in costs]),
            ),
            Measured(
                f"the hub's peak while {many} drain",
                "MiB",
                Spread.of([cost.peak_mib for cost in costs]),
            ),
        ),
        counts=wire,
        notes=(*machine.warnings(directory), *NOTES),
    )
