"""The form of a bundle, and what a stranger can say of one; files on sticks are fault 59's."""

import io
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tally.events import types as t
from tally.proof.anchors import plant_fingerprint
from tally.proof.bundled import prove_bundle
from tally.records.bundle import (
    BYTES_MAX,
    PART_BYTES_MAX,
    PARTS_MAX,
    Bundle,
    BundleError,
    PartFields,
    fields_of,
    listed,
    marked,
    opening,
    parts_in,
    plain,
    read_opening,
)
from tally.records.export import b64
from tally.records.ids import show_journal
from tally.records.segment import decode, encode
from tally.records.signing import RECEIPT, Receipt, SigningKey
from tests.support.golden import HUB, RECEIPTS, ROOT, golden
from tests.support.hub_floor import Station
from tests.support.stations import piece

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle-v1.tlyb"
STRANGER = SigningKey(sha256(b"a stranger").digest())


def pieces():
    """Keys feed, a sealed segment, an open piece; with the writers."""
    feed, station = golden()
    feed.id, station.id = feed.journal, station.journal
    feed.seq, station.seq = len(feed.lines), len(station.lines)
    sealed = encode(station.sealed(1, 10))
    return [piece(feed), sealed, piece(station, 11)], station


def bundle_of(parts, station, key=None, /, **more):
    """The bytes of a file, made by the station or with another key."""
    last = len(station.ids)
    receipt = Receipt(HUB, 1, station.journal, last, station.ids[-1], last, 0)
    receipt = replace(receipt, signature=RECEIPTS.sign(RECEIPT, receipt.message()))
    signer = key or station.key
    says = {
        "root": ROOT.public,
        "maker": station.journal,
        "name": "S03",
        "key": signer.public,
        "made": "2026-11-20T15:00:00+08:00",
        "parts": listed(parts)[0],
        "tips": ((station.journal, last, station.ids[-1]),),
        "receipts": (receipt,),
    }
    return opening(Bundle(**(says | more)), signer) + b"".join(parts)


def proven(data, **more):
    return prove_bundle(io.BytesIO(data), **more)


@pytest.fixture(scope="module")
def made():
    parts, station = pieces()
    return [marked(one) for one in parts], station


def test_the_golden_bundle_of_version_1_is_read_proven_and_spelled_the_same():
    raw = GOLDEN.read_bytes()
    report = proven(raw, plant=plant_fingerprint(ROOT.public))
    assert report.problems == ()
    assert [(one.writer, one.first, one.last) for one in report.journals] == [
        ("S03", 1, 23),
        ("keys", 1, 12),
    ]
    assert (report.maker, report.receipts, report.holding) == ("S03", 1, 3)
    station = golden()[1]
    file = io.BytesIO(raw)
    bundle = read_opening(file)
    assert raw.startswith(opening(bundle, station.key))
    assert bundle_of([], station).startswith(b'{"tally":"bundle/1","plant":')
    found = list(parts_in(bundle, file))
    assert found[1].segment.lines + found[2].segment.lines == tuple(station.lines)


def test_a_part_goes_on_as_the_bytes_that_came_over_the_network():
    parts, _ = pieces()
    for data in parts:
        assert decode(plain(decode(marked(data)))) == decode(data)
        assert decode(marked(data)).marks is not None


def test_a_changed_event_is_named_even_if_the_file_was_put_together_anew(made):
    parts, station = made
    segment = decode(parts[1])
    lines = list(segment.lines)
    lines[4] = lines[4].replace(b'"counter":401', b'"counter":402')
    assert lines[4] != segment.lines[4]
    forged = encode(replace(segment, lines=tuple(lines)))
    report = proven(bundle_of([parts[0], forged, parts[2]], station))
    (problem,) = report.problems
    assert f"Event {show_journal(station.journal)}:5 was changed" in problem.words
    assert report.holding == 2


def test_a_file_that_a_stranger_put_together_says_so_and_its_parts_still_hold(made):
    parts, station = made
    report = proven(bundle_of(parts, station, STRANGER))
    (problem,) = report.problems
    assert "do not vouch for the key of its maker" in problem.words
    assert report.holding == 3


def test_a_journal_that_only_a_station_vouches_for_is_of_nobody(made):
    parts, station = made
    other = Station("S99")
    other.add(
        t.StationEnrolled(show_journal(other.id), b64(other.key.public.raw), "S99", "L2", "NB1")
    )
    report = proven(bundle_of([*parts, marked(other.piece())], station))
    assert ["vouch for no key of this journal" in one.words for one in report.problems] == [True]


def test_another_plant_and_a_receipt_of_another_key_are_named(made):
    parts, station = made
    assert (
        "Expected the plant" in proven(bundle_of(parts, station), plant="0" * 12).problems[0].words
    )
    file = io.BytesIO(bundle_of(parts, station))
    (receipt,) = read_opening(file).receipts
    wrong = replace(receipt, durable_through=receipt.durable_through - 1)
    (problem,) = proven(bundle_of(parts, station, receipts=(wrong,))).problems
    assert "is not signed by the hub's key" in problem.words


def test_parts_in_another_order_or_a_part_twice_are_what_the_list_says(made):
    parts, station = made
    assert proven(bundle_of([*parts, parts[1]], station)).problems == ()
    swapped = bundle_of(parts, station)
    body = b"".join(parts)
    swapped = swapped.removesuffix(body) + parts[0] + parts[2] + parts[1]
    assert proven(swapped).holding == 1


def test_bytes_behind_the_last_part_are_named(made):
    parts, station = made
    (problem,) = proven(bundle_of(parts, station) + b"x").problems
    assert "does not list" in problem.words


def test_a_gap_between_parts_is_counted(made):
    _, station = made
    station.id, station.seq = station.journal, len(station.lines)
    feed = pieces()[0][0]
    parts = [marked(one) for one in (feed, piece(station, 3, 5), piece(station, 9, 12))]
    found = {one.writer: one for one in proven(bundle_of(parts, station)).journals}["S03"]
    assert (found.first, found.last, found.events, found.gaps) == (3, 12, 7, 1)


@pytest.mark.parametrize("name", ["S03\x1b[2J", "S03\u202e", "S03\n"])
def test_a_name_that_would_play_with_a_terminal_is_refused(made, name):
    parts, station = made
    with pytest.raises(BundleError, match="cannot be shown"):
        read_opening(io.BytesIO(bundle_of(parts, station, name=name)))


def test_what_a_manifest_may_list_has_limits(made):
    parts, station = made
    fields = fields_of(parts[0])
    huge = replace_fields(fields, size=PART_BYTES_MAX)
    for listing in (
        (fields,) * (PARTS_MAX + 1),
        (huge,) * (BYTES_MAX // PART_BYTES_MAX + 1),
        (replace_fields(fields, size=PART_BYTES_MAX + 1),),
        (replace_fields(fields, first=5, last=4),),
        (replace_fields(fields, journal="nobody"),),
        (replace_fields(fields, last=2**60),),
    ):
        data = bundle_of([], station, parts=listing)
        with pytest.raises(BundleError):
            read_opening(io.BytesIO(data))


def replace_fields(fields, **more):
    names = ("journal", "first", "last", "head", "size", "sha256")
    return PartFields(**({name: getattr(fields, name) for name in names} | more))


def test_more_parts_than_one_file_may_hold_are_left_out_and_counted(made):
    parts, _ = made
    taken, left = listed(iter([parts[2]] * (PARTS_MAX + 2)))
    assert (len(taken), left) == (PARTS_MAX, 2 * 13)
