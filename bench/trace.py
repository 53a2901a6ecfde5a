"""`tally bench trace`: what is in a unit, where did a lot go, over a genealogy in the real ledger.

G8 backward: one unit down to its lots. G9 forward: one lot up to pallets. Twice each: the walk over
edges, and the whole answer with operator, station, time and event of every link. Beside it a plain
recursive statement over text codes, and dictionaries in memory as the limit for Python.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench import machine, plant
from bench.genealogy import EDGES_A_UNIT, Genealogy, edge_of
from bench.measuring import Spread, batches, percentile, seconds, sliced
from bench.peers.graphs import MemoryGraph, TextGraph
from bench.plant import unit_code
from bench.report import Count, Measured, Ratio, Report
from bench.writing import Writer
from tally.events.decoding import read_lines
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.merge.graph import Graph
from tally.records.segment import SEGMENT_EVENTS_MAX
from tally.trace import trace

UNITS: Final = 5000
QUICK_UNITS: Final = 40
LINKS_MAX: Final = 10_000_000
_BACKWARD: Final = 100
_FORWARD: Final = 5
_SLICE: Final = 5
NOTES: Final = (
    (
        "Walk: the ledger's edges, live ones only, numbers for codes; answer: tally.trace with "
        "operator, station, time and event of every link, and what it is complete to."
    ),
    "The peers know edges only. SQLite with text codes: one recursive statement each way.",
    "Shuffled: the same tree with its parts numbered in no order.",
    "Bytes an edge: the ledger's file, with event ids and a copy of the lines, for every edge.",
    (
        "Not measured here: igraph and networkx (in memory, C and Python), numpy and scipy sparse "
        "rows, kuzu, DuckDB, PostgreSQL and Citus: none is a dependency of this project, and a "
        "snapshot in sparse rows is not built yet."
    ),
)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A ledger in a file with one genealogy in it."""

    graph: Graph
    connection: sqlite3.Connection
    edges_per_second: float
    bytes_per_edge: float


def run(directory: Path, *, rounds: int, units: int) -> Report:
    """Measure, in an empty folder; the genealogy has 61 edges a unit."""
    tree = Genealogy(units, is_shuffled=False)
    loaded = _load(directory / "ordered.db", tree)
    shuffled = _load(directory / "shuffled.db", Genealogy(units, is_shuffled=True))
    edges = [edge for edge in map(edge_of, tree.events()) if edge]
    text = TextGraph(directory / "text.db", edges)
    memory = MemoryGraph(edges)
    dice = random.Random(7)
    some_units = [unit_code(dice.randrange(units)) for _ in range(_BACKWARD)]
    down: dict[str, Callable[[str], object]] = {
        "walk": partial(walk_down, loaded.graph),
        "shuffled": partial(walk_down, shuffled.graph),
        "answer": lambda code: trace(loaded.graph, code, "down"),
        "text": text.backward,
        "memory": memory.backward,
    }
    up: dict[str, Callable[[str], object]] = {
        "walk": partial(walk_up, loaded.graph),
        "shuffled": partial(walk_up, shuffled.graph),
        "answer": lambda code: trace(loaded.graph, code, "up"),
        "text": text.forward,
        "memory": memory.forward,
    }
    sizes = (_agree(down, some_units[0]), _agree(up, tree.lots[0]))
    backward = [_timed(down, some_units) for _ in range(rounds)]
    forward = [_timed(up, dice.sample(tree.lots, _FORWARD)) for _ in range(rounds)]
    report = Report(
        bench="trace",
        rounds=rounds,
        size=f"{units} units, {len(edges)} edges; backward {sizes[0]}, forward {sizes[1]} nodes",
        machine=machine.facts(directory),
        ratios=(*_ratios("backward", "G8", backward), *_ratios("forward", "G9", forward)),
        measured=(*_measured("backward", backward), *_measured("forward", forward)),
        counts=(
            Count("ledger", loaded.bytes_per_edge, "B/edge", "size of the file"),
            Count("absorbed", loaded.edges_per_second, "edges/s", "parts numbered in order"),
            Count("absorbed, shuffled", shuffled.edges_per_second, "edges/s", "in no order"),
        ),
        notes=(*machine.warnings(directory), *NOTES),
    )
    for connection in (loaded.connection, shuffled.connection, text):
        connection.close()
    return report


