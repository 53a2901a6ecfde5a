"""`tally verify` as a stranger uses it."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tally.commands.verify import verify
from tally.proof.exported import plant_fingerprint, prove_export
from tally.records.export import EventRow, event_rows, head_row, read_row, root_row
from tally.records.ids import show_journal
from tally.records.signing import SigningKey, sign_head
from tests.support.golden import ROOT, golden, golden_export

ROWS = golden_export()
PLANT = plant_fingerprint(ROOT.public)


def run(tmp_path: Path, rows: list[bytes], *options: str) -> Result:
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"\n".join(rows) + b"\n")
    return CliRunner().invoke(verify, [str(file), *options])


def test_whole_export_is_accepted_with_its_completeness(tmp_path: Path) -> None:
    result = run(tmp_path, ROWS, "--plant", PLANT[:12])
    assert result.exit_code == 0, result.output
    assert "complete to receipt 23" in result.output
    assert "every id and signature holds" in result.output


def test_changed_event_is_named_alone(tmp_path: Path) -> None:
    index, row = next((i, r) for i, r in enumerate(ROWS) if b'"component.bound"' in r)
    read = read_row(row)
    assert isinstance(read, EventRow)
    changed = [*ROWS[:index], row.replace(b'"slot":"board"', b'"slot":"beard"'), *ROWS[index + 1 :]]
    result = run(tmp_path, changed, "--json")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert [p["event"] for p in report["problems"]] == [f"{read.journal}:{read.seq}"]


def test_file_of_another_plant_is_refused_when_the_reader_names_the_plant(tmp_path: Path) -> None:
    result = run(tmp_path, ROWS, "--plant", "0" * 12)
    assert result.exit_code == 1
    assert f"Expected the plant {'0' * 12}, the file is of {PLANT[:12]}" in result.output


def test_cut_tail_shows_against_the_receipt(tmp_path: Path) -> None:
    station = golden()[1]
    name = show_journal(station.journal)
    cut = [r for r in ROWS if not r.startswith(f'{{"journal":"{name}","seq":23'.encode())]
    cut = [r for r in cut if not r.startswith(f'{{"head":{{"journal":"{name}"'.encode())]
    cut.append(head_row(sign_head(station.key, station.journal, 22, station.ids[21])))
    result = run(tmp_path, cut)
    assert result.exit_code == 1
    assert "names event 23" in result.output
    assert "it ends at 22" in result.output


def test_journal_whose_key_nobody_vouches_for_is_shown_as_not_anchored() -> None:
    station = golden()[1]
    alone = [root_row(ROOT.public), *event_rows(station.journal, 1, station.ids, station.lines)]
    alone.append(head_row(sign_head(station.key, station.journal, 23, station.ids[22])))
    report = prove_export(alone)
    assert report.problems == ()
    assert report.unanchored == (show_journal(station.journal),)
    assert report.journals[0].completeness == "tail unknown"


def test_head_by_another_key_does_not_cover_the_tail() -> None:
    station = golden()[1]
    rows = [*event_rows(station.journal, 1, station.ids, station.lines)]
    rows.append(head_row(sign_head(SigningKey(bytes(32)), station.journal, 23, station.ids[22])))
    words = [problem.words for problem in prove_export(rows).problems]
    assert any("does not hold" in line for line in words)
    assert any("stands under no valid head" in line for line in words)


def test_file_that_is_something_else_is_refused_in_words(tmp_path: Path) -> None:
    for rows in ([b""], [b"hello"], [b"[" * 100_000], [b"\xff" * 600_000]):
        result = run(tmp_path, rows)
        assert result.exit_code == 1
        assert "holds no event that could be read" in result.output
        assert "Traceback" not in result.output
