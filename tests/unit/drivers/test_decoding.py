"""Two opinions about one picture."""

from drivers.decoding import Box, Code, compare

HERE, THERE = Box(0, 0, 100, 50), Box(300, 0, 400, 50)
INSIDE = Box(10, 20, 90, 30)  # zbar's boxes are often narrower


def test_what_both_read_alike_is_one_code_with_the_first_one_s_identifier():
    first = Code(b"A", "]C0", HERE)
    assert compare([first], [Code(b"A", None, INSIDE)]) == ([first], [])


def test_a_spot_that_is_read_differently_gives_nothing_and_both_readings():
    codes, disagreements = compare([Code(b"A1", "]C0", HERE)], [Code(b"A7", None, INSIDE)])
    assert codes == []
    assert disagreements == ["b'A1' against b'A7'"]


def test_a_dispute_does_not_touch_another_spot():
    other = Code(b"B", "]d1", THERE)
    codes, disagreements = compare([Code(b"A1", "]C0", HERE), other], [Code(b"A7", None, INSIDE)])
    assert codes == [other]
    assert len(disagreements) == 1


def test_what_only_one_reads_counts():
    first, second = Code(b"A", "]d1", HERE), Code(b"B", None, THERE)
    assert compare([first], [second]) == ([first, second], [])
    assert compare([], [second]) == ([second], [])


def test_text_that_the_second_turned_into_utf8_is_no_dispute():
    first = Code(b"caf\xe9", "]Q1", HERE, text="café")
    assert compare([first], [Code("café".encode(), None, HERE)]) == ([first], [])
