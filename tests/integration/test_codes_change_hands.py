"""Codes that change hands with the hub away, on real folders and sticks; fault 55."""

import json
import shutil

import pytest

from edge_agent.bootstrap.opening import open_journal
from edge_agent.cli import station as station_commands
from edge_agent.journal.facts import OwnFact
from edge_agent.station.clock import SystemClock
from edge_agent.station.knowledge import StationKnowledge
from hub.cli import hub as hub_commands
from tally.codes import Range
from tally.events import types as t
from tests.support.sticks import Island, run

LEAD = "BDG-2004"


@pytest.fixture
def island(tmp_path):
    """S02 has a hundred codes, S03 none; both know the plant and have no network."""
    made = Island(tmp_path / "island", ("S02", "S03"))
    run(hub_commands, "grant", made.hub, "bl2@1", "S02", 100, "--block", "B-1")
    for name in ("S02", "S03"):
        made.take(name, made.answer(name, f"to-{name}.tlyb"))
    return made


def label(island, name, count):
    """The station prints so many labels, or as many as it has codes for; the codes on them."""
    clock = SystemClock()
    codes = []
    with open_journal(island.folder / name, clock) as journal:
        knowledge = StationKnowledge(journal, clock, language="en", devices=frozenset())
        for _ in range(count):
            made = knowledge.next_code("bl2@1", None)
            if made is None:
                break
            body = t.CodeReserved(made.code, "bl2@1", made.block, made.counter)
            journal.append([OwnFact(body, seen=(made.grant,))], None, at=clock.now())
            codes.append(made.code)
    return codes


def blocks(island, name):
    folder = island.folder / name
    return {
        one["block"]: one for one in json.loads(run(station_commands, "codes", folder, "--json"))
    }


def balance(island):
    rows = json.loads(run(hub_commands, "balance", island.hub, "--json"))
    assert {row["unexplained"] for row in rows} == {0}
    return {row["block"]: row for row in rows}


def findings(island):
    return json.loads(run(hub_commands, "findings", island.hub, "--json"))


def start_of(island, block="B-1"):
    return blocks(island, "S02")[block]["start"]


def test_a_station_that_runs_dry_works_on_with_codes_that_a_neighbour_lends(island):
    own = label(island, "S02", 10)
    assert label(island, "S03", 1) == []
    said = run(station_commands, "lend", island.folder / "S02", "B-1", 40, "S03", "--as", LEAD)
    assert "40 codes of block B-1" in said
    assert "are lent to S03" in said
    loan = island.out("S02", "loan.tlyb", "--all")
    island.take("S03", loan)
    name = f"B-1+{start_of(island) + 60}"
    assert (blocks(island, "S03")[name]["left"], blocks(island, "S03")[name]["lender"]) == (
        40,
        "S02",
    )
    borrowed = label(island, "S03", 40)
    rest = label(island, "S02", 50)
    assert len({*own, *borrowed, *rest}) == 100, "no code twice, and none lost"
    assert label(island, "S02", 1) == label(island, "S03", 1) == []

    # The loan comes again, by whatever way: nothing changes.
    before = island.status("S03")["seq"]
    island.take("S03", loan)
    assert island.status("S03")["seq"] == before

    # The hub hears of it in the wrong order, and the books balance all the same.
    island.bring(island.out("S03", "S03.tlyb"))
    island.bring(island.out("S02", "S02.tlyb"))
    assert findings(island) == []
    rows = balance(island)
    assert (rows["B-1"]["lent"], rows["B-1"]["in_flight"], rows["B-1"]["unused"]) == (40, 60, 0)
    assert (rows[name]["station"], rows[name]["in_flight"]) == ("S03", 40)


def test_only_a_lead_gives_codes_away_and_a_running_station_is_told_to_stop(island):
    folder = island.folder / "S02"
    said = run(station_commands, "lend", folder, "B-1", 40, "S03", "--as", "BDG-1107", status=1)
    assert "needs the role lead" in said
    said = run(
        station_commands, "give-back", folder, "B-1", "--as", "BDG-9", "--reason", "done", status=1
    )
    assert "unknown here" in said
    with open_journal(folder, SystemClock(), starts=False):
        said = run(station_commands, "lend", folder, "B-1", 40, "S03", "--as", LEAD, status=1)
        assert "J-101" in said
    assert blocks(island, "S02")["B-1"]["left"] == 100


