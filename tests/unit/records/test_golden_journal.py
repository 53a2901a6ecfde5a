"""The format does not change: the golden files are what version 1 is."""

from pathlib import Path

from tally.events.decoding import EventLine, read_lines, write_event
from tally.events.registry import TYPES
from tally.proof.certified import prove_certificate
from tally.proof.exported import prove_export
from tally.records.export import EventRow, read_row, unb64
from tally.records.segment import decode, prove
from tests.support.golden import golden, golden_certificate, golden_export, golden_witnessed

GOLDEN = Path(__file__).parents[2] / "golden"
LATER = GOLDEN / "lines"
"""Types that came after `journal-v1.jsonl`: one file a type, exact bytes, no newline."""
CHANGED = (
    "The format changed: line, id, head, seal or row no longer has the bytes of version 1. "
    "Journals in the field would break. A new version of a type or of the format is added beside "
    "the old one; the golden files are never edited."
)


def test_golden_export_has_the_bytes_of_version_1() -> None:
    stored = (GOLDEN / "journal-v1.jsonl").read_bytes()
    assert b"\n".join(golden_export()) + b"\n" == stored, CHANGED


def test_golden_segment_decodes_to_the_same_lines_and_ids() -> None:
    station = golden()[1]
    segment = decode((GOLDEN / "segment-v1.bin").read_bytes())
    assert segment == station.sealed(1, 10), CHANGED
    assert prove(segment, station.key.public) == station.ids[:10], CHANGED


def test_golden_export_is_accepted_whole() -> None:
    report = prove_export((GOLDEN / "journal-v1.jsonl").read_bytes().splitlines())
    assert report.problems == ()
    assert report.unanchored == ()
    assert [journal.completeness for journal in report.journals] == [
        "complete to receipt 23",
        "tail unknown",
    ]


def test_golden_certificate_has_the_bytes_of_version_1_and_is_accepted_whole() -> None:
    stored = (GOLDEN / "certificate-v1.jsonl").read_bytes()
    assert b"\n".join(golden_certificate()) + b"\n" == stored, CHANGED
    report = prove_certificate(stored.splitlines(keepends=True))
    assert report.problems == ()
    assert (report.code, len(report.events)) == ("BL2-2547-000401", 11)
    assert report.receipts == (("S03", 23),)


def test_golden_certificate_with_witnesses_has_its_bytes_and_names_who_signed() -> None:
    stored = (GOLDEN / "certificate-v1-witnessed.jsonl").read_bytes()
    assert b"\n".join(golden_witnessed()) + b"\n" == stored, CHANGED
    report = prove_certificate(stored.splitlines(keepends=True))
    assert report.problems == ()
    assert [str(one) for one in report.stands] == [
        "S03 to event 23: signed by S03, receipt of the hub, witnessed by S01 (to 10), S02 (to 23)"
    ]


def test_every_event_type_has_a_golden_line_and_all_can_be_read() -> None:
    rows = (GOLDEN / "journal-v1.jsonl").read_bytes().splitlines()
    lines = [unb64(row.line) for row in map(read_row, rows) if isinstance(row, EventRow)]
    events = read_lines(lines)
    assert all(isinstance(event, EventLine) for event in events)
    later = {path.stem for path in LATER.glob("*.json")}
    assert {event.t for event in events} | later == set(TYPES)
    assert not {event.t for event in events} & later


def test_golden_lines_of_later_types_are_read_and_written_again_to_the_same_bytes() -> None:
    for path in sorted(LATER.glob("*.json")):
        line = path.read_bytes()
        [event] = read_lines([line])
        assert isinstance(event, EventLine), f"{path.name}: {event}"
        assert event.t == path.stem
        again, _ = write_event(
            event.b, hlc=event.hlc, at=event.at, by=event.by, seen=event.seen, salt=event.salt
        )
        assert again == line, CHANGED
