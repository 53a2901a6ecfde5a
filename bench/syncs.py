"""Counts how often a scan syncs to disk: by strace where it is there, else by counting commits.

A program of its own makes units between two marks; what it called in between is read from strace's
log. Without strace the number of SQLite transactions stands in, and the count says so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench.assembly import NO_FILE, Assembly
from bench.report import Count

_SYNC = re.compile(r"\b(fsync|fdatasync)\((-?\d+)\)")
_WHAT = "syncs to disk per commit, checkpoints included"


def count_syncs(directory: Path, units: int) -> Count:
    """Syncs for each commit of a scan; 1 is what durability costs at least."""
    strace = shutil.which("strace")
    if strace is not None:
        found = _by_strace(strace, directory, units)
        if found is not None:
            return Count(_WHAT, found, "", f"strace over {units} units", "G1", 1.05)
    return Count(
        "transactions per commit asked for",
        _by_trace(directory, units),
        "",
        "COMMITs in SQLite's trace; syncs not counted, since strace is missing or not allowed",
        "G1",
        1.0,
    )


def _by_strace(strace: str, directory: Path, units: int) -> float | None:
    """None when strace may not trace here."""
    log = directory / "strace.log"
    traced = [strace, "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(log)]
    program = [sys.executable, "-m", "bench.assembly", str(directory / "traced"), str(units)]
    (directory / "traced").mkdir()
    ran = subprocess.run([*traced, *program], capture_output=True, text=True, check=False)
    if ran.returncode != 0 or not log.exists():
        return None
    return syncs_between_marks(log.read_text("utf-8")) / int(ran.stdout)


def syncs_between_marks(log: str) -> int:
    """Syncs between the first two calls on a file that does not exist."""
    files = [int(found[2]) for found in _SYNC.finditer(log)]
    first = files.index(NO_FILE)
    return files.index(NO_FILE, first + 1) - first - 1


def _by_trace(directory: Path, units: int) -> float:
    assembly = Assembly(directory / "counted", units)
    statements: list[str] = []
    assembly.station.journal.connection.set_trace_callback(statements.append)
    for _ in range(units):
        assembly.unit()
    found = statements.count("COMMIT") / assembly.commits
    assembly.close()
    return found
