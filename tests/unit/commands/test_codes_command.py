"""`tally codes` as a planner types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tally.commands.codes import codes


def run(*arguments: str) -> Result:
    return CliRunner().invoke(codes, list(arguments))


def test_list_shows_level_kind_and_capacity() -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert [(one["id"], one["version"], one["level"]) for one in rows] == [
        ("bl2", 1, "unit"),
        ("pcb-l", 1, "unit"),
        ("sscc", 1, "box"),
    ]
    assert [(one["kind"], one["capacity"]) for one in rows] == [
        ("composite", 10**6),
        ("counter", 10**5),
        ("counter", 10**9),
    ]
    assert "BL2-<YYWW>-<counter:6>" in run("list").stdout


def test_explain_names_every_part_of_a_code() -> None:
    answer = run("explain", "BL2-2547-000412")
    assert answer.exit_code == 0
    assert "BL2-2547-000412 is a code of bl2@1, for a unit." in answer.stdout
    assert "the period that begins on 2025-11-17" in answer.stdout
    facts = json.loads(run("explain", "--json", "095211010000000870").stdout)
    assert (facts["scheme"], facts["counter"], facts["period"]) == ("sscc@1", 87, None)


def test_check_says_that_the_check_character_is_right() -> None:
    answer = run("check", "095211010000000870")
    assert (answer.exit_code, answer.stdout) == (
        0,
        "095211010000000870 is a code of sscc@1; its check character is right.\n",
    )


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_stranger_ends_with_1_and_a_reason_per_scheme(command: str) -> None:
    answer = run(command, "095211010000000871")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "sscc@1: expected check characters (gs1) '0', found '1'" in answer.stderr


def test_check_as_json_gives_reasons_and_ends_with_1() -> None:
    answer = run("check", "--json", "x")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["good"] is False


def test_generate_prints_header_and_codes_and_says_that_they_are_samples() -> None:
    answer = run(
        "generate", "--scheme", "bl2", "--start", "401", "--count", "2", "--period", "2025-11-20"
    )
    assert answer.exit_code == 0
    assert answer.stdout == "code\nBL2-2547-000401\nBL2-2547-000402\n"
    assert "2 sample codes of bl2@1" in answer.stderr
    assert "No grant was made" in answer.stderr


def test_generate_writes_a_file_of_many_codes_each_once(tmp_path: Path) -> None:
    out = tmp_path / "codes.csv"
    answer = run(
        "generate", "--scheme", "pcb-l@1", "--start", "0", "--count", "100000", "--out", str(out)
    )
    lines = out.read_text(encoding="ascii").splitlines()
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert lines[0] == "code"
    assert lines[1:] == [f"PCB-L-{counter:05}" for counter in range(100_000)]
    assert list(tmp_path.iterdir()) == [out]


def test_generate_refuses_a_range_past_the_capacity_and_says_what_fits() -> None:
    answer = run("generate", "--scheme", "pcb-l", "--start", "99990", "--count", "11")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "its counters are 0 to 99999, so 10 fit" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--scheme", "bl9", "--start", "0", "--count", "1"), 1, "known are bl2@1, pcb-l@1"),
        (("--scheme", "bl2", "--start", "0", "--count", "0"), 2, "--count"),
        (("--scheme", "bl2", "--start", "-1", "--count", "1"), 2, "--start"),
        (("--scheme", "bl2", "--start", "0", "--count", "1", "--field", "x"), 2, "NAME=VALUE"),
        (("--scheme", "bl2", "--start", "0", "--count", "1", "--field", "x=1"), 1, "no field 'x'"),
        (
            ("--scheme", "bl2", "--start", "0", "--count", "1", "--period", "1999-01-01"),
            1,
            "expected a period of 2019-12-30",
        ),
        (
            ("--scheme", "bl2", "--start", "0", "--count", "1", "--out", "/nowhere/x.csv"),
            1,
            "Cannot write /nowhere/x.csv: No such file or directory.",
        ),
    ],
)
def test_generate_refuses_in_words(arguments: tuple[str, ...], status: int, words: str) -> None:
    answer = run("generate", *arguments)
    assert (answer.exit_code, answer.stdout) == (status, "")
    assert words in answer.stderr


def test_every_command_shows_an_example() -> None:
    for command in ((), ("list",), ("explain",), ("check",), ("generate",)):
        assert "Example: tally codes" in run(*command, "--help").stdout
