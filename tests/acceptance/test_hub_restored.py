"""The hub's machine is lost; its backup is a shift old. Real processes, files, sockets, devices."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tally_demo import work
from tally_demo.commands import read, run
from tally_demo.plant import Plant
from tests.support.hub_process import free_pair

pytestmark = pytest.mark.timeout(600)
BADGES = {"S01": "BDG-1120", "S02": "BDG-1182", "S03": "BDG-1107", "S04": "BDG-1133"}
BOARDS = [f"PCB-L-{number:05}" for number in range(896, 901)]
SHARED = BOARDS[0]
LATE_LOT = """
[[lot]]
lot = "LED-99"
part = "LED-3"
version = 1
qty = "100"
state = "released"
since = "05:00"
by = "BDG-3001"
"""


def refused(*words):
    """What a command that must be refused says."""
    done = subprocess.run(["tally", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    return done.stderr


class Story:
    """A plant whose hub is backed up, goes on, is lost, and is restored."""

    def __init__(self, folder):
        self.port = free_pair()  # nobody else may take it while there is no hub
        self.plant = Plant(folder, lambda _words: None, port=self.port)
        self.file = folder / "hub.tally"
        self.lamps = []

    def before_the_backup(self):
        self.plant.set_up()
        self.plant.start_all()
        for name, badge in BADGES.items():
            work.sign_in(self.plant.places[name], badge)
        work.make_boards(self.plant.places["S01"], BOARDS[:3])
        self.plant.settle()
        work.test_boards(self.plant.places["S02"], BOARDS[:3])
        self.plant.settle()
        hub = self.plant.hub_folder
        said = run("hub", "backup", hub, self.file, "--new-recovery-key").stdout
        self.key = next(line.split()[-1] for line in said.splitlines() if "Recovery key" in line)

    def after_the_backup(self):
        """More work, two lamps with one board, a grant, master data, a decision, a new PC."""
        hub, places = self.plant.hub_folder, self.plant.places
        for board in BOARDS[3:]:
            work.give(places["S01"], board, "OK")
            work.give(places["S01"], {"command": "CTLGOOD"}, "DONE", "OK")
        for name in ("S02", "S03"):
            work.give(places[name], {"link": "down"}, "READY")
        work.scan(places["S02"], "24-1187", *work.FLOWS_ON)
        for name in ("S02", "S03"):
            self.lamps.append(work.build_unit(places[name], SHARED, work.BATTERY_LOT))
        for name in ("S02", "S03"):
            work.give(places[name], {"link": "up"}, *work.FLOWS_ON, "WAIT")
        self.plant.settle()
        run("hub", "grant", hub, "bl2@1", "S03", 30, "--block", "B-late")
        late = self.plant.directory / "late.toml"
        late.write_text(LATE_LOT, "utf-8")
        run("hub", "import", hub, late)
        [case] = [c for c in read("hub", "cases", hub) if c["key"] == f"in:{SHARED}"]
        kept = next(one for one in case["claims"] if one["station"] == "S03")
        words = ("--keep", kept["event_id"], "--as", "BDG-3001", "--reason", "looked at both")
        run("hub", "decide", hub, case["id"], *words)
        self.replace_s04()
        self.found = self.plant.settle()
        self.known = self.all_that_is_known()

    def replace_s04(self):
        """A new PC takes the place of S04, whose enrolment only the lost hub and stations know."""
        self.plant.stop("S04")
        folder = self.plant.directory / "S04"
        settings = (folder / "station.toml").read_text("utf-8")
        shutil.move(folder, self.plant.directory / "S04-old")
        for part in ("labels", "pictures"):
            (folder / part).mkdir(parents=True)
        (folder / "station.toml").write_text(settings, "utf-8")
        token = run("hub", "enroll-token", self.plant.hub_folder, "S04").stdout.strip()
        run("station", "enroll", folder, token)
        run("hub", "grant", self.plant.hub_folder, "sscc@1", "S04", 20)
        self.plant.start("S04")
        self.plant.sync("S04")
        work.sign_in(self.plant.places["S04"], BADGES["S04"])

    def all_that_is_known(self):
        hub = self.plant.hub_folder
        cases = [(c["id"], c["status"], c["key"]) for c in read("hub", "cases", hub)]
        blocks = [
            (b["block"], b["start"], b["count"], b["journal"]) for b in read("hub", "blocks", hub)
        ]
        units = [(u["code"], u["status"], u["container"]) for u in read("hub", "units", hub)]
        return {"cases": cases, "blocks": sorted(blocks), "units": units}

    def lose_the_hub(self):
        self.plant._hub.end()
        shutil.rmtree(self.plant.hub_folder)

    def restore(self):
        hub = self.plant.hub_folder
        run("hub", "restore", self.file, hub, "--recovery-key", self.key)
        log = self.plant.directory / "logs" / "hub-2.txt"
        words = ["hub", "serve", str(hub), "--host", "127.0.0.1", "--port", str(self.port)]
        self.plant._hub = self.plant.children.start("hub", words, log)
        while (line := self.plant._hub.stdout.readline()) and not line.startswith(b"Stations"):
            pass
        assert line


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    story = Story(tmp_path_factory.mktemp("lost"))
    with story.plant:
        story.before_the_backup()
        story.after_the_backup()
        story.lose_the_hub()
        # While there is no hub, production goes on.
        s03 = story.plant.places["S03"]
        story.lamps.append(work.build_unit(s03, BOARDS[1]))
        for name in ("S01", "S02", "S03"):  # S04 is to be the first that calls
            work.give(story.plant.places[name], {"link": "down"}, "READY")
        story.restore()
        yield story


def test_21_everything_is_there_again_after_the_stations_have_connected(story):
    plant, hub = story.plant, story.plant.hub_folder
    # A station that was enrolled after the backup is a stranger to the hub, until it shows by the
    # hub's own old feed that it is not.
    others = {name: plant.places.pop(name) for name in ("S01", "S02", "S03")}
    plant.sync("S04")
    assert read("hub", "returns", hub) == {"awaited": ["S01", "S02", "S03"]}
    # Of one of them a person says, at the serving hub, that it will not come back.
    left = read("hub", "returns", hub, "--without", "S01")
    assert left == {"awaited": ["S02", "S03"]}
    assert "Not yet heard: S0" in refused("hub", "grant", hub, "bl2@1", "S03", 5)
    for name, place in others.items():
        work.give(place, {"link": "up"}, *work.FLOWS_ON, "WAIT")
        plant.places[name] = place
    found = plant.settle()
    assert len({json.dumps(one["frontier"], sort_keys=True) for one in found}) == 1
    assert len({one["fingerprint"] for one in found}) == 1

    known = story.all_that_is_known()
    assert known["cases"] == story.known["cases"]
    assert known["blocks"] == story.known["blocks"]
    lamp = story.lamps[-1]
    assert [unit for unit in known["units"] if unit[0] != lamp] == story.known["units"]
    assert {row["unexplained"] for row in read("hub", "balance", hub)} == {0}
    assert read("hub", "rebuild", hub, "--check")["differences"] == []
    assert read("hub", "returns", hub) == {"awaited": []}

    # What stations ever showed as durable is at the hub, and the export proves itself.
    export = plant.directory / "events.jsonl"
    run("hub", "export", hub, "--events", export)
    rows = [json.loads(line) for line in export.read_text("utf-8").splitlines()]
    ids = {row["event_id"] for row in rows if "event_id" in row}
    for place in plant.places.values():
        assert place.station.acknowledged <= ids
    run("verify", export)
    reserved = [row["b"]["code"] for row in rows if row.get("t") == "code.reserved"]
    assert len(reserved) == len(set(reserved)) > 0

    # New codes begin behind everything that was ever granted.
    run("hub", "grant", hub, "bl2@1", "S03", 5, "--block", "B-new")
    blocks = {block["block"]: block for block in read("hub", "blocks", hub)}
    ends = [b["start"] + b["count"] for b in blocks.values() if b["scheme"] == "bl2@1"]
    new = blocks["B-new"]
    assert new["start"] >= max(end for end in ends if end != new["start"] + 5)
    plant.settle()
    story.lamps.append(work.build_unit(plant.places["S03"], BOARDS[2]))
    plant.settle()
    assert len(set(story.lamps)) == len(story.lamps)


def test_an_old_copy_of_the_hub_is_refused_by_stations_that_know_better(story, tmp_path):
    plant = story.plant
    if not Path(plant.hub_folder).exists():
        pytest.fail("the story did not get this far")
    plant.settle()
    plant._hub.end()
    # Someone starts what the backup held, without a restore: epoch 1 again.
    copy = tmp_path / "copy"
    run("hub", "restore", story.file, copy, "--recovery-key", story.key)
    secrets = json.loads((copy / "secrets.json").read_text("utf-8"))
    secrets["epoch"] = 1
    (copy / "secrets.json").write_text(json.dumps(secrets), "utf-8")
    log = plant.directory / "logs" / "copy.txt"
    words = ["hub", "serve", str(copy), "--host", "127.0.0.1", "--port", str(story.port)]
    child = plant.children.start("copy", words, log)
    while (line := child.stdout.readline()) and not line.startswith(b"Stations"):
        pass
    answer = plant.places["S03"].station.say({"sync": True})
    assert answer.verdict == "WAIT"
    assert "old copy of the hub" in answer.text
    child.end()
