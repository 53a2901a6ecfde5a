"""Writes what a long run showed into `docs/guarantees.md`, between two markers."""

from pathlib import Path

from tests.simulation.counting import SOMETIMES
from tests.simulation.running import commit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guarantees.md"
BEGIN = "<!-- simulation: written by `make prove` -->"
END = "<!-- end of simulation -->"


def text_of(total):
    """The figures as markdown."""
    speed = round(total.steps / max(total.seconds, 0.1))
    rows = "\n".join(f"| {name} | {total.counters[name]:,} |" for name in SOMETIMES)
    return (
        f"{total.seeds:,} seeds, {total.steps:,} steps, {len(total.failures)} violations, "
        f"{total.seconds:,.0f} s ({speed} steps a second), commit {commit()}.\n\n"
        f"| what happened | times |\n|---|---|\n{rows}"
    )


def put(page, text):
    """The page with the text between its markers.

    Raises:
        ValueError: the markers are not there, each once and in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected {BEGIN} and {END} in the page, in this order")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def write(total):
    """Write the figures into the page."""
    PAGE.write_text(put(PAGE.read_text("utf-8"), text_of(total)), "utf-8")
