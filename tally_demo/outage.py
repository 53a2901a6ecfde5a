"""The outage story: two stations lose the network, work on, and one board ends in two units.

The acts in order; every claim is a named check. Dates never stand here: codes are taken from the
stations' answers. What is asked after the link is back lives in `tally_demo.aftermath`, what is
proven of the records in `tally_demo.proof`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tally_demo import aftermath, proof, work
from tally_demo.checks import Checks
from tally_demo.commands import DemoError
from tally_demo.plant import Place, Plant
from tally_demo.story import Story

BADGES: Final = {"S01": "BDG-1120", "S02": "BDG-1182", "S03": "BDG-1107", "S04": "BDG-1133"}
BOARDS: Final = tuple(f"PCB-L-{number:05}" for number in range(896, 916))
UNTESTED: Final = BOARDS[0]
ORDER: Final = "24-1187"
SHARED: Final = "PCB-L-00902"
"""The neighbour's label: the board that S02 builds in and S03 scans as well."""
SHARED_AT: Final = 4
"""Place of the unit among S03's ten (…405) that is scanned with it."""
MEANT: Final = f"PCB-L-{904 + SHARED_AT:05}"
"""The board that really is in it."""
KILLED_AT: Final = 6
"""Place of the unit (…407) after whose step 3 S03 is killed."""
S02_BOARDS: Final = (SHARED, "PCB-L-00903")
S03_BOARDS: Final = tuple(
    SHARED if place == SHARED_AT else f"PCB-L-{904 + place:05}" for place in range(10)
)


