"""Records more of what station and hub of protocol 1 say to each other, one exchange a line.

`wire-v1.jsonl` has a session, hellos and pieces. This has all pulls, the newest events ahead of the
others, a seal, a lease, and a bundle with a receipt, on the plant of schema 2. From the folder of
the project: `PYTHONPATH=. python tests/golden/plants/record_wire_more.py OUT`.
"""

import base64
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from edge_agent.bootstrap.folder import load_identity, load_trust
from tally.records.ids import GENESIS, EventId
from tally.records.merkle import root
from tally.records.segment import Segment, encode, header_line, piece_of
from tally.records.signing import SEAL, seal_message, sign_head
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tests.support.callers import Caller
from tests.support.earlier import Plant


class Talk:
    """One station's half, by hand; everything said is kept."""

    def __init__(self, plant, hub):
        self.identity = load_identity(plant.station)
        trust = replace(load_trust(plant.station), addresses=(hub.stations,))
        self.caller = Caller(self.identity, trust)
        self.rows = [(seq, EventId(event_id), line) for seq, event_id, line in plant.rows()]
        self.said, self.bearer = [], None

    def say(self, kind, method, path, body=b"", content=p.JSON_TYPE):
        reply = self.caller.send(method, path, body, self.bearer, content)
        told = base64.b64encode(reply.body).decode()
        asked = base64.b64encode(body).decode()
        one = {"kind": kind, "method": method, "path": path, "request": asked}
        self.said.append({**one, "status": reply.status, "reply": told})
        return reply

    def sign_in(self):
        asked = m.SessionRequest(journal=self.caller.name, run="golden")
        given = self.say("challenge", "POST", p.SESSION, write_message(asked))
        challenge = read_message(given.body, m.Challenge)
        answer = self.caller.answer(challenge, run="golden")
        self.bearer = read_message(answer.body, m.SessionGrant).bearer

    def hello(self):
        seq, event_id, _ = self.rows[-1]
        tip = m.show_tip(self.identity.journal, seq, event_id)
        said = m.Hello(run="golden", agent="0.1.0", heads=(tip,), locator=(tip,))
        reply = self.say("hello", "POST", p.HELLO, write_message(said))
        return read_message(reply.body, m.HelloAnswer)

    def pull(self, item):
        after = GENESIS.hex()
        while after != item.id:
            query = urlencode({"after": after, "toward": item.id})
            reply = self.say("pull", "GET", f"{p.records_path(item.journal)}?{query}")
            after = json.loads(reply.body.split(b"\n", 1)[0])["head"]

    def piece(self, first, last, *, is_fresh=False):
        lines, before, head = self._lines(first, last)
        signed = sign_head(self.identity.key, self.identity.journal, last, head)
        path = p.records_path(self.caller.name)
        path += f"?{p.LANE}={p.FRESH_LANE}" if is_fresh else ""
        data = encode(piece_of(signed, before, lines))
        self.say("fresh" if is_fresh else "piece", "PUT", path, data, p.SEGMENT_TYPE)

    def seal(self, first, last):
        lines, before, head = self._lines(first, last)
        top = root([event_id for seq, event_id, _ in self.rows if first <= seq <= last])
        own = self.identity
        message = seal_message(own.journal, first, last, before=before, head=head, root=top)
        sealed = own.key.sign(SEAL, message)
        segment = Segment(own.journal, first, before, head, lines, root=top, seal=sealed)
        self.say("seal", "PUT", p.seals_path(self.caller.name), header_line(segment))

    def _lines(self, first, last):
        by_seq = {seq: (event_id, line) for seq, event_id, line in self.rows}
        lines = tuple(by_seq[seq][1] for seq in range(first, last + 1))
        before = by_seq[first - 1][0] if first > 1 else GENESIS
        return lines, before, by_seq[last][0]

    def lease(self):
        wish = m.LeaseRequest(request="golden/1", scheme="bl2@1", count=50)
        self.say("lease", "POST", p.LEASES, write_message(wish))


def main(out):
    """Let them talk, and write it down."""
    with tempfile.TemporaryDirectory() as place:
        plant = Plant(2, Path(place))
        with plant.serving() as hub:
            talk = Talk(plant, hub)
            talk.sign_in()
            answer = talk.hello()
            for item in answer.subscriptions:
                talk.pull(item)
            have, head = answer.have.seq, talk.rows[-1][0]
            talk.piece(head - 5, head, is_fresh=True)
            talk.hello()
            talk.piece(have + 1, head - 6)
            talk.seal(1, head)
            talk.lease()
            talk.hello()
            bundle = Path(place) / "to-S03.tlyb"
            command = ["tally", "hub", "bundle", "export", plant.hub, "S03", bundle]
            subprocess.run(list(map(str, command)), check=True, capture_output=True)
            stick = {"kind": "bundle", "reply": base64.b64encode(bundle.read_bytes()).decode()}
            talk.caller.uplink.close()
    rows = [*talk.said, stick]
    out.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
