"""A certificate whose journal was cut, or written anew, behind what a neighbour signed.

The hub of these tests lies as well as it can: it signs every list with its own key, and has every
head that the writer ever signed. In the worst of them the writer's key helps it.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tally.commands.verify import verify
from tally.events import types as t
from tally.proof.anchors import plant_fingerprint
from tally.proof.certified import CertificateReport, prove_certificate
from tally.records.certificate import chain_row, listed, read_contents, signed, witness_row
from tally.records.export import b64, head_row, receipt_row, root_row
from tally.records.ids import GENESIS, JournalId, show_journal
from tally.records.segment import piece_of
from tally.records.signing import RECEIPT, Receipt, SigningKey, sign_head
from tally.records.witness import Witness, sign_witness
from tests.property.test_certificate_changes_are_found import _cut, _leaf_changed
from tests.support.golden import (
    HUB,
    RECEIPTS,
    ROOT,
    GoldenJournal,
    _certified,
    golden,
)

FILE = Path(__file__).parents[1] / "golden" / "certificate-v1-witnessed.jsonl"
WHOLE = FILE.read_bytes()
LINES = WHOLE.splitlines(keepends=True)
CONTENTS = read_contents(LINES[0][:-1])
END = 23
FROM = [at for at, (name, _) in enumerate(CONTENTS.rows, 1) if name.startswith(("head", "witness"))]


def report_of(rows: list[bytes]) -> CertificateReport:
    contents = msgspec.structs.replace(CONTENTS, rows=listed(rows))
    return prove_certificate([row + b"\n" for row in (signed(contents, RECEIPTS), *rows)])


def words(rows: list[bytes]) -> str:
    return "; ".join(problem.words for problem in report_of(rows).problems)


@dataclass
class Floor:
    """The golden plant, where the feed also registers the neighbours."""

    feed: GoldenJournal
    station: GoldenJournal
    neighbours: dict[str, GoldenJournal]

    def rows(self, *witnesses: Witness, end: int = 0) -> list[bytes]:
        """A certificate of what S03 wrote, from event 5 to `end`, with these witnesses."""
        end = end or len(self.station.ids)
        under = [self._chain(self.feed, 1, len(self.feed.ids)), self._chain(self.station, 1, end)]
        registered = [2, 3, 4, *range(13, len(self.feed.ids) + 1)]
        events = [_certified(self.feed, seq, None) for seq in registered]
        events += [_certified(self.station, seq, None) for seq in range(5, end + 1)]
        head = sign_head(self.station.key, self.station.journal, end, self.station.ids[end - 1])
        receipt = Receipt(HUB, 1, self.station.journal, end, self.station.ids[end - 1], end, 0)
        receipt = replace(receipt, signature=RECEIPTS.sign(RECEIPT, receipt.message()))
        last = [head_row(head), receipt_row(receipt)]
        return [*under, *events, *last, *(witness_row(one, None) for one in witnesses)]

    def _chain(self, made: GoldenJournal, first: int, last: int) -> bytes:
        head = sign_head(made.key, made.journal, last, made.ids[last - 1])
        return chain_row(piece_of(head, GENESIS, tuple(made.lines[first - 1 : last])))

    def witness(self, name: str, seq: int) -> Witness:
        by = self.neighbours[name]
        at = (self.station.journal, seq, self.station.ids[seq - 1])
        return sign_witness(by.key, by.journal, *at)


def a_floor(*revoked: str) -> Floor:
    feed, station = golden()
    neighbours = {name: GoldenJournal(name) for name in ("S01", "S02")}
    for name, one in neighbours.items():
        key = b64(one.key.public.raw)
        body = t.StationEnrolled(show_journal(one.journal), key, name, "L2", "NB1")
        feed.add(body, by="system")
    for name in revoked:
        journal = show_journal(neighbours[name].journal)
        feed.add(t.KeyRevoked(journal, name, "the PC was stolen", ""), by="BDG-3001")
    return Floor(feed, station, neighbours)


# --- the golden file ----------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_found(at: int, bit: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= 1 << bit
    assert prove_certificate(_cut(bytes(changed))).problems


@settings(max_examples=100)
@given(st.data())
def test_whatever_a_hub_signs_instead_of_a_head_or_a_witness_is_answered_in_words(
    data: st.DataObject,
) -> None:
    number = data.draw(st.sampled_from(FROM))
    row = _leaf_changed(data, json.loads(LINES[number]))
    digests = list(CONTENTS.rows)
    digests[number - 1] = (digests[number - 1][0], sha256(row).hexdigest())
    contents = msgspec.structs.replace(CONTENTS, rows=tuple(digests))
    lines = [signed(contents, RECEIPTS) + b"\n", *LINES[1:]]
    lines[number] = row + b"\n"
    assert row == LINES[number][:-1] or prove_certificate(lines).problems


def test_who_reads_it_is_told_who_signed_how_far(tmp_path: Path) -> None:
    file = tmp_path / "unit.certificate"
    file.write_bytes(WHOLE)
    result = CliRunner().invoke(verify, [str(file), "--plant", plant_fingerprint(ROOT.public)])
    assert result.exit_code == 0, result.output
    stood = "S03 to event 23: signed by S03, receipt of the hub, witnessed by S01 (to 10), S02 (to"
    assert stood in result.output


# --- a hub that lies ----------------------------------------------------------------------------


def test_a_certificate_with_all_witnesses_holds() -> None:
    floor = a_floor()
    report = report_of(floor.rows(floor.witness("S01", 7), floor.witness("S02", END)))
    assert report.problems == ()
    assert report.stands[0].witnesses == (("S01", 7), ("S02", END))


@given(st.integers(8, END - 1), st.integers(8, END))
def test_a_journal_that_its_hub_cut_behind_a_witnessed_head_is_found(cut: int, seen: int) -> None:
    floor = a_floor()
    found = words(floor.rows(floor.witness("S01", 8), floor.witness("S02", seen), end=cut))
    if seen > cut:
        assert f"S02 signed that it held S03 to event {seen}" in found
        assert f"in this file S03 ends at {cut}" in found
    else:
        assert found == ""


@given(st.integers(8, END), st.integers(8, END))
def test_a_tail_written_anew_with_the_writers_own_key_is_found(anew: int, seen: int) -> None:
    floor = a_floor()
    witness = floor.witness("S02", seen)
    other = floor.station
    lines, other.lines, other.ids = other.lines, other.lines[: anew - 1], other.ids[: anew - 1]
    for _ in lines[anew - 1 :]:
        other.add(t.LotReceived(lot="L-1", part="P", supplier="B", supplier_lot="B-1"))
    found = words(floor.rows(witness))
    assert ("which is not proven to be in the history" in found) is (seen >= anew)


def test_a_head_that_the_receipt_ends_before_is_found() -> None:
    floor = a_floor()
    rows = floor.rows()
    short = floor.rows(end=20)
    [receipt] = [row for row in short if row.startswith(b'{"receipt"')]
    changed = [receipt if row.startswith(b'{"receipt"') else row for row in rows]
    assert "S03 signed its event 23" in words(changed)


# --- witnesses that are none --------------------------------------------------------------------


def alien(floor: Floor) -> Witness:
    """Of another plant: nobody registered it here."""
    key, journal = SigningKey(bytes(32)), JournalId(bytes(16))
    return sign_witness(key, journal, floor.station.journal, END, floor.station.ids[-1])


def forged(floor: Floor) -> Witness:
    return replace(alien(floor), witness=floor.neighbours["S01"].journal)


def of_another_journal(floor: Floor) -> Witness:
    """True, of S02's journal, and put beside S03's."""
    by, of = floor.neighbours["S01"], floor.neighbours["S02"]
    said = sign_witness(by.key, by.journal, of.journal, END, floor.station.ids[-1])
    return replace(said, journal=floor.station.journal)


def its_own(floor: Floor) -> Witness:
    own = floor.station
    return sign_witness(own.key, own.journal, own.journal, END, own.ids[-1])


def of_the_hub(floor: Floor) -> Witness:
    feed = floor.feed
    at = (floor.station.journal, END, floor.station.ids[-1])
    return sign_witness(feed.key, feed.journal, *at)


@pytest.mark.parametrize("made", [alien, forged, of_another_journal, its_own, of_the_hub])
def test_a_witness_that_no_neighbour_signed_counts_for_nothing_and_is_said(made: Any) -> None:
    floor = a_floor()
    report = report_of(floor.rows(made(floor)))
    assert report.stands[0].witnesses == ()
    [problem] = report.problems
    assert "counts for nothing" in problem.words


def test_a_witness_whose_key_was_taken_back_is_said_and_neither_counts_nor_harms() -> None:
    floor = a_floor("S02")
    lying = replace(floor.witness("S02", END), seq=10**9)
    key = floor.neighbours["S02"].key
    lying = sign_witness(key, lying.witness, lying.journal, lying.seq, lying.event_id)
    report = report_of(floor.rows(lying, floor.witness("S01", END)))
    assert report.problems == ()
    assert str(report.stands[0]).endswith(
        "witnessed by S01 (to 23); not counted: S02, whose key was taken back"
    )


def test_a_witness_of_a_journal_without_a_receipt_is_found() -> None:
    floor = a_floor()
    rows = [row for row in floor.rows(floor.witness("S01", 8)) if b'"receipt"' not in row]
    assert "for which the file has no receipt" in words(rows)


def test_rows_of_an_export_that_no_certificate_has_are_refused() -> None:
    with pytest.raises(ValueError, match="heads, witnesses and receipts"):
        listed([root_row(ROOT.public)])
