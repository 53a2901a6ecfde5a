"""After the link is back: the case, what is held, the decision, what people are told, the traces.

Asks the hub by its commands and listens to the stations; what must be true of every story about a
contradiction is claimed here, with the story's own codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tally_demo import work
from tally_demo.commands import DemoError, read, run
from tally_demo.headless import Line
from tally_demo.story import Story

DECIDER: Final = "BDG-3001"
REASON: Final = "S03 scanned the neighbour's label"


def look_at_the_case(
    story: Story, board: str, units: Mapping[str, str], who: Mapping[str, str]
) -> None:
    """Exactly one case is open, on the board, naming both claims; what it concerns is held.

    Args:
        story: the story.
        board: the part that is claimed twice.
        units: by station, the unit that it was bound into there.
        who: by station, the badge of the operator.
    """
    checks, hub = story.checks, story.plant.hub_folder
    cases = read("hub", "cases", hub)
    open_cases = [case for case in cases if case["status"] != "decided"]
    checks.equal("exactly one case exists", [f"in:{board}"], [case["key"] for case in cases])
    if not open_cases:
        raise DemoError(f"Expected an open case about {board}, found {cases!r}.")
    case = open_cases[0]
    claims = {
        claim["station"]: (claim["by"], claim["value"].partition("/")[0])
        for claim in case["claims"]
    }
    checks.equal(
        "the case names both claims: who, where",
        {station: (who[station], unit) for station, unit in units.items()},
        claims,
    )
    times = [claim["at"] for claim in case["claims"]]
    checks.holds(
        "the case names both claims: when",
        len(times) == len(units) and all("T" in at for at in times),
        "a time with offset at each claim",
        times,
    )
    story.checks.facts["case"] = {
        "id": case["id"],
        "key": case["key"],
        "words": case["words"],
        "claims": case["claims"],
    }
    checks.tell(f"    case {case['id']}: {case['words']['en']}")
    held = _held(story)
    checks.holds(
        "both units and the box are held for shipping",
        {*units.values(), story.box} <= held,
        sorted({*units.values(), story.box}),
        sorted(held) or "nothing",
    )
    others = set(story.units) - set(units.values())
    checks.equal("the other ten units are not held", [], sorted(others & held))


def look_at_findings(story: Story) -> None:
    """What was packed provisionally is judged again with what has arrived, and nothing is wrong."""
    hub = story.plant.hub_folder
    rechecks = read("hub", "rechecks", hub)
    found = sorted((row["unit"], row["state"]) for row in rechecks)
    story.checks.equal(
        "every provisional pack is re-checked and passed",
        sorted((unit, "passed") for unit in story.provisional),
        found,
    )
    story.checks.equal("zero findings", [], read("hub", "findings", hub))


def decide(story: Story, kept: str) -> None:
    """CHEN Jing decides: the claim of station `kept` stays. Both stations are told what to do."""
    case = story.checks.facts["case"]
    claim = next(one for one in case["claims"] if one["station"] == kept)
    marks = {name: story.place(name).station.mark for name in ("S02", "S03")}
    run(
        "hub", "decide", story.plant.hub_folder, case["id"],
        "--keep", claim["event_id"], "--as", DECIDER, "--reason", REASON,
    )  # fmt: skip
    rows = read("hub", "cases", story.plant.hub_folder)
    story.checks.equal(
        "the decision settles the case",
        [(case["id"], "decided")],
        [(r["id"], r["status"]) for r in rows],
    )
    story.plant.settle()
    board = case["key"].partition(":")[2]
    told: dict[str, str] = {}
    for name, since in marks.items():
        line = story.place(name).station.hear(
            lambda found: _is_about(found, board), what=f"what to do about {board}", since=since
        )
        told[name] = line.text
        story.checks.tell(f"    {name} says: {line.text}")
    loser = next(one for one in case["claims"] if one["station"] != kept)
    unit = loser["value"].partition("/")[0]
    story.checks.holds(
        f"{loser['station']} is told to take {unit[-6:]} back to step 3",
        unit in told[loser["station"]] and "step 3" in told[loser["station"]],
        f"{unit}, step 3",
        told[loser["station"]],
    )
    story.checks.holds(
        f"{kept} is told that its unit stays as it is",
        claim["value"].partition("/")[0] in told[kept],
        claim["value"].partition("/")[0],
        told[kept],
    )
    story.checks.facts["told"] = told
    story.checks.equal(
        "the decision frees the unit that keeps the board; the other is held with its box",
        sorted({unit, story.box}),
        sorted(_held(story) & {*story.units, story.box}),
    )


def repair(story: Story, station: str, unit: str, part: str) -> None:
    """The unit that lost its part gets another one and passes again; then all of it may ship."""
    place = story.place(station)
    line = work.scan(place, part, "OK")
    story.checks.equal("the unit is back at the station that built it", unit, line.unit)
    work.end_unit(place)
    story.plant.settle()
    story.checks.equal(
        "repaired, nothing of it is held any more",
        [],
        sorted(_held(story) & {*story.units, story.box}),
    )


def trace_the_lot(story: Story) -> None:
    """Forward trace of the battery lot: twelve units in one box, with the completeness line."""
    trace = _trace(story, work.BATTERY_LOT, "--up")
    found = {sort: sorted(codes) for sort, codes in _by_sort(trace).items()}
    story.checks.equal(
        "forward trace of the battery lot: 12 units in 1 box",
        {"lot": [work.BATTERY_LOT], "unit": sorted(story.units), "box": [story.box]},
        found,
    )
    packed = {
        (one["child"], one["parent"]) for one in trace["links"] if one["relation"] == "packed"
    }
    story.checks.equal(
        "forward trace of the battery lot: every unit is in that box",
        sorted((unit, story.box) for unit in story.units),
        sorted(packed),
    )
    _check_origins(story, "forward trace", trace)
    story.checks.facts["trace"] = {"forward": _told(trace)}


def trace_a_unit(
    story: Story, unit: str, contents: Mapping[str, str], done: Sequence[tuple[str, str]]
) -> None:
    """Backward trace of a unit: everything in it down to the lots, who, where and when.

    Args:
        story: the story.
        unit: its code.
        contents: what must be in it: code by what it is.
        done: station and badge of everybody who must be named.
    """
    trace = _trace(story, unit, "--down")
    words = f"backward trace of {unit}"
    found = sorted({code for codes in _by_sort(trace).values() for code in codes} - {unit})
    story.checks.equal(f"{words}: {', '.join(contents)}", sorted(contents.values()), found)
    suppliers = {node["code"]: node["supplier"] for node in trace["nodes"] if node["sort"] == "lot"}
    story.checks.holds(
        f"{words}: the suppliers of its lots",
        bool(suppliers) and all(suppliers.values()),
        "a supplier of each lot",
        suppliers,
    )
    named = {
        (one["station"], one["who"])
        for node in trace["nodes"]
        for one in (*node["made"], *node["done"])
    }
    story.checks.equal(f"{words}: who did what where", sorted(done), sorted(named))
    _check_origins(story, words, trace)
    story.checks.facts["trace"] |= {"backward": _told(trace)}


def _trace(story: Story, code: str, direction: str) -> Mapping[str, Any]:
    """Ask the hub for a trace; it is told as people see it and given as scripts see it."""
    arguments = ("hub", "trace", story.plant.hub_folder, code, direction)
    for line in run(*arguments).stdout.splitlines():
        story.checks.tell(f"    {line}")
    found: Mapping[str, Any] = read(*arguments)
    return found


def _check_origins(story: Story, words: str, trace: Mapping[str, Any]) -> None:
    """Every link names its origin; the completeness line names its frontier."""
    blank = [
        one
        for one in trace["links"]
        if not all(one[key] for key in ("who", "station", "at", "event"))
    ]
    story.checks.equal(f"{words}: every link names who, where, when and its event", [], blank)
    _check_completeness(story, words, trace)


def _told(trace: Mapping[str, Any]) -> dict[str, Any]:
    """Of a trace, what the facts of the story keep."""
    return {
        "root": trace["root"],
        "words": trace["words"],
        "nodes": {sort: sorted(codes) for sort, codes in _by_sort(trace).items()},
        "completeness": trace["completeness"],
    }


def _by_sort(trace: Mapping[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in trace["nodes"]:
        found.setdefault(node["sort"], set()).add(node["code"])
    return found


def _check_completeness(story: Story, words: str, trace: Mapping[str, Any]) -> None:
    found = trace["completeness"]
    line = found["words"]["en"]
    named = {journal["name"]: journal["seq"] for journal in found["journals"]}
    story.checks.holds(
        f"{words}: the completeness line names its frontier",
        line.startswith("Complete to")
        and all(f"{name}:{named.get(name)}" in line for name in story.plant.places),
        "Complete to a position of every journal",
        line,
    )


def _held(story: Story) -> set[str]:
    """Codes of all units and boxes that the hub holds for shipping."""
    rows = read("hub", "units", story.plant.hub_folder)
    return {row["code"] for row in rows if row["held"]}


def _is_about(line: Line, board: str) -> bool:
    return line.by_itself and board in line.text
