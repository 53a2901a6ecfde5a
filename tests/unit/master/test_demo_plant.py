"""The demo plant says what the demo needs, and every one of its files can be read alone."""

import tomllib
from pathlib import Path

import pytest

from tally.commands.demo_config import demo_documents, demo_folder
from tally.master import (
    BindSerial,
    Bom,
    Commission,
    Entity,
    Lot,
    OpenBox,
    Order,
    Person,
    Plan,
    PreviousOp,
    Rules,
    Template,
    content_sha256,
    from_content,
    id_of,
    kind_of,
    load_documents,
    ref_of,
    to_content,
)


@pytest.fixture(scope="module")
def plant() -> dict[tuple[str, str], Entity]:
    entities, problems = load_documents(demo_documents())
    assert [str(problem) for problem in problems] == []
    return {(kind_of(entity), id_of(entity)): entity for entity in entities}


def test_plant_has_every_entity_of_the_story(plant: dict[tuple[str, str], Entity]) -> None:
    found: dict[str, list[str]] = {}
    for (kind, _), entity in plant.items():
        found.setdefault(kind, []).append(ref_of(entity))
    assert found["plan"] == ["final-assembly@14", "flash-test@5", "pack@6", "smt@3"]
    assert found["scheme"] == ["bl2@1", "pcb-l@1", "sscc@1"]
    assert found["bom"] == ["PCB-L@2", "BL-2@4"]
    assert found["station"] == ["S01@1", "S02@1", "S03@1", "S04@1"]
    assert {kind: len(refs) for kind, refs in found.items()} == {
        "site": 1,
        "line": 1,
        "station": 4,
        "product": 6,
        "scheme": 3,
        "template": 2,
        "bom": 2,
        "plan": 4,
        "routing": 2,
        "person": 6,
        "lot": 7,
        "order": 1,
    }


def test_final_assembly_checks_the_board_as_drawn(plant: dict[tuple[str, str], Entity]) -> None:
    plan = plant["plan", "final-assembly"]
    assert isinstance(plan, Plan)
    board = plan.step("board")
    assert isinstance(board, BindSerial)
    assert board.rules == Rules("lead", "block", PreviousOp("20", "provisional", 86_400))
    battery = plan.step("battery")
    assert battery is not None
    assert battery.kind == "load_lot"


def test_lot_on_hold_says_since_when_by_whom_and_why(plant: dict[tuple[str, str], Entity]) -> None:
    lot = plant["lot", "PCB-L-2546C"]
    assert isinstance(lot, Lot)
    assert (lot.state, lot.since, lot.by, lot.qty) == ("on_hold", "06:50", "BDG-3001", "60")
    assert lot.reason


def test_sheet_and_table_give_people_and_orders(plant: dict[tuple[str, str], Entity]) -> None:
    chen, order = plant["person", "BDG-3001"], plant["order", "24-1187"]
    assert isinstance(chen, Person)
    assert (chen.name.zh, chen.roles, chen.place) == ("陈静", ("quality", "admin"), None)
    assert isinstance(order, Order)
    assert (order.product, order.qty, order.plan) == ("BL-2@4", 120, "final-assembly@14")


def test_bom_sheet_gathers_the_rows_of_a_parent(plant: dict[tuple[str, str], Entity]) -> None:
    bom = plant["bom", "BL-2"]
    assert isinstance(bom, Bom)
    assert [(line.part, line.qty, line.slot) for line in bom.lines] == [
        ("PCB-L", "1", "board"),
        ("BAT-18650", "1", "battery"),
        ("SCR-M3", "2", None),
    ]


def test_every_entity_survives_publishing(plant: dict[tuple[str, str], Entity]) -> None:
    for (kind, _), entity in plant.items():
        content = to_content(entity)
        again = from_content(kind, content)
        assert again == entity
        assert not isinstance(again, tuple)
        assert content_sha256(to_content(again)) == content_sha256(content)


def test_planners_can_bring_one_file_at_a_time_to_a_published_plant() -> None:
    everything, _ = load_documents(demo_documents())
    for document in demo_documents():
        _, problems = load_documents([document], known=everything)
        assert [str(problem) for problem in problems] == []


def test_every_template_that_a_plan_names_is_published_with_its_content(
    plant: dict[tuple[str, str], Entity],
) -> None:
    plans = [entity for entity in plant.values() if isinstance(entity, Plan)]
    steps = [step for plan in plans for step in plan.steps]
    named = {step.template for step in steps if isinstance(step, Commission | OpenBox)}
    assert named == {"unit-40x20", "box-100x70"}
    for name in named:
        template = plant["template", name]
        assert isinstance(template, Template)
        assert "{code}" in [item.value for item in template.items]


def test_grants_lie_inside_their_schemes_and_apart_from_each_other() -> None:
    grants = tomllib.loads(Path(demo_folder() / "grants.toml").read_text(encoding="utf-8"))["grant"]
    ranges = [(one["block"], one["scheme"], one["start"], one["count"]) for one in grants]
    assert ranges == [
        ("B-01", "bl2@1", 401, 172),
        ("B-02", "bl2@1", 381, 20),
        ("B-03", "pcb-l@1", 880, 120),
        ("B-04", "sscc@1", 87, 100),
    ]
