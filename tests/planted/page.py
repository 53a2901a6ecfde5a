"""The table of planted bugs in `docs/guarantees.md`, between two markers."""

from tests.planted.bugs import BUGS, ELSEWHERE, OWED
from tests.planted.hunting import SEEDS_MAX
from tests.planted.planting import ROOT

PAGE = ROOT / "docs" / "guarantees.md"
BEGIN = "<!-- planted bugs: written by `make planted` -->"
END = "<!-- end of planted bugs -->"


def text_of(measured):
    """The table as markdown."""
    rows = [(bug.name, bug.says, _found(measured.get(bug.name))) for bug in BUGS]
    rows += [(one.name, one.says, f"`{one.test}`") for one in ELSEWHERE]
    rows += [(one.name, one.says, f"owed by {one.step}") for one in OWED]
    lines = [f"| {name} | {says} | {found} |" for name, says, found in rows]
    return "\n".join(("| bug | what it does | caught |", "|---|---|---|", *lines))


def _found(caught):
    if caught is None:
        return f"not within {SEEDS_MAX} seeds"
    many = "1 seed" if caught.after == 1 else f"{caught.after} seeds"
    return f"after {many}, by `{caught.oracle}`"


def put(page, text):
    """The page with the text between its markers.

    Raises:
        ValueError: the markers are not there, in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected {BEGIN} and {END} in the page, in this order")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def write(measured):
    """Write the table into the page."""
    PAGE.write_text(put(PAGE.read_text("utf-8"), text_of(measured)), "utf-8")
