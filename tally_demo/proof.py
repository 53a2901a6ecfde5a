"""What the records of the story prove: nothing acknowledged is missing, no code twice, no change
goes unseen.

Works on `tally hub export` and `tally verify` alone, as an auditor would. The rows of an export are
those of the format page, section 4.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from tally_demo.checks import Checks
from tally_demo.commands import read, run
from tally_demo.plant import Plant

Row: TypeAlias = Mapping[str, Any]
EXPORT: Final = "events.jsonl"


def export(plant: Plant) -> tuple[Path, list[Row]]:
    """Export all events of the hub; the file and its event rows."""
    file = plant.directory / EXPORT
    run("hub", "export", plant.hub_folder, "--events", file)
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return file, [row for row in rows if "event_id" in row and "line" in row]


def check_nothing_lost(checks: Checks, plant: Plant, rows: Iterable[Row]) -> None:
    """Every event that a station said is durable stands in the export."""
    exported = {row["event_id"] for row in rows}
    acknowledged = {name: place.station.acknowledged for name, place in plant.places.items()}
    missing = {name: sorted(ids - exported) for name, ids in acknowledged.items() if ids - exported}
    checks.holds(
        "nothing acknowledged is missing",
        not missing and all(acknowledged.values()),
        "every acknowledged event in the hub's export",
        missing or f"{sum(map(len, acknowledged.values()))} acknowledged, all there",
    )


def check_no_code_twice(checks: Checks, plant: Plant, rows: Sequence[Row]) -> None:
    """No code was reserved, commissioned or printed twice."""
    for words, kind in (("reserved", "code.reserved"), ("commissioned", "unit.commissioned")):
        codes = Counter(row["b"]["code"] for row in rows if row["t"] == kind)
        checks.holds(
            f"no code is {words} twice",
            bool(codes) and not _twice(codes),
            "each once",
            _twice(codes) or f"{len(codes)} codes, each once",
        )
    printed = Counter(row["b"]["code"] for row in rows if row["t"] == "label.printed")
    labels = [path for place in plant.places.values() for path in place.folder.glob("labels/*.png")]
    checks.holds(
        "each label file stands for a code of its own",
        bool(labels) and not _twice(printed) and len(labels) == len(printed),
        "as many label files as codes printed, each once",
        f"{len(labels)} files, {len(printed)} codes, twice: {_twice(printed) or 'none'}",
    )


def check_verify(checks: Checks, file: Path, board: str, unit: str) -> None:
    """`tally verify` accepts the export, and names the event when one byte of it is changed."""
    report = read("verify", file, status=None)
    checks.holds(
        "tally verify accepts the export", report["ok"] is True, "no problem", report["problems"]
    )
    row_at, target = _bind(file, board, unit)
    for words, spoil in (("the words", _spoil_words), ("the signed line", _spoil_line)):
        spoiled = file.with_name(f"changed-{words.rpartition(' ')[2]}.jsonl")
        rows = file.read_bytes().splitlines(keepends=True)
        before = rows[row_at]
        rows[row_at] = spoil(before, board)
        spoiled.write_bytes(b"".join(rows))
        changed = sum(a != b for a, b in zip(before, rows[row_at], strict=True))
        finished = run("verify", spoiled, "--json", status=None)
        problems = json.loads(finished.stdout)["problems"]
        events = sorted({problem["event"] for problem in problems})
        checks.equal(
            f"one byte of {words} changed: verify exits 1 and names the event",
            (1, 1, [target]),
            (changed, finished.status, events),
        )


def _bind(file: Path, board: str, unit: str) -> tuple[int, str]:
    """Row number and name of the event that binds the board into the unit."""
    for at, line in enumerate(file.read_bytes().splitlines()):
        row = json.loads(line)
        if row.get("t") == "component.bound":
            body = row["b"]
            if (body["child"], body["parent"]) == (board, unit):
                return at, f"{row['journal']}:{row['seq']}"
    raise AssertionError(f"no event binds {board} into {unit}; the case was about it")


def _spoil_words(row: bytes, board: str) -> bytes:
    """Another board in the readable part of the row, as a forger would write it."""
    at = row.index(board.encode()) + len(board) - 1
    return row[:at] + (b"8" if row[at : at + 1] != b"8" else b"9") + row[at + 1 :]


def _spoil_line(row: bytes, _: str) -> bytes:
    """Another character in the middle of the exact line."""
    line = json.loads(row)["line"].encode()
    at = row.index(line) + len(line) // 2
    return row[:at] + (b"A" if row[at : at + 1] != b"A" else b"B") + row[at + 1 :]


def _twice(codes: Counter[str]) -> list[str]:
    return sorted(code for code, count in codes.items() if count > 1)
