"""This program's own terminal: whether a screen fits into it, and lending it to a child.

A child that draws owns the terminal until it ends. However it ends, the terminal is then as it was:
line by line, with echo, the cursor shown, no second screen, no reports of mouse and paste.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from tally_demo.commands import surroundings, tally_command
from tally_demo.processes import ENDING_S, dies_with_us

COLUMNS: Final = 80
LINES: Final = 24
# No mouse; no reports of focus, paste and size; the keyboard's and the screen's first mode; no
# colour; the cursor shown.
_PLAIN: Final = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[0m\x1b[?25h\r\n"
)


def why_no_screen() -> str | None:
    """Why station S03 cannot have its screen here, for people; None if it can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "This is no terminal"
    if os.environ.get("TERM", "dumb") == "dumb":
        return "This terminal cannot draw (TERM is not set, or dumb)"
    size = os.get_terminal_size(sys.stdout.fileno())
    if size.columns < COLUMNS or size.lines < LINES:
        return f"This terminal is {size.columns}x{size.lines}; a screen needs {COLUMNS}x{LINES}"
    return None


def lend(arguments: Sequence[str]) -> int:
    """Run `tally` with this program's terminal until it ends; its exit status as Popen has it.

    Ctrl+C belongs to it meanwhile: the terminal sends the signal to both, and only it may act.
    """
    descriptor = sys.stdin.fileno()
    attributes = termios.tcgetattr(descriptor)
    before = signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen([*dies_with_us(), *tally_command(), *arguments], env=surroundings())
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            _end(process)
        _take_back(descriptor, attributes, was_killed=process.returncode < 0)
        signal.signal(signal.SIGINT, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_S)
    process.kill()
    process.wait()


def _take_back(descriptor: int, attributes: list[Any], *, was_killed: bool) -> None:
    # A terminal whose window was closed cannot be put right, and need not be.
    with suppress(OSError, termios.error):
        termios.tcflush(descriptor, termios.TCIFLUSH)
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
        # One that ended by itself has left its screen, and its last words must not be drawn over.
        if was_killed:
            os.write(sys.stdout.fileno(), _PLAIN.encode())
