"""`docs/station-flow.md` names every row of the machine's tables and every code."""

import re
from pathlib import Path

import pytest

from edge_agent.workflow.tables import ANYWHERE, COMMANDS, SCANS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "station-flow.md").read_text(encoding="utf-8")
CODE = re.compile(r'"(E-[0-9]{3})"')


def row(name):
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))


@pytest.mark.parametrize("kind", SCANS)
def test_every_kind_of_step_has_a_row(kind):
    commands = {command for step, command in COMMANDS if step == kind}
    assert commands <= set(re.findall(r"CTL[A-Z]+", row(kind)))


def test_every_command_for_all_steps_is_named():
    everywhere = next(part for part in PAGE.split("\n\n") if part.startswith("At every step"))
    assert set(ANYWHERE) <= set(re.findall(r"CTL[A-Z]+", everywhere))


def test_every_code_has_exactly_one_row_and_no_row_is_left_over():
    sources = [*ROOT.glob("edge_agent/workflow/*.py"), *ROOT.glob("edge_agent/scan/*.py")]
    used = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| (E-[0-9]{3}) \|", PAGE, re.MULTILINE)
    assert rows == sorted(used)