def walk_down(graph: Graph, code: str) -> int:
    """How many nodes are in this one, itself included."""
    number = graph.number(code)
    assert number is not None
    return 1 + len({edge.child for edge in graph.below(number, LINKS_MAX)[0]})


def walk_up(graph: Graph, lot: str) -> int:
    """How many nodes a lot went into, itself included."""
    (part, name), *_ = graph.lots_named(lot)
    number = graph.lot_number(part, name)
    assert number is not None
    found, level = {number}, [number]
    while level:
        level = sorted({edge.parent for edge in graph.above(level, LINKS_MAX)[0]} - found)
        found.update(level)
    return len(found)


def _load(path: Path, tree: Genealogy) -> _Loaded:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.learn(plant.schemes())
    writer = Writer("genealogy")
    took = 0.0
    for bodies in batches(tree.events(), SEGMENT_EVENTS_MAX):
        first, before = writer.seq + 1, writer.tip
        lines = writer.lines(bodies)
        ids = writer.take(lines)
        batch = Batch(writer.journal, first, before, ids, read_lines(lines))
        took += seconds(partial(_absorb, connection, ledger, batch))
    edges = EDGES_A_UNIT * tree.units
    (size,) = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    return _Loaded(ledger.graph, connection, edges / took, size / edges)


def _absorb(connection: sqlite3.Connection, ledger: SqliteLedger, batch: Batch) -> None:
    connection.execute("BEGIN IMMEDIATE")
    ledger.absorb(batch)
    connection.execute("COMMIT")


def _agree(ways: dict[str, Callable[[str], object]], code: str) -> int:
    """The number of nodes, on which all that count agree."""
    found = {name: way(code) for name, way in ways.items() if name != "answer"}
    if len(set(found.values())) != 1:
        raise RuntimeError(f"the ways disagree on {code}: {found}")
    return int(str(found["walk"]))


def _timed(
    ways: dict[str, Callable[[str], object]], codes: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """p50 and p95 of one round, in ms; the ways take turns, a few questions each."""

    def asked(way: Callable[[str], object]) -> Callable[[], float]:
        left = iter(codes)
        return lambda: seconds(partial(way, next(left))) * 1e3

    samples = sliced(len(codes), _SLICE, *map(asked, ways.values()))
    return {
        name: (percentile(taken, 0.50), percentile(taken, 0.95))
        for name, taken in zip(ways, samples, strict=True)
    }


def _ratios(
    direction: str, goal: str, rounds: Sequence[dict[str, tuple[float, float]]]
) -> tuple[Ratio, ...]:
    p50 = {name: [one[name][0] for one in rounds] for name in rounds[0]}
    over = Spread.of_ratios
    return (
        Ratio(f"{direction}: text codes / walk", over(p50["text"], p50["walk"]), goal, "higher"),
        Ratio(f"{direction}: walk / memory", over(p50["walk"], p50["memory"]), goal),
        Ratio(f"{direction}: answer / walk", over(p50["answer"], p50["walk"])),
        Ratio(f"{direction}: shuffled / walk", over(p50["shuffled"], p50["walk"])),
    )


def _measured(
    direction: str, rounds: Sequence[dict[str, tuple[float, float]]]
) -> tuple[Measured, ...]:
    words = {
        "walk": "walk",
        "shuffled": "walk, shuffled",
        "answer": "whole answer",
        "text": "SQLite, text codes",
        "memory": "dictionaries in memory",
    }
    found = []
    for name, told in words.items():
        for at, share in enumerate(("p50", "p95")):
            spread = Spread.of([one[name][at] for one in rounds])
            found.append(Measured(f"{direction}: {told}, {share}", "ms", spread))
    return tuple(found)
