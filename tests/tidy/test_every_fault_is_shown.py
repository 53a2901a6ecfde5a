"""The table of faults in `docs/guarantees.md` against the design and against the simulation.

That each test it names exists is looked at with all other links of documents.
"""

import re

import pytest

from tests.simulation.counting import SOMETIMES
from tests.support.tidiness import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
DESIGN = (ROOT / "docs" / "design" / "reliability.md").read_text("utf-8")
ALL = set(range(1, 65))
OWED = {63}
"""The parts do not exist that these break; the table says what is missing."""


def rows_of(page):
    """Number → cells behind it, of the section Faults."""
    section = page.partition("## Faults\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (\d+) \| (.*) \|$", section, re.MULTILINE)
    return {int(number): [cell.strip() for cell in cells.split(" |")] for number, cells in found}


def numbers_in(shown):
    """Faults whose number a test or its file bears: `faults_16_to_18`, `test_9_a`."""
    found = {int(number) for number in re.findall(r"(?<=_)\d+(?=_)", shown)}
    for first, last in re.findall(r"faults_(\d+)_to_(\d+)", shown):
        found |= set(range(int(first), int(last) + 1))
    return found


def problems(page):
    """What the table lacks, or names and there is not."""
    rows = rows_of(page)
    found = [f"fault {number} is missing" for number in sorted(ALL - set(rows))]
    for number, cells in rows.items():
        if len(cells) != 4:
            found.append(f"fault {number}: expected 5 cells, found {len(cells) + 1}")
            continue
        _, shown, counters, missing = cells
        if number in OWED:
            if (shown, bool(missing)) != ("owed", True):
                found.append(f"fault {number} is owed: it names no test, and what is missing")
        elif not re.search(r"`tests/\S+::test_\w+`", shown):
            found.append(f"fault {number} names no test")
        elif number not in numbers_in(shown):
            found.append(f"fault {number}: none of its tests bears its number")
        names = re.findall(r"`([^`]+)`", counters)
        found += [f"fault {number}: no counter {name}" for name in names if name not in SOMETIMES]
    return found


def test_every_fault_so_far_names_its_tests_and_counters():
    assert problems(PAGE) == []


def test_the_numbers_are_those_of_the_design():
    listed = {int(number) for number in re.findall(r"^\| (\d+) \| ", DESIGN, re.MULTILINE)}
    assert set(rows_of(PAGE)) <= listed == ALL


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (PAGE.replace("| 7 | ", "| 70 | "), "fault 7 is missing"),
        (re.sub(r"(\| 13 \| [^|]*\|)[^|]*\|", r"\1 later |", PAGE), "fault 13 names no test"),
        (PAGE.replace("::test_39_", "::test_"), "fault 39: none of its tests bears its number"),
        (PAGE.replace("| the hub in depth: PostgreSQL |", "|  |"), "fault 63 is owed"),
        (PAGE.replace("`a case contested` |", "`never heard of` |"), "no counter never heard of"),
        (PAGE.replace("| 49 | a scanner", "| 49 | one more | a scanner"), "expected 5 cells"),
    ],
)
def test_a_gap_in_the_table_is_found(page, words):
    assert words in "; ".join(problems(page))
