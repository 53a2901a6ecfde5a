"""`tally ledger` over files as a hub exports them, shuffled, doubled, damaged."""

import json
import random

import pytest
from click.testing import CliRunner

from tally.commands.ledger import ledger
from tally.events import types as t
from tally.records.export import event_rows, head_row
from tally.records.signing import sign_head
from tests.support.building import Writing, bound, bound_lot, decided, feed, lamp


@pytest.fixture
def plant():
    """Two stations bind one board; nobody has decided."""
    s2, s3, decisions = Writing("S02"), Writing("S03"), feed("decisions")
    for station, counter in ((s2, 381), (s3, 405)):
        station.add(t.UnitCommissioned(lamp(counter), "BL-2@4"))
        station.add(bound("PCB-L-00902", lamp(counter)))
        station.add(bound_lot("BAT-18650-2547A", lamp(counter)))
    return s2, s3, decisions


def rows_of(*writers):
    rows = []
    for writer in writers:
        rows += event_rows(writer.id, 1, writer.ids, writer.lines)
        rows.append(head_row(sign_head(writer.key, writer.id, writer.seq, writer.ids[-1])))
    return rows


def run(tmp_path, rows, *words):
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"".join(row + b"\n" for row in rows))
    command, *rest = words
    return CliRunner().invoke(ledger, [command, str(file), *rest])


def test_shuffled_and_doubled_rows_give_the_same_fingerprint(tmp_path, plant):
    rows = rows_of(*plant)
    told = run(tmp_path, rows, "fingerprint", "--json")
    mixed = [*rows, *rows]
    random.Random(3).shuffle(mixed)
    assert run(tmp_path, mixed, "fingerprint", "--json").output == told.output
    found = json.loads(told.output)
    assert found["fingerprint"].startswith(found["short"])
    assert [tip["name"] for tip in found["completeness"]["journals"]] == ["S02", "S03", "decisions"]


def test_a_case_is_listed_with_who_where_and_when(tmp_path, plant):
    [case] = json.loads(run(tmp_path, rows_of(*plant), "cases", "--json").output)
    assert case["key"] == "in:PCB-L-00902"
    assert case["held"] == [lamp(381), lamp(405)]
    assert {claim["station"] for claim in case["claims"]} == {"S02", "S03"}
    assert all(claim["by"] and claim["at"] and claim["live"] for claim in case["claims"])


def test_a_decision_settles_the_case(tmp_path, plant):
    s2, s3, decisions = plant
    kept, gone = s2.ref(3), s3.ref(3)
    decisions.add(decided("C-1", "in:PCB-L-00902", kept, [gone], [kept, gone]))
    [case] = json.loads(run(tmp_path, rows_of(*plant), "cases", "--json").output)
    assert (case["status"], case["held"]) == ("decided", [])


def test_findings_are_listed_for_people(tmp_path, plant):
    plant[0].add(t.ComponentUnbound("PCB-L-00902", lamp(405), "board", "broken"))
    told = run(tmp_path, rows_of(*plant), "findings")
    assert told.output.startswith("open-request        PCB-L-00902  PCB-L-00902 was taken out")
    assert told.output.endswith("1 findings\n")


def test_a_lot_is_traced_to_its_units(tmp_path, plant):
    told = run(tmp_path, rows_of(*plant), "trace", "BAT-18650-2547A", "--up", "--json")
    found = json.loads(told.output)
    assert [node["code"] for node in found["nodes"] if node["level"]] == [lamp(381), lamp(405)]
    assert all(link["who"] and link["station"] and link["event"] for link in found["links"])


def test_a_code_that_nobody_recorded_is_said_so(tmp_path, plant):
    told = run(tmp_path, rows_of(*plant), "trace", "BL2-0000-000000")
    assert told.exit_code == 1
    assert "Nothing is recorded" in told.output


def test_an_event_behind_a_gap_is_counted_and_the_rest_is_shown(tmp_path, plant):
    rows = rows_of(*plant)
    told = run(tmp_path, rows[:1] + rows[2:], "fingerprint", "--json")
    assert told.exit_code == 0
    assert json.loads(told.output)["completeness"]["gaps"] == 1


def test_a_changed_event_is_named_and_nothing_is_said_about_the_rest(tmp_path, plant):
    rows = rows_of(*plant)
    row = json.loads(rows[2])
    row["line"] = json.loads(rows[3])["line"]
    rows[2] = json.dumps(row).encode()
    told = run(tmp_path, rows, "cases")
    assert told.exit_code == 1
    assert "does not follow" in told.output


@pytest.mark.parametrize(
    "row",
    [
        b"hello",
        b"[1, 2]",
        b'{"journal": "short", "seq": 1, "event_id": "00", "line": "AAAA"}',
        b"[" * 100_000,
        b'{"journal":"' + b"A" * 600_000,
        b"\xff\xfe",
    ],
)
def test_a_row_that_is_no_event_is_named_with_its_number(tmp_path, plant, row):
    told = run(tmp_path, [*rows_of(*plant), row], "cases")
    assert told.exit_code == 1
    assert "Row " in told.output
    assert "Traceback" not in told.output


def test_an_empty_file_is_no_export(tmp_path):
    assert run(tmp_path, [], "cases").exit_code == 1
