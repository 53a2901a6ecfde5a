"""A hub and a station, both real processes, for tests that copy and restore its folder."""

import contextlib
import json
import shutil
import subprocess

from tally.commands.demo_config import demo_folder
from tests.support.hub_process import hub_process
from tests.support.station_process import TALLY, Running, tally

BADGE = {"badge": "BDG-1107"}
NEXT = {"command": "CTLNEXT"}
SCHEME = "bl2@1"
WAITS_MAX = 100


def master_files():
    """The demo plant's master data."""
    folder = demo_folder()
    found = [path for name in ("*.toml", "*.csv") for path in sorted(folder.glob(name))]
    found += [path for name in ("plans", "templates") for path in sorted((folder / name).iterdir())]
    return [path for path in found if path.name != "grants.toml"]


def copy_folder(folder, to):
    """Its files, as a copy of a disk has them; a socket of a killed program cannot be copied."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("*.sock"))


@contextlib.contextmanager
def a_floor(folder):
    """A hub that serves the demo plant."""
    with hub_process(folder / "hub") as hub:
        command = [TALLY, "hub", "import", str(hub.folder), *map(str, master_files())]
        subprocess.run(command, check=True, capture_output=True)
        yield Floor(folder, hub)


class Floor:
    """See the module."""

    def __init__(self, folder, hub):
        self.folder = folder
        self.hub = hub

    def enrolled(self, name="S03", count=60, *, place=None):
        """A station's folder, enrolled, with a block of codes; it never ran."""
        folder = self.folder / (place or name)
        (folder / "labels").mkdir(parents=True)
        self.settings(folder)
        self.enrol(folder, name)
        if count:
            command = [TALLY, "hub", "grant", str(self.hub.folder), SCHEME, name, str(count)]
            subprocess.run(command, check=True, capture_output=True)
        return folder

    def settings(self, folder):
        """A printer into the folder, whatever it is called now."""
        printer = (
            f'[[device]]\nname = "printer-1"\ndriver = "label_files"\nfolder = "{folder}/labels"\n'
        )
        (folder / "station.toml").write_text(printer, "utf-8")

    def enrol(self, folder, name="S03"):
        """Let it be this station, with a token of the admin; what the command said."""
        done = tally("station", "enroll", folder, self.hub.token(name))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def copy(self, folder, name):
        """Its folder as it is now, in another place: another computer, or an image."""
        copy_folder(folder, self.folder / name)
        self.settings(self.folder / name)
        return self.folder / name

    def put_back(self, image, folder):
        """The folder as it was when the image was made."""
        shutil.rmtree(folder)
        copy_folder(image, folder)
        self.settings(folder)

    def balance(self):
        """The books, by block."""
        return {row["block"]: row for row in self.hub.run("balance")}

    def events(self):
        """Everything at the hub, as its export has it."""
        file = self.folder / "events.jsonl"
        command = [TALLY, "hub", "export", str(self.hub.folder), "--events", str(file)]
        subprocess.run(command, check=True, capture_output=True)
        rows = map(json.loads, file.read_text("utf-8").splitlines())
        return [row for row in rows if "t" in row]

    def reserved(self):
        """(journal, code) of every code that was given out, as far as the hub knows."""
        rows = self.events()
        return [(r["journal"], r["b"]["code"]) for r in rows if r["t"] == "code.reserved"]


class Station(Running):
    """A running station that gives out codes."""

    def sync(self):
        """Send and pull everything; its answer."""
        return self.say({"sync": True})

    def hear_answer(self):
        """The answer to a line that was given without waiting."""
        while (line := self.hear())["in"] is None:
            self.by_itself.append(line)
        return line

    def work(self, units=1):
        """So many lamps get a label, which is read back; their codes."""
        codes = []
        for _ in range(units):
            code = self.a_code()
            line = self.say(code)
            assert line["verdict"] in {"OK", "DONE"}, line
            assert self.say({"command": "CTLHOLD"})["verdict"] == "HOLD"
            codes.append(code)
        return codes

    def a_code(self):
        """The code of the next label."""
        line = self.say(NEXT)
        assert line["verdict"] == "OK", line
        return line["unit"]

    def has_told(self, code):
        """What the station said of this code by itself; None: nothing yet."""
        return next((line for line in self.by_itself if line["code"] == code), None)

    def told(self, code):
        """Wait until the station says something of this code by itself."""
        for _ in range(WAITS_MAX):
            if self.has_told(code):
                return self.has_told(code)
            self.say({"wait": 0.2})
        raise AssertionError(f"{code} was not told, but {[li['code'] for li in self.by_itself]}")
