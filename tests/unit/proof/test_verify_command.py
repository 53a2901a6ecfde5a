"""`tally verify` as a stranger uses it."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tally.commands.verify import verify
from tally.events import types as t
from tally.proof.anchors import plant_fingerprint
from tally.proof.exported import prove_export
from tally.proof.placing import BRANCHES_MAX
from tally.records.chain import event_id, line_hash
from tally.records.export import (
    EventRow,
    b64,
    event_row,
    event_rows,
    head_row,
    read_row,
    root_row,
)
from tally.records.ids import GENESIS, EventId, show_journal
from tally.records.signing import KEY, SigningKey, key_message, sign_head
from tests.support.golden import ROOT, golden, golden_export
from tests.support.hub_floor import Station

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


def test_fingerprint_that_cannot_be_one_is_a_slip_of_the_caller(tmp_path: Path) -> None:
    for plant in ("25", PLANT[:11], "not-a-finger", PLANT + "0"):
        result = run(tmp_path, ROWS, "--plant", plant)
        assert result.exit_code == 2
        assert "expected 12 to 64 hex digits" in result.output


def test_file_that_is_something_else_is_refused_in_words(tmp_path: Path) -> None:
    for rows in ([b""], [b"hello"], [b"[" * 100_000], [b"\xff" * 600_000]):
        result = run(tmp_path, rows)
        assert result.exit_code == 1
        assert "holds no event that could be read" in result.output
        assert "Traceback" not in result.output


def test_event_put_in_beside_a_true_one_is_named_though_its_id_follows() -> None:
    station = golden()[1]
    for seq in (1, 11, 23):
        line = station.lines[seq - 1].replace(b"BDG-1107", b"BDG-9999") + b" "
        before = station.ids[seq - 2] if seq > 1 else GENESIS
        forged = event_id(station.journal, seq, before, line_hash(line))
        row = event_row(station.journal, seq, forged, line)
        for rows in ([*ROWS, row], [row, *ROWS]):
            problems = prove_export(rows, plant=PLANT).problems
            assert [p.event for p in problems] == [f"{show_journal(station.journal)}:{seq}"]
            assert "the journal's writer never signed it" in problems[0].words


def test_journal_that_the_named_plant_does_not_vouch_for_is_a_problem() -> None:
    stranger = Station("S99")
    rows = [*ROWS, *event_rows(stranger.id, 1, stranger.ids, stranger.lines)]
    rows.append(head_row(sign_head(stranger.key, stranger.id, 1, stranger.ids[0])))
    assert prove_export(rows).unanchored == (show_journal(stranger.id),)
    [problem] = prove_export(rows, plant=PLANT).problems
    assert show_journal(stranger.id) in problem.words


def test_enrolled_station_cannot_vouch_for_another_journal() -> None:
    feed, own, stranger = golden()[0], Station("S95"), Station("S99")
    for writer, other, name in ((feed, own, "S95"), (own, stranger, "S99")):
        writer.add(
            t.StationEnrolled(
                journal=show_journal(other.id),
                key=b64(other.key.public.raw),
                station=name,
                line="L2",
                site="NB1",
            )
        )
    journals = [(feed.journal, feed), (own.id, own), (stranger.id, stranger)]
    rows = [root_row(ROOT.public)]
    for journal, writer in journals:
        rows += event_rows(journal, 1, writer.ids, writer.lines)
        last = len(writer.lines)
        rows.append(head_row(sign_head(writer.key, journal, last, writer.ids[-1])))
    assert prove_export(rows).unanchored == (show_journal(stranger.id),)


def test_journal_left_out_whole_is_named_as_absent() -> None:
    station = show_journal(golden()[1].journal)
    report = prove_export([row for row in ROWS if station.encode() not in row[:120]])
    assert report.absent == (station,)


def test_station_cannot_make_the_receipts_of_its_hub_look_forged() -> None:
    feed = golden()[0]
    own = Station("S98")
    message = key_message(feed.journal, feed.key.public, purpose="receipt", name="keys")
    own.add(
        t.KeyPublished(
            journal=show_journal(feed.journal),
            key=b64(feed.key.public.raw),
            purpose="receipt",
            name="keys",
            sig=b64(ROOT.sign(KEY, message)),
        )
    )
    rows = [*ROWS, *event_rows(own.id, 1, own.ids, own.lines)]
    rows.append(head_row(sign_head(own.key, own.id, own.seq, own.ids[-1])))
    assert prove_export(rows).problems == ()


def test_file_changed_throughout_is_judged_as_fast_as_another() -> None:
    own = Station("S97")
    for number in range(3000):
        own.add(t.RefusalShown("E-201", "x", f"P{number}"))
    wrong = [EventId(bytes(reversed(one))) for one in own.ids]
    problems = prove_export(event_rows(own.id, 1, wrong, own.lines)).problems
    assert len(problems) == own.seq + 1
    assert problems[-1].event == f"{show_journal(own.id)}:{own.seq}"


def test_one_seq_with_more_branches_than_can_be_is_refused_in_words() -> None:
    own = Station("S96")
    rows = []
    for number in range(BRANCHES_MAX + 1):
        line = own.lines[0] + b" " * number
        rows.append(event_row(own.id, 1, event_id(own.id, 1, GENESIS, line_hash(line)), line))
    words = [problem.words for problem in prove_export(rows).problems]
    assert any("stands in the file 100 times already" in one for one in words)
