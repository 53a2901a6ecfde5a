"""Names of keys are injective, and read as the plant's people know them."""

from hypothesis import given
from hypothesis import strategies as st

from tally.merge.keys import case_id, join_parts, key_text, split_key, split_parts

PARTS = st.lists(st.text("a/%25F", max_size=6), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_equal_text_means_equal_parts(one, other):
    assert (join_parts(one) == join_parts(other)) == (one == other)


@given(PARTS)
def test_parts_come_back(parts):
    assert split_parts(join_parts(parts)) == tuple(parts)
    assert split_key(key_text("in", parts)) == ("in", tuple(parts))


def test_the_key_of_a_bound_board_reads_as_in_the_story():
    assert key_text("in", ("PCB-L-00902",)) == "in:PCB-L-00902"
    assert key_text("in", ("a/b", "c%")) == "in:a%2Fb/c%25"


def test_the_id_of_a_case_follows_from_its_key_alone():
    assert case_id("in:PCB-L-00902") == "C-PAGTE"
