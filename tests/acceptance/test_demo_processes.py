"""`tally demo` without a terminal: addresses as lines, until a signal, and nothing stays behind."""

import os
import select
import signal
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

READY_S = 300
pytestmark = pytest.mark.timeout(READY_S * 2)


def running_on(folder):
    """Command lines of all processes that name this folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in line:
            found.append(line)
    return found


class Demo:
    """A running `tally demo`, its stdout lines as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            ["tally", "demo", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr)).start()

    def lines_until(self, is_last):
        found = []
        for line in self.process.stdout:
            found.append(line.strip())
            if is_last(line):
                return found
        raise AssertionError((found, self.errors))

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_a_terminal_it_runs_headless_until_a_signal_and_exits_0(folder, number):
    demo = Demo("--data", folder)
    try:
        lines = demo.lines_until(lambda line: line.startswith("S04"))
        console = next(word for line in lines for word in line.split() if "http://" in word)
        with urllib.request.urlopen(f"{console}healthz", timeout=30) as answer:
            assert answer.status == 200
        assert {line.partition(":")[0] for line in lines if line.startswith("S0")} == {
            "S01", "S02", "S03", "S04",
        }  # fmt: skip
        assert len(running_on(folder)) >= 6
        assert demo.end(number) == 0
    finally:
        demo.process.kill()
    assert running_on(folder) == []
    assert (folder / "hub").is_dir()


def test_a_demo_that_is_killed_takes_its_hub_and_stations_with_it(folder):
    demo = Demo("--data", folder)
    try:
        demo.lines_until(lambda line: line.startswith("S04"))
        pids = [int(place.name) for place in Path("/proc").glob("[0-9]*") if _is_of(place, folder)]
        watched = [os.pidfd_open(pid) for pid in pids]
    finally:
        demo.process.kill()
        demo.process.wait()
    poll = select.poll()
    for one in watched:
        poll.register(one, select.POLLIN)
    left = set(watched)
    while left:
        ended = poll.poll(120_000)
        assert ended, running_on(folder)
        for one, _ in ended:
            poll.unregister(one)
            left.discard(one)
            os.close(one)


def _is_of(place, folder):
    try:
        return str(folder).encode() in (place / "cmdline").read_bytes()
    except OSError:
        return False


def test_a_folder_that_holds_a_demo_is_left_alone_in_words(folder):
    (folder / "hub").mkdir(parents=True)
    done = subprocess.run(
        ["tally", "demo", "--data", str(folder)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_S,
    )
    assert done.returncode == 1
    assert f"{folder / 'hub'} exists already" in done.stderr
    assert list((folder / "hub").iterdir()) == []
