"""Which schemes are accepted, alone and side by side, and in which words others are refused."""

import datetime as dt

import pytest

from tally.codes import (
    Check,
    Counter,
    Date,
    Field,
    Literal,
    OrderField,
    Scheme,
    accept,
    overlaps,
)


def scheme(*fields: Field, version: int = 1, starts: dt.date = dt.date(2020, 1, 1)) -> Scheme:
    return Scheme("x", version, fields, "unit", starts)


def test_schemes_with_different_literals_share_no_code() -> None:
    assert not overlaps(scheme(Literal("A-"), Counter(5)), scheme(Literal("B-"), Counter(5)))


def test_schemes_of_different_length_share_no_code() -> None:
    assert not overlaps(scheme(Literal("A-"), Counter(5)), scheme(Literal("A-"), Counter(6)))


def test_a_literal_inside_the_counter_of_another_overlaps() -> None:
    assert overlaps(scheme(Literal("A-"), Counter(5)), scheme(Literal("A-1"), Counter(4)))


def test_a_letter_where_the_other_has_a_digit_keeps_them_apart() -> None:
    assert not overlaps(scheme(Literal("A-"), Counter(5)), scheme(Literal("A-X"), Counter(4)))


def test_a_week_never_shows_a_nine_in_its_tens() -> None:
    dated = scheme(Literal("A"), Date("YYWW"), Counter(2))
    assert not overlaps(dated, scheme(Literal("A"), Counter(2), Literal("9"), OrderField("o", 3)))


def test_a_check_character_counts_with_all_it_can_show() -> None:
    checked = scheme(Counter(4), Check("gs1"))
    assert overlaps(checked, scheme(Counter(5)))


def test_a_new_version_that_could_make_an_old_code_is_refused() -> None:
    old = scheme(Literal("BL2-"), Counter(6))
    new = scheme(Literal("BL2-"), Counter(6, base=16), version=2)
    problem = accept(new, [old])[0]
    assert problem.expected == "no code that x@1 could have made"
    assert problem.found == "both could look like 'BL2-000000'"


def test_a_published_version_cannot_change() -> None:
    old = scheme(Literal("A-"), Counter(6))
    assert "raise version to 2" in str(accept(scheme(Literal("B-"), Counter(6)), [old])[0])


def test_accepting_the_same_scheme_again_is_no_problem() -> None:
    old = scheme(Literal("A-"), Counter(6))
    assert accept(old, [old]) == ()


@pytest.mark.parametrize(
    "fields",
    [
        (Literal("CTL"), Counter(5)),
        (Literal("ctL-"), Counter(5)),
        (Counter(5, base=36),),
        (OrderField("line", 3), Counter(5)),
        (Literal("C"), OrderField("line", 2), Counter(5)),
    ],
)
def test_codes_that_could_read_as_a_command_are_refused(fields: tuple[Field, ...]) -> None:
    assert "cannot begin with CTL" in str(accept(scheme(*fields), [])[0])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((Literal("A"),), "field: expected exactly one counter, found 0"),
        ((Literal("A"), Counter(2), Counter(3, name="b")), "exactly one counter, found 2"),
        ((Literal("A"), Date("YYQQ"), Counter(2)), "field[2].format: expected one of YY, YYWW"),
        ((Literal("A B"), Counter(2)), "field[1].text: expected printable ASCII"),
        ((Literal("Ä"), Counter(2)), "field[1].text: expected printable ASCII"),
        ((Literal(""), Counter(2)), "field[1].text: expected printable ASCII"),
        ((Literal("A"), Counter(0)), "field[2].width: expected 1 to 64 characters, found 0"),
        ((Literal("A"), Counter(16)), "field[2].width: expected at most 2 ** 53 counters"),
        ((Literal("A"), Counter(2, base=11)), "field[2].base: expected one of 10, 16, 32, 34, 36"),
        ((Literal("A"), Counter(2, reset="day")), "found no date"),
        ((Literal("A"), Date("YYWW"), Counter(2, reset="month")), "tells weeks apart"),
        ((Literal("A"), Date("YYMM"), Counter(2, reset="week")), "tells months apart"),
        ((Literal("A"), Counter(2), Check("lun")), "did you mean 'luhn'?"),
        ((Literal("A"), Counter(2), Check("luhn")), "field[3].over: expected only characters"),
        ((Literal("A"), Counter(2), Check("luhn", ("count",))), "did you mean 'counter'?"),
        ((Check("luhn"), Counter(2)), "none stand before it"),
        ((Literal("A"), Counter(2), OrderField("counter", 2)), "each name once"),
        ((Literal("A"), OrderField("o", 4), Counter(2), Check("mod97-10")), "use mod37-36"),
        ((Literal("A" * 60), Counter(6)), "codes of at most 64 characters, found 66"),
        ((Literal("A"), OrderField("o", 2, "AAB"), Counter(2)), "each character once"),
    ],
)
def test_a_scheme_that_cannot_work_is_refused_in_words(
    fields: tuple[Field, ...], words: str
) -> None:
    assert words in "\n".join(map(str, accept(scheme(*fields), [])))


def test_all_problems_of_a_scheme_come_at_once() -> None:
    bad = scheme(Literal(""), Counter(0, base=7), Check("nope"), version=0)
    assert [one.key for one in accept(bad, [])] == [
        "version",
        "field[1].text",
        "field[2].base",
        "field[2].width",
        "field[3].algorithm",
    ]


def test_a_daily_counter_with_the_day_printed_is_accepted() -> None:
    fields = (Literal("T"), Date("YYDDD"), Counter(4, reset="day"))
    check = Check("luhn", over=("date", "counter"))
    assert accept(scheme(*fields, check), []) == ()
