"""Blocks, the allocator and the books."""

import pytest

from tally.codes import (
    MOVES,
    Balance,
    Block,
    CodeState,
    MoveRefused,
    Range,
    Refusal,
    allocate,
    counted_as,
    move,
)

B01 = Block("B-01", "bl2@1", 401, 172, None, "S03")


def test_a_block_gives_each_counter_once_and_then_says_that_it_is_used_up() -> None:
    cursor, taken = B01.start, []
    while B01.remaining(cursor):
        counter, cursor = B01.take(cursor)
        taken.append(counter)
    assert taken == list(range(401, 573))
    with pytest.raises(ValueError, match=r"B-01 is used up: all of 401 to 572 \(172\)"):
        B01.take(cursor)


def test_at_unit_412_the_block_of_s03_has_160_left() -> None:
    _, cursor = B01.take(412)
    assert B01.remaining(cursor) == 160


@pytest.mark.parametrize("cursor", [400, 574, -1])
def test_a_cursor_of_another_block_is_refused(cursor: int) -> None:
    with pytest.raises(ValueError, match="expected a cursor of 401 to 573"):
        B01.take(cursor)


def test_blocks_overlap_only_within_one_scheme() -> None:
    assert B01.overlaps(Block("B-09", "bl2@1", 572, 1, None, "S02"))
    assert not B01.overlaps(Block("B-02", "bl2@1", 381, 20, None, "S02"))
    assert not B01.overlaps(Block("B-03", "pcb-l@1", 401, 172, None, "S01"))


def test_a_range_is_granted_at_the_position() -> None:
    assert allocate([], 5, 10) == Range(5, 10)


def test_a_range_skips_what_was_granted_by_hand_ahead_of_the_position() -> None:
    granted = [Range(120, 10), Range(100, 5), Range(108, 4)]
    assert allocate(granted, 100, 4) == Range(112, 4)


def test_an_explicit_start_is_granted_if_it_is_free() -> None:
    assert allocate([Range(401, 172)], 600, 20, 381) == Range(381, 20)


def test_an_explicit_start_inside_a_granted_range_is_refused_with_both_ranges() -> None:
    refused = allocate([Range(401, 172)], 600, 21, 381)
    assert isinstance(refused, Refusal)
    assert "381 to 401 (21): 401 to 572 (172) was granted before" in str(refused)


def test_a_range_past_the_capacity_is_refused_with_what_is_left() -> None:
    refused = allocate([], 99_990, 20, capacity=100_000)
    assert isinstance(refused, Refusal)
    assert "ends at 99999, 10 codes are left" in str(refused)


@pytest.mark.parametrize(("pos", "count", "start"), [(0, 0, None), (-1, 1, None), (0, 1, -1)])
def test_nonsense_is_refused_in_words(pos: int, count: int, start: int | None) -> None:
    assert isinstance(allocate([], pos, count, start), Refusal)


def test_books_balance_when_every_code_is_somewhere() -> None:
    books = Balance(172, unused=160, in_flight=1, commissioned=10, scrapped=1)
    assert (books.explained, books.unexplained) == (172, 0)


def test_books_show_how_many_codes_are_missing_or_count_twice() -> None:
    assert Balance(10, unused=8).unexplained == 2
    assert Balance(10, unused=8, commissioned=3).unexplained == -1


def test_books_of_blocks_add_up() -> None:
    total = Balance(10, unused=10) + Balance(5, commissioned=4, written_off=1)
    assert total == Balance(15, unused=10, commissioned=4, written_off=1)


def test_a_code_goes_from_allocated_over_encoded_to_commissioned() -> None:
    assert move("c", CodeState.UNUSED, CodeState.ALLOCATED) is CodeState.ALLOCATED
    assert move("c", CodeState.ALLOCATED, CodeState.ENCODED) is CodeState.ENCODED
    assert move("c", CodeState.ENCODED, CodeState.COMMISSIONED) is CodeState.COMMISSIONED


def test_nothing_leads_back_to_unused_or_from_commissioned_anywhere() -> None:
    assert not any(CodeState.UNUSED in after for after in MOVES.values())
    refused = move("c", CodeState.COMMISSIONED, CodeState.ALLOCATED)
    assert isinstance(refused, MoveRefused)
    assert "is commissioned and cannot become allocated; allowed: nothing" in str(refused)


def test_every_state_has_moves_and_a_column_in_the_books() -> None:
    assert set(MOVES) == set(CodeState)
    columns = {counted_as(state) for state in CodeState}
    assert Balance(1, **dict.fromkeys(columns - {"unused"}, 0), unused=1).unexplained == 0
