"""Whatever is done to a certificate is found, and the event that it was done to is named."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tally.commands.verify import verify
from tally.proof.anchors import plant_fingerprint
from tally.proof.certified import prove_certificate
from tally.records.certificate import (
    Contents,
    ProvenRow,
    listed,
    name_of,
    read_contents,
    read_row,
    signed,
)
from tally.records.export import b64
from tally.records.signing import SigningKey
from tests.support.golden import RECEIPTS, ROOT

FILE = Path(__file__).parents[1] / "golden" / "certificate-v1.jsonl"
WHOLE = FILE.read_bytes()
LINES = WHOLE.splitlines(keepends=True)
CONTENTS = read_contents(LINES[0][:-1])
CODE = CONTENTS.code
PLANT = plant_fingerprint(ROOT.public)
PLACES = st.integers(1, len(LINES) - 1)


def words(lines: list[bytes], **expected: str) -> list[str]:
    return [problem.words for problem in prove_certificate(lines, **expected).problems]


def named(number: int) -> str:
    """What the row after `number` others is called."""
    return name_of(read_row(LINES[number][:-1]))


def about(lines: list[bytes]) -> str:
    return "; ".join(words(lines))


def again(lines: list[bytes], key: SigningKey = RECEIPTS, **changed: object) -> list[bytes]:
    """Another list over these rows, under a signature: what only a hub could do."""
    rows = [line[:-1] for line in lines[1:]]
    fields = {name: getattr(CONTENTS, name) for name in CONTENTS.__struct_fields__}
    contents = Contents(**(fields | {"rows": listed(rows)} | changed))
    return [signed(contents, key) + b"\n", *lines[1:]]


# --- one file ---------------------------------------------------------------------------------


@settings(max_examples=250)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_found_and_its_row_named(at: int, bit: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= 1 << bit
    lines = _cut(bytes(changed))
    found = words(lines)
    assert found
    number = WHOLE.count(b"\n", 0, at)
    if number and WHOLE[at] != 10 and len(lines) == len(LINES):
        assert named(number) in "; ".join(found)


def _cut(raw: bytes) -> list[bytes]:
    """Lines as a file gives them: at line feeds only."""
    parts = raw.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def test_every_flipped_bit_of_line_breaks_and_signatures_is_found() -> None:
    breaks = [at for at, byte in enumerate(WHOLE) if byte == 10]
    sig = WHOLE.index(b'"sig":"')
    for at in (*breaks, *range(sig, sig + 96)):
        for bit in range(8):
            changed = bytearray(WHOLE)
            changed[at] ^= 1 << bit
            assert words(_cut(bytes(changed))), (at, bit)


@given(st.data())
def test_an_edited_row_is_named_alone_in_the_list_and_what_hung_on_it_after(
    data: st.DataObject,
) -> None:
    number = data.draw(PLACES)
    line = bytearray(LINES[number])
    at = data.draw(st.integers(0, len(line) - 2))
    line[at] = data.draw(st.integers(32, 126).filter(lambda byte: byte != line[at]))
    [first, *_] = words([*LINES[:number], bytes(line), *LINES[number + 1 :]])
    assert named(number) in first
    assert "was changed" in first


@pytest.mark.parametrize("number", range(1, len(LINES)))
def test_a_row_left_out_is_named(number: int) -> None:
    problems = prove_certificate([*LINES[:number], *LINES[number + 1 :]]).problems
    assert f"{named(number)} is missing" in problems[0].words
    if isinstance(read_row(LINES[number][:-1]), ProvenRow):
        assert problems[0].event == named(number)


@given(PLACES, st.sampled_from([b"\n", b"{}\n", LINES[0], b'{"root":"x"}\n', b"x" * 1000 + b"\n"]))
def test_a_row_put_in_is_found(number: int, row: bytes) -> None:
    found = about([*LINES[:number], row, *LINES[number:]])
    assert f"Row {number + 1} is not in the list of contents" in found


@given(PLACES, PLACES)
def test_a_row_that_stands_there_twice_is_named(number: int, to: int) -> None:
    found = about([*LINES[:to], LINES[number], *LINES[to:]])
    assert f"{named(number)} stands in the file more often" in found


@given(st.permutations(LINES[1:]).filter(lambda order: order != LINES[1:]))
def test_rows_in_another_order_are_found_and_one_is_named(order: list[bytes]) -> None:
    at = next(i for i, line in enumerate(order) if line != LINES[1 + i])
    [problem] = words([LINES[0], *order])
    assert name_of(read_row(order[at][:-1])) in problem
    assert "was moved" in problem


@given(st.integers(0, len(WHOLE) - 1))
def test_a_tail_cut_anywhere_is_found_and_the_first_event_that_is_gone_named(size: int) -> None:
    found = about(_cut(WHOLE[:size]))
    assert found
    number = WHOLE.count(b"\n", 0, size)
    if 1 <= number < len(LINES) and size != sum(map(len, LINES[: number + 1])) - 1:
        assert named(number) in found


def test_a_file_that_lacks_only_its_last_line_break_was_cut() -> None:
    assert words(_cut(WHOLE[:-1])) == [f"The file was cut: row {len(LINES)} does not end."]


# --- another file -----------------------------------------------------------------------------


def test_the_certificate_of_another_unit_is_found_by_the_code() -> None:
    assert words(LINES, code=CODE, plant=PLANT) == []
    [problem] = words(LINES, code="BL2-2547-000402", plant=PLANT)
    assert f"Expected the certificate of 'BL2-2547-000402', this one is of {CODE!r}" in problem


def test_the_certificate_of_another_plant_is_found_by_its_fingerprint() -> None:
    [problem] = words(LINES, plant="0" * 12)
    assert f"Expected the plant {'0' * 12}" in problem


def test_a_list_for_another_code_under_any_other_key_is_found() -> None:
    forged = again(LINES, SigningKey(bytes(32)), code="BL2-2547-000402")
    found = about(forged)
    assert "not signed by the hub" in found
    assert "No event of the file names 'BL2-2547-000402'" in found


def test_the_root_key_of_a_forger_vouches_for_none_of_the_keys() -> None:
    other = SigningKey(bytes(32))
    found = about(again(LINES, other, root=b64(other.public.raw)))
    assert "is not signed by the plant root key" in found
    assert "anyone may have written" in found


# --- a hub that lies --------------------------------------------------------------------------


def _rewritten(number: int, **changed: object) -> list[bytes]:
    row = read_row(LINES[number][:-1])
    line = msgspec.json.encode(msgspec.structs.replace(row, **changed)) + b"\n"
    return again([*LINES[:number], line, *LINES[number + 1 :]])


EVENTS = [
    number for number, line in enumerate(LINES[1:], 1) if isinstance(read_row(line[:-1]), ProvenRow)
]


@pytest.mark.parametrize("number", EVENTS)
def test_a_hub_cannot_change_an_event_without_the_key_of_its_station(number: int) -> None:
    row = read_row(LINES[number][:-1])
    assert isinstance(row, ProvenRow)
    for changed in ({"before": "00" * 32}, {"path": ("11" * 32,)}, {"path": ()}):
        assert row.event.journal in about(_rewritten(number, **changed))


@pytest.mark.parametrize("gone", range(1, len(LINES)))
def test_a_hub_that_signs_a_list_without_a_seal_a_chain_or_a_registration_is_found_out(
    gone: int,
) -> None:
    left = again([*LINES[:gone], *LINES[gone + 1 :]])
    row = read_row(LINES[gone][:-1])
    is_needed = not isinstance(row, ProvenRow) or gone in EVENTS[:3]
    if is_needed and not getattr(row, "receipt", None):
        assert words(left)
    else:  # the one thing that no proof of inclusion shows, and `verify` says so
        assert words(left) == []


LEAVES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.text(max_size=30),
    st.none(),
    st.booleans(),
    st.sampled_from(["00" * 32, "A" * 26, "", "0" * 64, b64(bytes(64)), b64(bytes(32))]),
    st.lists(st.sampled_from(["00" * 32, "", "x"]), max_size=3),
)


def _leaf_changed(draw: st.DataObject, row: dict[str, Any]) -> bytes:
    """The row with another value somewhere in it."""
    inside = row
    while True:
        name = draw.draw(st.sampled_from(sorted(inside)))
        if not isinstance(inside[name], dict) or not inside[name]:
            break
        inside = inside[name]
    inside[name] = draw.draw(LEAVES)
    return json.dumps(row, separators=(",", ":")).encode()


@settings(max_examples=100)
@given(st.data())
def test_whatever_a_hub_signs_instead_of_a_row_is_answered_in_words(data: st.DataObject) -> None:
    number = data.draw(PLACES)
    row = _leaf_changed(data, json.loads(LINES[number]))
    name, _ = CONTENTS.rows[number - 1]
    rows = [*LINES[:number], row + b"\n", *LINES[number + 1 :]]
    digests = list(CONTENTS.rows)
    digests[number - 1] = (name, sha256(row).hexdigest())
    fields = {one: getattr(CONTENTS, one) for one in CONTENTS.__struct_fields__}
    contents = signed(Contents(**(fields | {"rows": tuple(digests)})), RECEIPTS) + b"\n"
    report = prove_certificate([contents, *rows[1:]])
    assert row == LINES[number][:-1] or report.problems


@settings(max_examples=60)
@given(st.data())
def test_whatever_stands_in_the_list_is_answered_in_words(data: st.DataObject) -> None:
    contents = _leaf_changed(data, json.loads(LINES[0]))
    assert contents + b"\n" == LINES[0] or words([contents + b"\n", *LINES[1:]])


# --- as a stranger sees it --------------------------------------------------------------------


def run(tmp_path: Path, raw: bytes, *options: str) -> Result:
    file = tmp_path / "unit.certificate"
    file.write_bytes(raw)
    return CliRunner().invoke(verify, [str(file), *options])


def test_a_good_certificate_is_told_with_what_it_does_not_prove(tmp_path: Path) -> None:
    result = run(tmp_path, WHOLE, "--plant", PLANT[:12], "--code", CODE)
    assert result.exit_code == 0, result.output
    assert f"OK      {CODE}: 11 events, every id and signature holds" in result.output
    assert "Not proven: that nothing is left out" in result.output
    assert "S03 to event 23" in result.output
    assert "Undecided then: C-AAAAA" in result.output
    assert "Compare the" not in result.output


def test_who_names_neither_plant_nor_code_is_told_to_compare_them(tmp_path: Path) -> None:
    result = run(tmp_path, WHOLE)
    assert result.exit_code == 0
    assert result.output.count("Compare the") == 2


def test_a_changed_certificate_is_refused_without_telling_its_events(tmp_path: Path) -> None:
    result = run(tmp_path, WHOLE.replace(b'"PCB-L-00902"', b'"PCB-L-00903"'))
    assert result.exit_code == 1
    assert "was changed" in result.output
    assert "component.bound" not in result.output


def test_a_code_is_asked_of_certificates_only(tmp_path: Path) -> None:
    export = (FILE.parent / "journal-v1.jsonl").read_bytes()
    result = run(tmp_path, export, "--code", CODE)
    assert result.exit_code == 2
    assert "--code is for as-built certificates" in result.output


@given(st.binary(max_size=300))
def test_anything_after_the_first_word_is_answered_in_words(raw: bytes) -> None:
    assert words(_cut(b'{"certificate":' + raw))


def test_what_a_file_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    contents = again(LINES, code="\x1b[2J")[0]
    result = run(tmp_path, contents + b"".join(LINES[1:]))
    assert result.exit_code == 1
    assert "\x1b" not in result.output