def play(directory: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Play the whole story below `directory`.

    Returns:
        `ok`, `checks`, `facts` and `data` (the folder), JSON-safe. A story that breaks off is a
        check that did not hold; its words are what broke.
    """
    checks = Checks(tell)
    with Plant(directory, lambda words: tell(f"  {words}")) as plant:
        story = Story(plant, checks)
        try:
            for number, act in enumerate(ACTS, 1):
                tell(f"{number}. {(act.__doc__ or '').splitlines()[0]}")
                act(story)
        except DemoError as error:
            checks.holds("the story is played to its end", False, "all acts", str(error))
        else:
            checks.holds("the story is played to its end", True, "all acts", "all acts")
    return {**checks.report(), "data": str(plant.directory)}


def open_plant(story: Story) -> None:
    """A hub and four stations; everyone signs in."""
    story.plant.set_up()
    story.plant.start_all()
    for name, badge in BADGES.items():
        work.sign_in(story.place(name), badge)


def make_and_test_boards(story: Story) -> None:
    """S01 makes twenty boards from loaded lots; S02 tests them, all pass but one."""
    work.make_boards(story.place("S01"), BOARDS)
    story.plant.settle()
    work.test_boards(story.place("S02"), [board for board in BOARDS if board != UNTESTED])
    found = story.plant.settle()
    story.checks.equal(
        "before the outage: five ledgers, one fingerprint",
        1,
        len({f["fingerprint"] for f in found}),
    )


def cut_the_network(story: Story) -> None:
    """S02 and S03 lose the network."""
    for name in ("S02", "S03"):
        work.give(story.place(name), {"link": "down"}, "READY")
    answers = [story.place(name).station.say({"wait": 0}) for name in ("S02", "S03")]
    story.checks.equal(
        "S02 and S03 are offline", [False, False], [answer.online for answer in answers]
    )


def build_at_s02(story: Story) -> None:
    """S02 is switched to final assembly by scanning the work order, and builds two lamps."""
    s02 = story.place("S02")
    line = work.scan(s02, ORDER, *work.FLOWS_ON)
    story.checks.holds(
        "S02 changes over while offline",
        not line.online and bool(line.events),
        "an event while offline",
        line.printed,
    )
    for board in S02_BOARDS:
        battery = None if story.s02_units else work.BATTERY_LOT
        story.s02_units.append(work.build_unit(s02, board, battery))
    story.checks.equal(
        "S02 serializes from its own block", ["000381", "000382"], _counters(story.s02_units)
    )


def build_at_s03(story: Story) -> None:
    """S03 builds ten lamps; one gets the neighbour's label; the power fails in between."""
    s03 = story.place("S03")
    line = work.scan(s03, UNTESTED, "NG", "WAIT", "HOLD", "LOCK", "READY")
    story.checks.holds(
        "a code that the step does not want is refused in words",
        line.verdict == "NG" and line.code.startswith("E-") and len(line.text) > 20,
        "NG with a code and words",
        line.printed,
    )
    for at, board in enumerate(S03_BOARDS):
        if at == KILLED_AT:
            story.s03_units.append(_build_through_a_crash(story, s03, board))
        else:
            story.s03_units.append(work.build_unit(s03, board, None if at else work.BATTERY_LOT))
    story.checks.equal(
        "S03 serializes from its own block, also across the crash",
        [f"{number:06}" for number in range(401, 411)],
        _counters(story.s03_units),
    )
    last = s03.station.say({"wait": 0})
    story.checks.holds(
        "both worked offline with everything unsent",
        not last.online and last.unsent > 0,
        "offline, events unsent",
        f"online {last.online}, {last.unsent} unsent",
    )


def _build_through_a_crash(story: Story, s03: Place, board: str) -> str:
    unit = work.begin_unit(s03)
    before = work.scan(s03, board, "OK")
    s03.station.kill()
    start = s03.station.mark
    s03.station.start()
    after = s03.station.say({"wait": 0})
    story.checks.equal(
        "kill -9 between two scans: the same unit and step return",
        (before.unit, before.step),
        (after.unit, after.step),
    )
    restored = [line.text for line in s03.station.lines[start:] if line.by_itself and line.text]
    story.checks.holds(
        "after the restart S03 says what was restored", bool(restored), "words", restored
    )
    story.checks.facts["crash"] = {"unit": after.unit, "step": after.step, "said": restored}
    work.end_unit(s03)
    return unit


def pack_at_s04(story: Story) -> None:
    """S04 packs the twelve, knowing nothing of what S02 and S03 did, and closes the box."""
    story.box, packed = work.pack_box(story.place("S04"), story.units)
    story.provisional = [
        unit
        for unit, line in zip(story.units, packed, strict=True)
        if "provisional" in line.text.lower()
    ]
    story.checks.holds(
        "S04 packs provisionally what it cannot know",
        bool(story.provisional),
        "at least one provisional pack",
        f"{len(story.provisional)} of {len(packed)}: {packed[0].text}",
    )
    story.checks.holds(
        "the box has an SSCC of S04's block",
        story.box.startswith("09521101000000087") and len(story.box) == 18,
        "09521101000000087 and a check digit",
        story.box,
    )
    story.checks.facts |= {"box": story.box, "units": story.units}


def restore_the_network(story: Story) -> None:
    """The link returns; everything drains."""
    for name in ("S02", "S03"):
        work.give(story.place(name), {"link": "up"}, *work.FLOWS_ON, "WAIT")
    story.plant.settle()
    answers = {name: place.station.say({"wait": 0}) for name, place in story.plant.places.items()}
    story.checks.equal(
        "everything drains",
        dict.fromkeys(answers, (0, True)),
        {name: (line.unsent, line.online) for name, line in answers.items()},
    )


def settle_the_case(story: Story) -> None:
    """One board in two units: one case; a decision settles it; both stations say what to do."""
    twice = {"S02": story.s02_units[0], "S03": story.s03_units[SHARED_AT]}
    aftermath.look_at_findings(story)
    aftermath.look_at_the_case(story, SHARED, twice, BADGES)
    aftermath.decide(story, kept="S02")
    aftermath.look_at_findings(story)


def repair_the_unit(story: Story) -> None:
    """S03 scans the board that really is in its lamp, and tests it again."""
    aftermath.repair(story, "S03", story.s03_units[SHARED_AT], MEANT)


def trace(story: Story) -> None:
    """Where did the battery lot go, and what is in one lamp?"""
    aftermath.trace_the_lot(story)
    at = 0
    contents = {
        "its board": S03_BOARDS[at],
        "its battery lot": work.BATTERY_LOT,
        "the board's lots": work.LED_LOT,
        "and": work.BARE_LOT,
    }
    done = [(name, BADGES[name]) for name in ("S01", "S02", "S03")]
    aftermath.trace_a_unit(story, story.s03_units[at], contents, done)


def prove(story: Story) -> None:
    """Five ledgers agree; the export proves itself and shows every change."""
    found = story.plant.settle()
    prints = {one["name"]: one["short"] for one in found}
    frontiers = {json.dumps(one["frontier"], sort_keys=True) for one in found}
    story.checks.equal("five ledgers at equal frontiers", (5, 1), (len(found), len(frontiers)))
    story.checks.holds(
        "five ledgers, one fingerprint",
        len({one["fingerprint"] for one in found}) == 1,
        "one fingerprint",
        prints,
    )
    story.checks.facts["fingerprints"] = prints
    file, rows = proof.export(story.plant)
    proof.check_nothing_lost(story.checks, story.plant, rows)
    proof.check_no_code_twice(story.checks, story.plant, rows)
    proof.check_verify(story.checks, file, SHARED, story.s03_units[SHARED_AT])
    story.checks.facts |= {"export": str(file), "events": len(rows)}


def _counters(units: list[str]) -> list[str]:
    return [unit.rpartition("-")[2] for unit in units]


ACTS: Final[tuple[Callable[[Story], None], ...]] = (
    open_plant,
    make_and_test_boards,
    cut_the_network,
    build_at_s02,
    build_at_s03,
    pack_at_s04,
    restore_the_network,
    settle_the_case,
    repair_the_unit,
    trace,
    prove,
)
