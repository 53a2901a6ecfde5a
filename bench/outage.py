"""`tally bench outage`: one station back after weeks, over a slow line that breaks (fault 29).

The line carries 256 kbit/s both ways together and is cut ten times, at even parts of its bytes.
What counts is how soon the hub has the newest events, beside how long the whole backlog takes.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from bench import machine, plant
from bench.measuring import Spread
from bench.outages import make_backlog
from bench.programs import hub_served
from bench.relay import Relay
from bench.report import Count, Measured, Ratio, Report
from bench.senders import StationSender
from hub import bootstrap

EVENTS: Final = 20_000
QUICK_EVENTS: Final = 1_500
BYTES_PER_SECOND: Final = 256_000 / 8
CUTS: Final = 10
_BYTES_AN_EVENT: Final = 12
_BETWEEN_CUTS_MIN: Final = 20_000
"""A session and a greeting go through; a small backlog has fewer cuts."""
NOTES: Final = (
    "Thirty days of two shifts: tally bench outage --rounds 1 --events 1300000, twenty minutes.",
    (
        "Newest: until the hub had answered that it keeps the newest 200 behind the gap. The "
        "backlog is done when the receipt for the newest event is on the station's disk."
    ),
    (
        "Not measured: packets that are lost. TCP sends them again, which makes the line slower; "
        "what a program sees of it are pauses and cuts."
    ),
)


def run(directory: Path, *, rounds: int, events: int) -> Report:
    """Measure, in an empty folder on the disk that counts. `events`: that wait at the station."""
    facts = machine.facts(directory)
    newest: list[float] = []
    whole: list[float] = []
    carried = 0.0
    for turn in range(rounds):
        soon, end, carried = _once(directory / f"round-{turn}", events)
        newest.append(soon)
        whole.append(end)
    return Report(
        bench="outage",
        rounds=rounds,
        size=f"{events} binds from one station, up to {CUTS} cuts, 256 kbit/s",
        machine=facts,
        ratios=(Ratio("whole backlog / newest at the hub", Spread.of_ratios(whole, newest)),),
        measured=(
            Measured("newest at the hub", "s", Spread.of(newest)),
            Measured("whole backlog", "s", Spread.of(whole)),
        ),
        counts=(
            Count("both ways", carried / events, "B/event", "cuts and what went twice included"),
        ),
        notes=(*machine.warnings(directory), *NOTES),
    )


def _once(directory: Path, events: int) -> tuple[float, float, float]:
    """Seconds until the newest were at the hub, until all were; bytes on the line."""
    directory.mkdir()
    folder = directory / "S0001"
    hub = plant.make_hub(directory / "hub", [folder.name])
    make_backlog(hub, folder, events)
    hub.office.store.close()
    step = max(_BETWEEN_CUTS_MIN, events * _BYTES_AN_EVENT // (CUTS + 1))
    with (
        hub_served(directory / "hub") as served,
        Relay(
            served.address,
            bytes_per_second=BYTES_PER_SECOND,
            cuts=[step * number for number in range(1, CUTS + 1)],
        ) as line,
    ):
        sender = StationSender(folder, line.address)
        sender.open()
        started = time.monotonic()
        sender.send()
        whole = time.monotonic() - started
        sender.close()
        carried = line.up + line.down
    ahead = [one.at for one in sender.answers if one.kind == "fresh" and one.status == 200]
    view = bootstrap.open_view(directory / "hub")
    held = [row["seq"] for row in view.show("stations")]
    view.office.store.close()
    if not ahead or max(held) < events:
        raise RuntimeError(f"nothing went ahead, or the hub holds {held} of {events} events")
    return ahead[0] - started, whole, carried
