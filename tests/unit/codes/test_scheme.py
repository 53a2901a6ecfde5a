"""Schemes of the demo plant, by example; the laws are in tests/property/test_codes.py."""

import datetime as dt

import pytest

from tally.codes import Check, Counter, Date, Literal, NotThisScheme, OrderField, Parsed, Scheme

BL2 = Scheme("bl2", 1, (Literal("BL2-"), Date("YYWW"), Literal("-"), Counter(6)))
PCB = Scheme("pcb-l", 1, (Literal("PCB-L-"), Counter(5)))
SSCC = Scheme("sscc", 1, (Literal("0"), Literal("9521101"), Counter(9), Check("gs1")), "box")
SLIP = Scheme(
    "slip",
    1,
    (
        Literal("T"),
        Date("YYDDD"),
        Counter(4, reset="day"),
        Check("luhn", over=("date", "counter")),
    ),
)
LINE = Scheme("line", 1, (Literal("L"), OrderField("order", 4), Counter(3, base=32)))
DAY = dt.date(2025, 11, 20)


def test_unit_serial_shows_iso_week_and_counter() -> None:
    assert BL2.render(412, period=DAY) == "BL2-2547-000412"


def test_parse_gives_the_first_day_of_the_printed_week() -> None:
    assert BL2.parse("BL2-2547-000412") == Parsed("bl2@1", 412, dt.date(2025, 11, 17), {})


def test_iso_week_belongs_to_its_iso_year() -> None:
    assert BL2.render(1, period=dt.date(2024, 12, 30)) == "BL2-2501-000001"


def test_sscc_ends_in_the_gs1_check_digit() -> None:
    assert SSCC.render(87) == "095211010000000870"
    assert SSCC.parse("095211010000000870") == Parsed("sscc@1", 87, None, {})


def test_slip_counts_date_and_counter_by_luhn() -> None:
    assert SLIP.render(17, period=DAY) == "T2532400179"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("BL2-2547-00041", "expected 15 characters, found 14"),
        ("BL3-2547-000412", "at character 1 expected 'BL2-', found 'BL3-'"),
        ("BL2-2554-000412", "at character 5 expected YYWW of 2000 to 2099, found '2554'"),
        (
            "BL2-2547-00O412",
            "at character 10 expected 6 characters of '0123456789', found '00O412'",
        ),
    ],
)
def test_a_stranger_is_refused_with_place_and_reason(code: str, reason: str) -> None:
    assert BL2.parse(code) == NotThisScheme("bl2@1", code, reason)


def test_a_wrong_check_character_names_the_right_one() -> None:
    refused = SSCC.parse("095211010000000871")
    assert str(refused) == (
        "'095211010000000871' is no code of sscc@1: expected check characters (gs1) '0', found '1'"
    )


def test_digits_of_other_scripts_are_no_digits() -> None:
    assert isinstance(PCB.parse("PCB-L-0093\N{FULLWIDTH DIGIT ONE}"), NotThisScheme)


def test_render_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(ValueError, match=r"field 'order' is missing.*no field 'lime'"):
        LINE.render(1, fields={"lime": "1"})


def test_render_refuses_a_counter_past_the_capacity() -> None:
    with pytest.raises(ValueError, match="expected a counter of 0 to 99999, found 100000"):
        PCB.render(100_000)


def test_render_demands_the_period_that_it_prints() -> None:
    with pytest.raises(ValueError, match=r"prints a date \(YYWW\) and no period was given"):
        BL2.render(1)


def test_render_refuses_a_period_outside_the_life() -> None:
    with pytest.raises(ValueError, match="found 2100-01-04"):
        BL2.render(1, period=dt.date(2100, 1, 4))


def test_order_field_comes_back_from_the_code() -> None:
    code = LINE.render(33, fields={"order": "1187"})
    assert code == "L1187011"
    assert LINE.parse(code) == Parsed("line@1", 33, None, {"order": "1187"})


def test_capacity_counts_counters_and_code_count_counts_codes() -> None:
    assert (BL2.capacity, BL2.code_count, BL2.kind) == (10**6, 5218 * 10**6, "composite")
    assert (PCB.capacity, PCB.code_count, PCB.kind) == (10**5, 10**5, "counter")


def test_scheme_with_too_many_codes_has_no_ranks() -> None:
    wide = Scheme("wide", 1, (OrderField("order", 8), Counter(6)))
    assert wide.rank("00001187000001") is None
    assert wide.rank_many(["00001187000001"]).tolist() == [-1]
    with pytest.raises(ValueError, match=r"ranks end at 2\*\*48"):
        wide.unrank(1)


def test_rank_many_marks_strangers_and_keeps_the_order() -> None:
    codes = ["PCB-L-00931", "x", "", "PCB-L-0093é", "PCB-X-00931", "PCB-L-00000"]
    assert PCB.rank_many(codes).tolist() == [931, -1, -1, -1, -1, 0]
