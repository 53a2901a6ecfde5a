"""`tally demo` without a terminal: addresses as lines, until a signal, and nothing stays behind."""

import os
import select
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from tests.support.proc import running_on

READY_S = 150
pytestmark = pytest.mark.timeout(READY_S * 2)


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
        self._reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr))
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

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


def is_station(line, name):
    return f"/{name} --headless" in line and "setpriv" not in line


def until(is_so):
    end = time.monotonic() + READY_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def test_without_a_terminal_it_runs_headless_until_sigterm_and_exits_0(folder):
    with Demo("--data", folder) as demo:
        lines = demo.lines_until(lambda line: line.startswith("S04"))
        console = next(word for line in lines for word in line.split() if "http://" in word)
        with urllib.request.urlopen(f"{console}healthz", timeout=30) as answer:
            assert answer.status == 200
        stations = [line.partition(":")[0] for line in lines if line.startswith("S0")]
        assert stations == ["S01", "S02", "S03", "S04"]
        assert len(running_on(folder)) == 6
        assert demo.end(signal.SIGTERM) == 0
    assert running_on(folder) == {}
    assert (folder / "hub").is_dir()


def test_a_station_that_is_killed_is_said_and_started_again(folder):
    with Demo("--data", folder) as demo:
        demo.lines_until(lambda line: line.startswith("S04"))
        [killed] = [pid for pid, line in running_on(folder).items() if is_station(line, "S02")]
        os.kill(killed, signal.SIGKILL)
        words = "S02 ended by itself (status -9) and is started again."
        until(lambda: any(words in line for line in demo.errors))
        until(lambda: [pid for pid in running_on(folder) if pid != killed][5:])
        assert demo.end(signal.SIGTERM) == 0
    assert running_on(folder) == {}


def test_a_demo_that_is_killed_takes_its_hub_and_stations_with_it(folder):
    with Demo("--data", folder) as demo:
        demo.lines_until(lambda line: line.startswith("S04"))
        pids = running_on(folder)
        assert len(pids) == 6
        watched = {os.pidfd_open(pid) for pid in pids}
    poll = select.poll()
    for one in watched:
        poll.register(one, select.POLLIN)
    while watched:
        ended = poll.poll(120_000)
        assert ended, running_on(folder)
        for one, _ in ended:
            poll.unregister(one)
            watched.discard(one)
            os.close(one)


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


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        ["tally", "demo", "--data", tmp_path / "file" / "demo"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot be made" in done.stderr
    assert "Traceback" not in done.stderr