def test_who_never_heard_of_the_lender_takes_its_loan_from_a_stick_alone(island):
    """S04 was enrolled, and got its codes, while S03 was cut off; S03 holds nothing of it."""
    island.join("S04")
    run(hub_commands, "grant", island.hub, "bl2@1", "S04", 60, "--block", "B-4")
    island.take("S04", island.answer("S04", "to-S04.tlyb"))
    island.work("S04", range(20))
    assert run(station_commands, "slip", island.folder / "S04", status=1)
    run(station_commands, "lend", island.folder / "S04", "B-4", 25, "S03", "--as", LEAD)
    island.work("S04", range(20, 40))
    file = island.stick / "loan.tlyb"
    shown = run(station_commands, "slip", island.folder / "S04", "S03", "--out", file, "--json")
    assert len(json.loads(shown)["parts"]) == 3
    said = island.take("S03", file)
    assert said["borrowed"] == ["25 codes of bl2@1 are borrowed from S04."]
    assert said["problems"] == []
    assert {one["name"] for one in island.status("S03")["others"]} >= {"keys", "leases"}
    assert "S04" not in {one["name"] for one in island.status("S03")["others"]}
    head = island.status("S03")["seq"]
    assert island.take("S03", file)["borrowed"] == []
    assert island.status("S03")["seq"] == head
    assert len(set(label(island, "S03", 99))) == 25
    assert len(set(label(island, "S04", 99))) == 35
    # The hub hears of it in the wrong order, and the books balance.
    island.bring(island.out("S03", "S03.tlyb"))
    island.bring(island.out("S04", "S04.tlyb"))
    assert findings(island) == []
    assert balance(island)["B-4"]["lent"] == 25
    proven = island.verify(file)
    assert proven["problems"] == []


def test_a_stick_with_a_loan_for_somebody_else_gives_nothing(island):
    run(station_commands, "lend", island.folder / "S02", "B-1", 25, "S03", "--as", LEAD)
    island.join("S04")
    island.take("S04", island.answer("S04", "to-S04.tlyb"))
    file = island.stick / "loan.tlyb"
    run(station_commands, "slip", island.folder / "S02", "--out", file)
    said = island.take("S04", file, status=1)
    assert said["borrowed"] == []
    assert label(island, "S04", 1) == []


def codes_given_back_whose_labels_exist(island):
    """A PC is put back to its image, forgets five labels, and gives all its codes back.

    The hub gives out other codes; then the labels turn up.

    Returns:
        The five, and the codes of the labels that the other station printed.
    """
    folder, image = island.folder / "S02", island.folder / "image"
    shutil.copytree(folder, image)
    printed = label(island, "S02", 5)
    before = island.out("S02", "before.tlyb")
    shutil.rmtree(folder)
    shutil.copytree(image, folder)
    give_back = ("give-back", folder, "B-1", "--as", LEAD, "--reason", "order closed")
    assert "100 codes of block B-1" in run(station_commands, *give_back)
    island.bring(island.out("S02", "after.tlyb"))
    run(hub_commands, "grant", island.hub, "bl2@1", "S03", 50, "--block", "B-2")
    island.take("S03", island.answer("S03", "more.tlyb"))
    later = label(island, "S03", 50)
    assert "two histories" in str(island.bring(before, status=1))
    return printed, later


def test_fault_55_codes_given_back_are_never_granted_again_though_a_label_was_printed(island):
    printed, later = codes_given_back_whose_labels_exist(island)
    assert not set(later) & set(printed)
    rows = balance(island)
    assert (rows["B-1"]["returned"], rows["B-1"]["in_flight"], rows["B-1"]["unused"]) == (95, 5, 0)
    assert sorted(one["subject"] for one in findings(island)) == printed
    assert {one["code"] for one in findings(island)} == {"outside-block"}


def test_55_a_hub_that_grants_returned_codes_again_would_be_caught(island, monkeypatch):
    start = start_of(island)
    monkeypatch.setattr(
        "hub.services.leasing._allocate",
        lambda office, scheme, period, count, start_: (Range(start, count), start + 100),
    )
    printed, later = codes_given_back_whose_labels_exist(island)
    assert set(later) >= set(printed), "two labels of one code"
    island.bring(island.out("S03", "S03.tlyb", "--all"))
    cases = json.loads(run(hub_commands, "cases", island.hub, "--json"))
    assert {f"code:{code}" for code in printed} <= {case["key"] for case in cases}
