"""`tally demo` in a terminal: the screen of S03 is lent the terminal and gives it back, always."""

import os
import re
import signal

import pytest

from tests.support.proc import running_on
from tests.support.tmux import Terminal

READY_S = 150
pytestmark = pytest.mark.timeout(READY_S * 3)
PLAIN = "0 1 0"
"""No second screen, cursor shown, no reports of the mouse."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def one_running(folder, words):
    [pid] = [
        pid for pid, line in running_on(folder).items() if words in line and "sh -c" not in line
    ]
    return pid


def modes(terminal):
    return terminal.flags("#{alternate_on} #{cursor_flag} #{mouse_any_flag}")


def links(terminal):
    return re.findall(r"http://127\.0\.0\.1:\d+/in/\S+", terminal.history())


def test_the_screen_comes_and_goes_and_leaves_the_terminal_as_it_was(folder):
    english = {"LANGUAGE": "en"}
    with Terminal(["tally", "demo", "--data", str(folder)], env=english) as terminal:
        terminal.until("Console", "/in/", wait_s=READY_S)
        terminal.until("[BDG-1120]")
        assert modes(terminal)[0] == "1"

        terminal.press("C-q")
        terminal.until("Hub and stations go on")
        assert modes(terminal) == PLAIN
        first, second = links(terminal)
        assert first != second

        terminal.press("Enter")
        terminal.until("[BDG-1120]")
        os.kill(one_running(folder, "--practice"), signal.SIGKILL)
        terminal.until("ended with status -9")
        assert modes(terminal) == PLAIN

        terminal.press("Enter")
        terminal.until("[BDG-1120]")
        os.kill(one_running(folder, "hub serve"), signal.SIGKILL)
        terminal.press("C-q")
        terminal.until("The hub is gone", "Enter opens S03 again")
        os.kill(one_running(folder, "tally demo"), signal.SIGTERM)
        terminal.until("[status 0]")
        assert modes(terminal) == PLAIN
        terminal.type("echo is back")
        terminal.until("echo is back")
        assert running_on(folder) == {}


def test_a_terminal_that_is_too_small_gets_four_headless_stations_and_the_reason(folder):
    with Terminal(["tally", "demo", "--data", str(folder)], columns=79) as terminal:
        terminal.until("79x24; a screen needs 80x24", "S04: ", wait_s=READY_S)
        terminal.press("C-c")
        terminal.until("[status 0]")
        assert running_on(folder) == {}
