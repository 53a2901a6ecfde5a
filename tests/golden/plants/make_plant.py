"""Makes the files of a plant as the program of some commit writes them: a hub, a station behind it.

Run it once for each version of the schema, in a checkout of the last commit that has it:
`PYTHONPATH=. python make_plant.py plant-1.tar.xz`. Some of a day's work is at the hub, the rest was
done without it, and a lamp is on the bench. `told.json` has what the station had answered.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from hub import bootstrap
from hub.api.admin_client import ask
from tally.events import types as t
from tests.support.hub_floor import Station, demo_files, secret_of
from tests.support.hub_process import HubProcess

TALLY = str(Path(sys.executable).with_name("tally"))
TORQUE = {"measure": {"characteristic": "torque", "value": "0.61"}}
SIGN_IN = "BDG-1107"


def lamp(number, board):
    """What people do for one lamp; its lot of batteries was scanned at the first."""
    lot = ["BAT-18650-2547A"] if number == 0 else []
    return ["CTLNEXT", f"BL2-2647-{number:06}", board, *lot, TORQUE, "CTLGOOD"]


def work(station, *lines):
    """Ids of the events that the station answered with; every answer is printed."""
    given = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
    command = [TALLY, "station", "run", str(station), "--headless", "--lang", "en"]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    for line in said:
        sys.stdout.write(f"{line['in']}: {line['verdict']} {line['text'][:90]}\n")
    return [event for line in said for event in line["events"]]


def make_boards(hub, count):
    """S01 makes boards and S02 tests them, as lamps want them; their codes."""
    smt, flash = Station("S01"), Station("S02")
    for station in (smt, flash):
        station.clock_ms = int(hub.office.now().timestamp() * 1000) - 3_600_000
        hub.enroll(secret_of(hub.open_token(station.name, ["127.0.0.1:1"])), station.piece())
    block = hub.lease(smt.id, "boards", "pcb-l@1", count).block
    boards = [f"PCB-L-{block.start + number:05}" for number in range(count)]
    for code in boards:
        made = {"lot": "PCB-L-2546B", "scheme": "pcb-l@1", "block": block.block, "raw": code}
        smt.add(t.UnitCommissioned(code, "PCB-L@2", step="label", source="serial-1", **made))
        smt.add(t.OperationCompleted(code, "10", "PASS", plan="smt@3"))
        flash.add(t.OperationCompleted(code, "20", "PASS", plan="flash-test@5"))
    for station in (smt, flash):
        hub.ingest(station.id, station.piece())
    return boards


def main(out):
    """Make it, and pack it."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "plant"
        hub = bootstrap.create(root / "hub", plant="NB1", site="NB1")
        hub.publish(demo_files())
        boards = make_boards(hub, 5)
        hub.office.store.close()
        serving, station = HubProcess(root / "hub"), root / "S03"
        serving.start()
        (station / "labels").mkdir(parents=True)
        printer = f'name = "printer-1"\ndriver = "label_files"\nfolder = "{station}/labels"\n'
        (station / "station.toml").write_text(f"[[device]]\n{printer}", "utf-8")
        enrol = [TALLY, "station", "enroll", str(station), serving.token("S03")]
        subprocess.run(enrol, check=True, capture_output=True)
        block = {"scheme": "bl2@1", "station": "S03", "count": 60, "request": "block:S03"}
        ask(serving.folder, "grant", block)
        lamps = [line for at, board in enumerate(boards) for line in lamp(at, board)]
        told = work(station, {"sync": True}, SIGN_IN, *lamps[:11], {"sync": True})
        serving.end()
        told += work(station, "hello?", *lamps[11:-2])
        shutil.rmtree(station / "labels")
        (root / "told.json").write_text(json.dumps(told), "utf-8")
        with tarfile.open(out, "w:xz") as packed:
            packed.add(root, "plant")


if __name__ == "__main__":
    main(sys.argv[1])
