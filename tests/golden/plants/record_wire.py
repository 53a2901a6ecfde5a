"""Records what station and hub of protocol 1 say to each other, one exchange a line.

Run it in a checkout of the commit that made `plant-2`, with that plant unpacked:
`PYTHONPATH=. python record_wire.py PLANT wire-v1.jsonl`. The station sends what the hub
lacks, works on and sends that.
"""

import base64
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from edge_agent.sync.uplink import Uplink
from tally.cli import main as tally
from tests.support.hub_process import HubProcess

LINES = (
    {"sync": True},
    {"measure": {"characteristic": "torque", "value": "0.61"}},
    "CTLGOOD",
    "CTLNEXT",
    {"sync": True},
)


def main(plant, out):
    """Let them talk, and write it down."""
    hub, station, said = HubProcess(plant / "hub"), plant / "S03", []
    hub.start()
    (station / "station.toml").write_text(f'[hub]\naddresses = ["{hub.stations}"]\n', "utf-8")
    plain = Uplink.send

    def send(self, request):
        reply = plain(self, request)
        if request.kind != "news" and hasattr(reply, "status"):
            said.append(
                {
                    "kind": request.kind,
                    "method": request.method,
                    "path": request.path,
                    "request": base64.b64encode(request.body).decode(),
                    "status": reply.status,
                    "reply": base64.b64encode(reply.body).decode(),
                }
            )
        return reply

    Uplink.send = send
    given = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in LINES)
    reading, writing = os.pipe()
    os.write(writing, given.encode())
    os.close(writing)
    os.dup2(reading, 0)
    sys.argv = ["tally", "station", "run", str(station), "--headless", "--lang", "en"]
    try:
        with suppress(SystemExit):
            tally()
    finally:
        hub.end()
    out.write_text("".join(json.dumps(one) + "\n" for one in said), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
