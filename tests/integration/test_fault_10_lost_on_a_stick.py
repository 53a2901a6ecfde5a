"""A damaged event of a station that no network joins: the hub's answer tells (fault 10)."""

import pytest

from edge_agent.cli import station as station_commands
from hub import bootstrap as at_hub
from tests.integration.test_fault_10_mended import flip, rows
from tests.support.sticks import Island, run


def held(island):
    """How far the hub acknowledges S03, what it knows to be lost, and its findings."""
    hub = at_hub.open_hub(island.hub)
    try:
        [row] = [one for one in hub.show("stations") if one["station"] == "S03"]
        return row["seq"], row["lost"], [one["code"] for one in hub.show("findings")]
    finally:
        hub.office.store.close()


@pytest.mark.timeout(180)  # some twenty programs, one after the other
def test_10_a_stick_there_and_back_names_the_hole_and_another_closes_it(tmp_path):
    island = Island(tmp_path / "island", stations=("S03", "S04"))
    for name in ("S03", "S04"):
        island.take(name, island.answer(name, f"first-{name}.tlyb"))
    island.work("S03", range(401, 411))
    before = island.out("S03", "before.tlyb")
    lost = island.status("S03")["seq"] - 4
    flip(island.folder / "S03", lost)
    with_damage = island.status("S03")["seq"] + 2  # it starts twice more, and works
    island.work("S03", range(411, 412))
    words = ("journal", island.folder / "S03", "export", island.stick / "one.tlyb")
    said = run(station_commands, *words, status=1)
    assert f"{lost}..{lost} is left out" in said
    island.bring(island.stick / "one.tlyb", status=1)  # it still needs the lost one
    assert held(island)[:2] == (lost - 1, [])
    told = island.take("S03", island.answer("S03", "answer.tlyb"))
    assert told["lost"] == [lost]
    assert island.status("S03")["lost"] == [lost]
    island.bring(island.out("S03", "two.tlyb"))
    head = island.status("S03")["seq"]
    assert head > with_damage
    assert held(island) == (head, [lost], ["event-lost"])
    report = island.verify(island.stick / "two.tlyb")
    assert [one["seq"] for one in report["lost"]] == [lost]
    line = island.answer("S04", "line.tlyb")
    island.take("S04", line)

    whole = rows(island.folder / "S03")
    island.bring(before)
    assert held(island) == (head, [], [])
    island.take("S03", before, status=1)  # it says that an event was put back
    again = rows(island.folder / "S03")
    assert [one for one in again[: len(whole)] if one not in whole] == [again[lost - 1]]
    assert island.status("S03")["lost"] == []
