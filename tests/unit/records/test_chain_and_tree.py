"""Chain, Merkle tree, signatures, ids and clock stamps."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.records import merkle
from tally.records.chain import chain_hashes, chain_ids, event_id, first_difference, line_hash
from tally.records.hlc import AHEAD_MS_MAX, Hlc, after_receiving, next_stamp, parse_hlc
from tally.records.ids import (
    GENESIS,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    parse_ref,
    ref_to,
    show_journal,
)
from tally.records.signing import HEAD, RECEIPT, Receipt, SigningKey, sign_head

JOURNAL = JournalId(bytes(range(16)))
KEY = SigningKey(bytes(range(32)))
ids32 = st.binary(min_size=32, max_size=32).map(EventId)


def rfc6962_root(leaves: list[EventId]) -> bytes:
    """The recursion of RFC 6962 section 2.1, written as the RFC writes it."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + rfc6962_root(leaves[:split]) + rfc6962_root(leaves[split:])).digest()


@given(st.lists(ids32, min_size=1, max_size=40), st.data())
def test_tree_is_that_of_rfc_6962_and_every_path_leads_to_its_root(
    leaves: list[EventId], data: st.DataObject
) -> None:
    root = merkle.root(leaves)
    assert root == rfc6962_root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.path(leaves, index)
    assert merkle.root_from_path(leaves[index], index, len(leaves), proof) == root
    assert merkle.root_from_path(leaves[index], index, len(leaves), [*proof, root]) is None
    if proof:
        assert merkle.root_from_path(leaves[index], index, len(leaves), proof[:-1]) is None
        forged = [bytes(32), *proof[1:]] if proof[0] != bytes(32) else [bytes([1] * 32), *proof[1:]]
        assert merkle.root_from_path(leaves[index], index, len(leaves), forged) != root


def test_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == sha256(b"").digest()


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=20), st.integers(1, 2**30))
def test_chain_in_one_go_equals_link_by_link_and_survives_erased_lines(
    lines: list[bytes], first: int
) -> None:
    whole = chain_ids(JOURNAL, first, GENESIS, lines)
    before = GENESIS
    for seq, line in enumerate(lines, first):
        before = event_id(JOURNAL, seq, before, line_hash(line))
        assert whole[seq - first] == before
    assert chain_hashes(JOURNAL, first, GENESIS, map(line_hash, lines)) == whole


def test_first_difference_is_the_changed_event() -> None:
    found = chain_ids(JOURNAL, 1, GENESIS, [b"a", b"b", b"c"])
    assert first_difference([i[:4] for i in found], found) is None
    assert first_difference([found[0], b"\0\0\0\0", found[2]], found) == 1
    assert first_difference(found[:2], found) == 2


def test_ids_have_one_spelling() -> None:
    text = show_journal(JOURNAL)
    assert parse_journal(text) == JOURNAL
    for wrong in (text.lower(), text + "=", text[:-1], text[:-1] + "Z", "", "é" * 26):
        with pytest.raises(MalformedIdError):
            parse_journal(wrong)
    event = chain_ids(JOURNAL, 1, GENESIS, [b"a"])[0]
    assert parse_event_id(event.hex()) == event
    with pytest.raises(MalformedIdError):
        parse_event_id(event.hex().upper())
    ref = ref_to(JOURNAL, 7, event)
    assert parse_ref(str(ref)) == ref
    assert ref.names(event)
    assert not ref.names(GENESIS)
    for wrong in (
        f"{text}:0:{'0' * 16}",
        f"{text}:07:{'0' * 16}",
        f"{text}:7:abc",
        str(ref) + "\n",
    ):
        with pytest.raises(MalformedIdError):
            parse_ref(wrong)


def test_signature_of_one_purpose_is_no_signature_of_another() -> None:
    head = sign_head(KEY, JOURNAL, 5, GENESIS)
    assert head.is_signed_by(KEY.public)
    message = JOURNAL + (5).to_bytes(8, "big") + GENESIS
    assert KEY.public.verifies(HEAD, message, head.signature)
    assert not KEY.public.verifies(RECEIPT, message, head.signature)
    assert not KEY.public.verifies(HEAD, message, b"short")
    assert not sign_head(SigningKey(bytes(32)), JOURNAL, 5, GENESIS).is_signed_by(KEY.public)


def test_receipt_covers_each_of_its_numbers() -> None:
    plain = Receipt(JOURNAL, 1, JOURNAL, 9, GENESIS, 9, 4)
    signature = KEY.sign(RECEIPT, plain.message())
    assert Receipt(JOURNAL, 1, JOURNAL, 9, GENESIS, 9, 4, signature).is_signed_by(KEY.public)
    for other in (
        Receipt(JOURNAL, 2, JOURNAL, 9, GENESIS, 9, 4, signature),
        Receipt(JOURNAL, 1, JOURNAL, 10, GENESIS, 9, 4, signature),
        Receipt(JOURNAL, 1, JOURNAL, 9, GENESIS, 10, 4, signature),
        Receipt(JOURNAL, 1, JOURNAL, 9, GENESIS, 9, 9, signature),
    ):
        assert not other.is_signed_by(KEY.public)


def test_secret_key_does_not_show_in_its_repr() -> None:
    assert KEY.raw.hex() not in repr(KEY)


@given(st.lists(st.integers(-(2**40), 2**49), min_size=1, max_size=30))
def test_stamps_never_run_backwards_whatever_the_wall_clock_does(walls: list[int]) -> None:
    last = Hlc(0, 0)
    for wall in walls:
        stamp = next_stamp(last, wall)
        assert stamp > last or stamp.ms == 2**48 - 1
        assert parse_hlc(str(stamp)) == stamp
        assert (str(stamp) > str(last)) == (stamp > last)
        last = stamp


def test_counter_overflow_moves_to_the_next_millisecond() -> None:
    assert next_stamp(Hlc(1000, 0xFFFF), 5) == Hlc(1001, 0)


def test_stamp_from_the_far_future_does_not_move_ours() -> None:
    ours, wall = Hlc(1_000_000, 0), 1_000_000
    near = Hlc(wall + AHEAD_MS_MAX, 3)
    assert after_receiving(ours, near, wall) == near
    assert after_receiving(ours, Hlc(near.ms + 1, 0), wall) == ours
    assert after_receiving(ours, Hlc(5, 0), wall) == ours


def test_stamp_in_another_shape_is_refused() -> None:
    for text in ("", "0198f3c2a1b4-0003", "0198F3C2A1B4.0003", "0198f3c2a1b4.00031"):
        with pytest.raises(ValueError, match="expected a stamp"):
            parse_hlc(text)
