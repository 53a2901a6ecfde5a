"""The demo for people: a plant at work, with station S03 in this terminal.

Boards are made and tested first, so that the first scan can succeed. S03 is the station's own line
terminal, started as its operator would start it; beside it stands a tray of codes to type, right
and wrong ones. Without a terminal all four stations run headless until a signal.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

import click

from tally_demo import work
from tally_demo.outage import BADGES
from tally_demo.plant import Plant
from tally_demo.processes import run_here

BOARDS: Final = tuple(f"PCB-L-{number:05}" for number in range(896, 910))
TESTED: Final = BOARDS[1:13]
LEAD: Final = "BDG-2004"

_TRAY: Final = """
Station S03 is yours. What an operator there would scan, in order:

  {badge}            your badge
  CTLNEXT             prints the next label; it lies in {labels}
  (the code it shows) stick the label on and scan it
  {board}         the next LED board; then {next_board}, ... up to {last_board}
  {battery}     the battery lot, once
  {torque}                two screws, torque in Nm
  CTLGOOD             the lamp is good; CTLNEXT begins the next one

and some that do not fit:

  {untested}         a board that has not passed the flash test
  BAT-18650-2546X     a lot that was not released
  09521101000023      the product's code where a serial is wanted
  PCB-L-00            a part of a code only

Three refusals at one step lock the station; a team leader's badge unlocks it: {lead}.

ZHANG Wei's badge speaks Chinese; CTLLNG changes between Chinese and English.
CTLHELP helps, `link down` and `link up` cut and restore the network, Ctrl+D ends the demo.
"""


def show(folder: Path) -> None:
    """Run the demo below `folder` until the person ends it.

    Raises:
        DemoError: it could not be set up.
    """
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with Plant(folder, lambda words: click.echo(words, err=True)) as plant:
        plant.set_up()
        plant.start_all()
        _make_boards(plant)
        if is_terminal:
            _run_terminal(plant)
        else:
            _wait_for_signal(plant)


def _make_boards(plant: Plant) -> None:
    """S01 makes boards and S02 tests a dozen of them."""
    click.echo("S01 makes boards, S02 tests a dozen", err=True)
    for name in ("S01", "S02"):
        work.sign_in(plant.places[name], BADGES[name])
    work.make_boards(plant.places["S01"], BOARDS)
    plant.settle()
    work.test_boards(plant.places["S02"], TESTED)
    plant.settle()


def _run_terminal(plant: Plant) -> None:
    """Station S03, up to date until now, in this terminal: `tally station run DIR`."""
    plant.stop("S03")
    place = plant.bench("S03")
    place.scanner.plug_in()
    click.echo(
        _TRAY.format(
            badge=BADGES["S03"],
            labels=place.folder / "labels",
            board=TESTED[0],
            next_board=TESTED[1],
            last_board=TESTED[-1],
            battery=work.BATTERY_LOT,
            torque=work.TORQUE_NM,
            untested=BOARDS[0],
            lead=LEAD,
        )
    )
    for line in plant.addresses:
        click.echo(line)
    try:
        run_here(["station", "run", str(place.folder)])
    finally:
        place.scanner.unplug()


def _wait_for_signal(plant: Plant) -> None:
    """Say where everything is, until a signal unwinds this program (`tally_demo.cli`)."""
    for line in plant.addresses:
        click.echo(line)
    for name, place in plant.places.items():
        click.echo(f"{name}: {place.folder}")
    sys.stdout.flush()
    while True:
        signal.pause()
