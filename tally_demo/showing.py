"""The demo for people: a plant at work, with the screen of station S03 in this terminal.

Boards are made and tested first, so that the first scan can succeed. S03 is started as its
operator would start it, with a tray of practice codes in place of a scanner. Without a terminal
that a screen fits into, all four stations run headless until a signal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from tally_demo import terminal, work
from tally_demo.commands import run
from tally_demo.keeping import Keeper
from tally_demo.neighbour import Neighbour
from tally_demo.outage import BADGES, ORDER
from tally_demo.plant import Plant

BOARDS: Final = tuple(f"PCB-L-{number:05}" for number in range(896, 915))
"""Fewer than twenty: so many in the first minute would be taken for a pace (`low on codes`)."""
UNTESTED: Final = BOARDS[0]
"""S02 did not get to it: a board that is refused because an operation is missing."""
SHARED: Final = BOARDS[-4:]
"""Boards that S02 builds in while S03 is cut off, and that the tray of S03 offers then too."""
LEAD: Final = "BDG-2004"
READING_S: Final = 3.0
"""How long the links stay in sight before the screen covers them."""


def show(folder: Path) -> None:
    """Run the demo below `folder` until the person ends it.

    Raises:
        DemoError: it could not be set up.
    """
    why_not = terminal.why_no_screen()
    with Plant(folder, lambda words: click.echo(words, err=True)) as plant:
        plant.set_up()
        plant.start_all()
        _make_boards(plant)
        _open_order(plant)
        if why_not is None:
            _run_screen(plant)
        else:
            click.echo(f"{why_not}: all four stations run headless.", err=True)
            with Keeper(plant.places, lambda words: click.echo(words, err=True)):
                _wait_for_signal(plant)


def practice(console: str, told: Path) -> dict[str, object]:
    """What the tray of S03 offers, by what a step can expect (`tally station run --practice`)."""
    return {
        "badge": _newcomer(os.environ),
        "lead": LEAD,
        "order": ORDER,
        "part": {"PCB-L": [board for board in BOARDS if board not in {UNTESTED, *SHARED}]},
        "lot": {"BAT-18650": [work.BATTERY_LOT]},
        "measure": {"torque": [work.TORQUE_NM, "0.74"]},
        "wrong": work.LED_LOT,
        "hold": {"PCB-L": "PCB-L-2546C", "BAT-18650": "BAT-18650-2546X"},
        "untested": {"PCB-L": [UNTESTED]},
        "shared": {"PCB-L": list(SHARED)},
        "console": console,
        "told": told.name,
    }


def _newcomer(environment: Mapping[str, str]) -> str:
    """Give the badge of an operator who speaks the language of this terminal (gettext's order)."""
    names = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    language = next((environment[name] for name in names if environment.get(name)), "")
    return BADGES["S03"] if language.startswith("zh") else BADGES["S01"]


def _make_boards(plant: Plant) -> None:
    """S01 makes boards and S02 tests all but one of them."""
    click.echo("S01 makes boards, S02 tests them", err=True)
    for name in ("S01", "S02"):
        work.sign_in(plant.places[name], BADGES[name])
    work.make_boards(plant.places["S01"], BOARDS)
    for name in ("S01", "S02"):
        plant.sync(name)
    work.test_boards(plant.places["S02"], [board for board in BOARDS if board != UNTESTED])
    for name in ("S02", "S03"):
        plant.sync(name)


def _open_order(plant: Plant) -> None:
    """S03 is at work on the order when the next operator comes; its screen counts along."""
    s03 = plant.places["S03"]
    work.sign_in(s03, BADGES["S03"])
    work.give(s03, ORDER, "OK")
    work.give(s03, {"command": "CTLOUT"})
    plant.sync("S03")


def _run_screen(plant: Plant) -> None:
    """Station S03, up to date until now, in this terminal, as often as the person wants it."""
    plant.stop("S03")
    place = plant.bench("S03")
    told, offered = place.folder / "practice.log", place.folder / "practice.json"
    offered.write_text(json.dumps(practice(plant.console, told), indent=1), "utf-8")
    place.scanner.plug_in()
    _say_where(plant)
    click.echo(f"\nThe screen of S03 opens here in {READING_S:g} s. Ctrl+Q closes it.")
    time.sleep(READING_S)
    happened: list[str] = []
    """Said when the screen has gone: it has the terminal until then."""
    with (
        Keeper(plant.places, happened.append),
        Neighbour(plant.places["S02"], told) as neighbour,
    ):
        is_wanted = True
        while is_wanted:
            status = terminal.lend(
                ["station", "run", str(place.folder), "--practice", str(offered)]
            )
            if status:
                click.echo(f"The screen of S03 ended with status {status}; what it saved is saved.")
            while happened:
                click.echo(happened.pop(0), err=True)
            while neighbour.left_undone:
                click.echo(f"S02: {neighbour.left_undone.pop(0)}", err=True)
            _say_where(plant)
            is_wanted = _ask_again()
    place.scanner.unplug()


def _ask_again() -> bool:
    """Whether the person wants the screen of S03 once more; the plant goes on meanwhile."""
    click.echo("\nHub and stations go on. Enter opens S03 again, Ctrl+C ends the demo.")
    return sys.stdin.readline() != ""


def _wait_for_signal(plant: Plant) -> None:
    """Say where everything is, until a signal unwinds this program (`tally_demo.cli`)."""
    _say_where(plant)
    for name, place in plant.places.items():
        click.echo(f"{name}: {place.folder}")
    sys.stdout.flush()
    while True:
        signal.pause()


def _say_where(plant: Plant) -> None:
    """The addresses of the hub, and a link that opens its console once."""
    asked = run("hub", "admin-link", plant.hub_folder, status=None)
    if asked.status:  # the stations do not need it
        click.echo(f"The hub is gone: {asked.words} Stations go on without it.", err=True)
        return
    for line in plant.addresses:
        click.echo(line.partition("  (")[0])
    click.echo(f"Sign in   {asked.stdout.strip()}  (once)")
