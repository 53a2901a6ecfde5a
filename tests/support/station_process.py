"""A headless station as a process of its own, spoken to line by line."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from edge_agent.journal.journal import Journal
from tests.support.stations import NOON, Bench, Plant, demo_grants

ANSWER_S = 50
TALLY = str(Path(sys.executable).with_name("tally"))


def enrolled(folder, name="S03", settings=""):
    """A station's folder with the demo plant's master data and grants, no hub needed."""
    folder.mkdir(exist_ok=True)
    plant = Plant()
    plant.publish_demo()
    bench = Bench(plant, name, folder)
    for block, scheme, start, number, station in demo_grants():
        if station == name:
            plant.grant(block, scheme, start, number, bench.identity)
    labels = folder / "labels"
    labels.mkdir()
    printer = f'[[device]]\nname = "printer-1"\ndriver = "label_files"\nfolder = "{labels}"\n'
    disk = "" if "[disk]" in settings else "[disk]\nballast_mib = 0\n"
    (folder / "station.toml").write_text(settings + disk + printer, "utf-8")
    journal: Journal = bench.open(start=False)
    for data in plant.everything():
        journal.ingest(data, at=NOON)
    journal.connection.close()
    return bench


def tally(*arguments, timeout=ANSWER_S):
    """Run a command to its end."""
    command = [TALLY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


class Died(Exception):
    """The process ended instead of answering."""


class Running:
    """`tally station run DIR --headless`; leave the `with` block to end its input and wait."""

    def __init__(self, folder, *arguments, crash=None, through=()):
        environment = os.environ | ({"TALLY_CRASH": crash} if crash else {})
        self.events = []
        self.by_itself = []
        self.process = subprocess.Popen(
            [*through, TALLY, "station", "run", str(folder), "--headless", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def hear(self):
        """The next line, whatever it is about."""
        raw = self.process.stdout.readline()
        if not raw:
            raise Died
        line = json.loads(raw)
        self.events += line["events"]
        return line

    def give(self, raw):
        """Bytes of one line in, without waiting."""
        self.process.stdin.write(raw + b"\n")
        self.process.stdin.flush()

    def say(self, said):
        """One line in, its answer out."""
        text = said if isinstance(said, str) else json.dumps(said)
        try:
            self.give(text.encode())
        except BrokenPipeError as error:
            raise Died from error
        while (line := self.hear())["in"] is None:
            self.by_itself.append(line)
        return line

    def end(self):
        """Close the input; (exit status, what stands on stderr)."""
        if not self.process.stdin.closed:
            with suppress(BrokenPipeError):  # it died with bytes still on the way to it
                self.process.stdin.close()
        rest = self.process.stdout.read()
        for raw in rest.splitlines():
            self.events += json.loads(raw)["events"]
        errors = self.process.stderr.read().decode()
        status = self.process.wait(ANSWER_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return status, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        if not self.process.stdout.closed:
            self.end()
