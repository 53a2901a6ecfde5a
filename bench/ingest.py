"""`tally bench ingest`: what the hub takes in over HTTP, beside a plain hub fed the same events.

G5 durable acknowledgement, G6 durable and queryable: the hub answers after both, so one measurement
stands for both. The stages of our hub are measured one by one in this process (`bench.stages`), so
that a slow one can be found. What stations do to drain a journal is `bench.drain`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from bench import machine, plant
from bench.loads import CLIENTS, Load, make_load
from bench.measuring import Spread, rate, side_by_side, together
from bench.programs import hub_served, peer_served
from bench.report import Measured, Ratio, Report
from bench.stages import ABSORB, ENGINE, PROVE, READ, Stages
from bench.uplinks import PlainClient, StationClient
from bench.writing import Writer
from hub.services import Hub
from hub.trust import Secrets

EVENTS: Final = 20_000
QUICK_EVENTS: Final = 200
NOTES: Final = (
    (
        "The hub acknowledges after ledger and commit together, so G5 and G6 are one measurement. "
        "It speaks TLS and verifies chain and signature; the plain hub does neither."
    ),
    "Servers are programs of their own; the clients are threads here and send prepared bytes.",
    (
        "Engine limit: SQLite's own INSERT..SELECT of the claim rows of the same binds in one "
        "transaction, nothing else done. Stages run alone, in this process, on one core."
    ),
    "Not measured here: PostgreSQL (this hub has no such store yet).",
)


class _Bench:
    """Everything that is made before a round, and the two ways of a round."""

    def __init__(self, directory: Path, rounds: int, events: int) -> None:
        self.directory = directory
        self.each = max(1, events // CLIENTS)
        writers = [[f"B{turn}-{client}" for client in range(CLIENTS)] for turn in range(rounds)]
        hub = plant.make_hub(directory / "hub", chain.from_iterable(writers))
        self.secrets: Secrets = hub.office.secrets
        self._first = 1
        self._writers = iter([_enrolled(hub, names) for names in writers])
        hub.office.store.close()
        self._loads: list[Load] = []
        self._stages = Stages(directory / "stages.db", self.each)

    def _codes(self) -> int:
        """First number of units that nobody used."""
        first, self._first = self._first, self._first + CLIENTS * self.each
        return first

    def load(self) -> Load:
        """The events of this round; each of the two ways over HTTP asks once."""
        if self._loads:
            return self._loads.pop()
        made = make_load(next(self._writers), self._codes(), self.each)
        self._loads.append(made)
        return made

    def over_http(self, address: str) -> float:
        """Events a second that our hub acknowledges."""
        load = self.load()
        clients = [StationClient(address, self.secrets, writer) for writer in load.writers]
        sends = [partial(c.send, s) for c, s in zip(clients, load.segments, strict=True)]
        return _sent(load, sends, clients)

    def plain_over_http(self, address: str) -> float:
        """Events a second that the plain hub acknowledges."""
        load = self.load()
        port = int(address.rpartition(":")[2])
        clients = [PlainClient(port) for _ in load.writers]
        sends = [partial(c.send, s) for c, s in zip(clients, load.plain, strict=True)]
        return _sent(load, sends, clients)

    def stages(self) -> dict[str, float]:
        """Events a second of each stage."""
        return self._stages.rates()


def run(directory: Path, *, rounds: int, events: int) -> Report:
    """Measure, in an empty folder on the disk that counts; `events` a round for each way."""
    bench = _Bench(directory, rounds, events)
    with (
        hub_served(directory / "hub") as our_hub,
        peer_served("plain_hub", directory / "plain.db") as plain_hub,
    ):
        ours, plain = side_by_side(
            rounds,
            lambda: bench.over_http(our_hub.address),
            lambda: bench.plain_over_http(plain_hub.address),
        )
    stages = [bench.stages() for _ in range(rounds)]
    by_stage = {name: [one[name] for one in stages] for name in stages[0]}
    per_second, over = "events/s", Spread.of_ratios
    return Report(
        bench="ingest",
        rounds=rounds,
        size=f"{bench.each * CLIENTS} binds a round over HTTP",
        machine=machine.facts(directory),
        ratios=(
            Ratio("durable ack / plain hub", over(ours, plain), "G5", "higher", 20),
            Ratio("durable and queryable / plain hub", over(ours, plain), "G6", "higher", 8),
            Ratio("over HTTP / engine limit", over(ours, by_stage[ENGINE])),
            Ratio("absorb alone / engine limit", over(by_stage[ABSORB], by_stage[ENGINE])),
        ),
        measured=(
            Measured("our hub over HTTP", per_second, Spread.of(ours)),
            Measured("plain hub over HTTP", per_second, Spread.of(plain)),
            *(
                Measured(f"stage: {name}", per_second, Spread.of(by_stage[name]))
                for name in (PROVE, READ, ABSORB, ENGINE)
            ),
        ),
        counts=(),
        notes=(*machine.warnings(directory), *NOTES),
    )


def _enrolled(hub: Hub, names: Sequence[str]) -> list[Writer]:
    writers = [Writer(name) for name in names]
    for writer in writers:
        plant.enroll(hub, writer)
    return writers


def _sent(
    load: Load,
    sends: Sequence[Callable[[], None]],
    clients: Sequence[StationClient | PlainClient],
) -> float:
    found = rate(load.events, lambda: together(sends))
    for client in clients:
        client.close()
    return found
