"""Fault 60: what a station and a hub of protocol 1 said to each other, held against today's.

`tests/golden/wire-v1.jsonl` was recorded between programs of an earlier schema, on the plant that
`plant-2` is. Today's hub, on that plant, must answer the same requests in the same way; today's
station must read the answers of then.
"""

import base64
import json
from dataclasses import replace

import pytest

from edge_agent.bootstrap.folder import load_identity, load_trust
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message
from tally.wire.session import sign_session
from tests.support.callers import Caller
from tests.support.earlier import PLANTS, Plant

SAID = [
    json.loads(line) for line in (PLANTS.parent / "wire-v1.jsonl").read_text("utf-8").splitlines()
]
SAME = ("hub", "epoch", "have", "common", "accepted", "receipt", "stored", "verifier")
"""What follows from the events and keys alone; the rest is of the moment."""
ANSWERS = {"challenge": m.Challenge, "answer": m.SessionGrant, "hello": m.HelloAnswer}


def bytes_of(one, which):
    return base64.b64decode(one[which])


@pytest.mark.timeout(300)
def test_60_todays_hub_answers_a_station_of_protocol_1_as_the_hub_of_then_did(tmp_path):
    plant = Plant(2, tmp_path)
    with plant.serving() as hub:
        trust, identity = load_trust(plant.station), load_identity(plant.station)
        caller = Caller(identity, replace(trust, addresses=(hub.stations,)))
        bearer, given = None, None
        for one in SAID:
            body = bytes_of(one, "request")
            if one["kind"] == "answer":  # over the nonce of today
                run = json.loads(body)["run"]
                nonce = bytes.fromhex(given["nonce"])
                signed = sign_session(
                    identity.key, trust.receipt_key, given["epoch"], nonce, run, identity.journal
                )
                said = {"nonce": given["nonce"], "signature": base64.b64encode(signed).decode()}
                body = json.dumps(json.loads(body) | said).encode()
            kind = p.SEGMENT_TYPE if one["kind"] == "piece" else p.JSON_TYPE
            reply = caller.send(one["method"], one["path"], body, bearer, kind)
            assert reply.status == one["status"], reply.body
            told, then = json.loads(reply.body), json.loads(bytes_of(one, "reply"))
            assert set(then) <= set(told), one["kind"]
            for name in set(then) & set(SAME):
                assert told[name] == then[name], (one["kind"], name)
            given = told if one["kind"] == "challenge" else given
            bearer = told.get("bearer", bearer)
        caller.uplink.close()


def test_60_todays_station_signs_a_session_as_the_station_of_then_did(tmp_path):
    plant = Plant(2, tmp_path)
    trust, identity = load_trust(plant.station), load_identity(plant.station)
    challenge = json.loads(bytes_of(SAID[0], "reply"))
    answer = json.loads(bytes_of(SAID[1], "request"))
    nonce = bytes.fromhex(challenge["nonce"])
    signed = sign_session(
        identity.key,
        trust.receipt_key,
        challenge["epoch"],
        nonce,
        answer["run"],
        identity.journal,
    )
    assert base64.b64encode(signed).decode() == answer["signature"]


def test_60_todays_station_reads_every_answer_of_a_hub_of_protocol_1():
    for one in SAID:
        body = bytes_of(one, "reply")
        read = read_message(body, ANSWERS.get(one["kind"], m.Taken))
        for name, value in json.loads(body).items():
            if isinstance(value, (str, int)):
                assert getattr(read, name) == value, (one["kind"], name)
    assert {one["kind"] for one in SAID} == {*ANSWERS, "piece"}
