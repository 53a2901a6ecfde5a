"""After the link is back: the case, what is held, the decision, what people are told, the traces.

Asks the hub by its commands and listens to the stations; what must be true of every story about a
contradiction is claimed here, with the story's own codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """What was packed provisionally is re-checked with what has arrived."""
    checks = story.checks
    findings = read("hub", "findings", story.plant.hub_folder)
    checks.equal("provisional verdicts are re-checked: zero findings", [], findings)


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
    still = _held(story) & {*story.units, story.box}
    story.checks.equal("after the decision nothing of it is held any more", [], sorted(still))


def trace_the_lot(story: Story) -> None:
    """Forward trace of the battery lot: twelve units in one box, with the completeness line."""
    trace = read("hub", "trace", story.plant.hub_folder, work.BATTERY_LOT, "--up")
    codes = set(_texts(trace))
    found = sorted(unit for unit in story.units if unit in codes)
    story.checks.equal("forward trace of the battery lot: 12 units", sorted(story.units), found)
    story.checks.holds(
        "forward trace of the battery lot: 1 box", story.box in codes, story.box, sorted(codes)[:40]
    )
    _check_completeness(story, "forward trace", trace)
    story.checks.facts["forward"] = trace


def trace_a_unit(story: Story, unit: str, contents: Mapping[str, str], people: set[str]) -> None:
    """Backward trace of a unit: everything in it down to the lots, who, where and when."""
    trace = read("hub", "trace", story.plant.hub_folder, unit, "--down")
    codes = set(_texts(trace))
    missing = sorted(code for code in contents.values() if code not in codes)
    story.checks.equal(f"backward trace of {unit}: {', '.join(contents)}", [], missing)
    story.checks.equal(f"backward trace of {unit}: who did it", [], sorted(people - codes))
    _check_completeness(story, "backward trace", trace)
    story.checks.facts["backward"] = trace


def _check_completeness(story: Story, words: str, trace: Mapping[str, Any]) -> None:
    line = trace["completeness"]
    story.checks.holds(
        f"{words}: the completeness line names its frontier",
        "complete" in str(line).lower() and all(name in str(line) for name in story.plant.places),
        "complete to a position of every journal",
        line,
    )


def _held(story: Story) -> set[str]:
    """Codes of all units and boxes that the hub holds for shipping."""
    rows = read("hub", "units", story.plant.hub_folder)
    return {row["code"] for row in rows if row["held"]}


def _is_about(line: Line, board: str) -> bool:
    return line.by_itself and board in line.text


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
