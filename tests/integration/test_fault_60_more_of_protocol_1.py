"""Fault 60: pulls, a seal, a lease, the newest events first and a stick, as protocol 1 had them.

`tests/golden/wire-v1-more.jsonl` was recorded on the plant that `plant-2` is. Today's hub, on that
plant, must answer the same requests in the same way; today's station must take the answers of then.
"""

import base64
import json
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import replace

import pytest

from edge_agent.bootstrap.folder import load_identity, load_trust
from edge_agent.bootstrap.opening import open_journal
from edge_agent.station.clock import SystemClock
from hub.services import refreshing
from tally.records.segment import decode
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message
from tests.support.callers import Caller
from tests.support.earlier import PLANTS, Plant

SAID = [
    json.loads(line)
    for line in (PLANTS.parent / "wire-v1-more.jsonl").read_text("utf-8").splitlines()
]
STICK = SAID.pop()
SAME = ("hub", "epoch", "have", "common", "apart", "accepted", "receipt", "stored", "duplicates")
"""What follows from the events and keys alone, and the answers' order; the rest is of the moment.
"""
ANSWERS = {"hello": m.HelloAnswer, "lease": m.LeaseAnswer, "challenge": m.Challenge}
PIECES = ("fresh", "piece")

pytestmark = pytest.mark.timeout(300)


def bytes_of(one, which):
    return base64.b64decode(one[which])


def is_json(one):
    return one["kind"] != "pull"


def test_60_todays_hub_answers_what_a_station_of_protocol_1_pulls_seals_and_asks_for(tmp_path):
    plant = Plant(2, tmp_path)
    with plant.serving() as hub:
        trust, identity = load_trust(plant.station), load_identity(plant.station)
        caller = Caller(identity, replace(trust, addresses=(hub.stations,)))
        challenge, *rest = SAID
        assert challenge["kind"] == "challenge"
        given = read_message(bytes_of(challenge, "reply"), m.Challenge)
        asked = json.loads(bytes_of(challenge, "request"))
        fresh = caller.challenge(asked["run"])
        assert (fresh.verifier, fresh.epoch) == (given.verifier, given.epoch)
        answer = caller.answer(fresh, run=asked["run"])
        bearer = read_message(answer.body, m.SessionGrant).bearer
        for one in rest:
            kind = p.SEGMENT_TYPE if one["kind"] in PIECES else p.JSON_TYPE
            body = bytes_of(one, "request")
            reply = caller.send(one["method"], one["path"], body, bearer, kind)
            assert reply.status == one["status"], (one["kind"], reply.body)
            then = bytes_of(one, "reply")
            if one["kind"] == "pull":
                assert decode(reply.body) == decode(then), one["path"]
                continue
            told, was = json.loads(reply.body), json.loads(then)
            assert set(was) <= set(told), one["kind"]
            for name in set(was) & set(SAME):
                assert told[name] == was[name], (one["kind"], name)
            if one["kind"] == "lease":
                assert (told["request"], told["grant"]["seq"]) == ("golden/1", was["grant"]["seq"])
        caller.uplink.close()


def test_60_todays_station_takes_what_a_hub_of_protocol_1_let_it_pull(tmp_path):
    plant = Plant(2, tmp_path)
    pulled = [bytes_of(one, "reply") for one in SAID if one["kind"] == "pull"]
    with open_journal(plant.station, SystemClock(), starts=False) as journal:
        for data in pulled:
            done = journal.ingest(data, at=SystemClock().now())
            segment = decode(data)
            assert (done.need, done.stored + done.duplicates) == (None, len(segment.lines))
    assert len({decode(data).journal for data in pulled}) == 7, "five feeds, two neighbours"


def test_60_todays_station_reads_every_other_answer_of_a_hub_of_protocol_1():
    for one in filter(is_json, SAID):
        body = bytes_of(one, "reply")
        read = read_message(body, ANSWERS.get(one["kind"], m.Taken))
        for name, value in json.loads(body).items():
            if isinstance(value, (str, int)):
                assert getattr(read, name) == value, (one["kind"], name)
    kinds = [one["kind"] for one in SAID]
    assert {"pull", "fresh", "piece", "seal", "lease", "hello"} <= set(kinds)
    [ahead] = [one for one in SAID if one["kind"] == "fresh"]
    kept = read_message(bytes_of(ahead, "reply"), m.Taken)
    assert (kept.need, kept.stored) == (20, 6), "kept behind the gap"
    after = SAID[kinds.index("fresh") + 1]
    [apart] = read_message(bytes_of(after, "reply"), m.HelloAnswer).apart
    assert (apart.first, apart.last) == (35, 40)


def test_60_a_stick_written_by_a_hub_of_protocol_1_brings_grants_and_a_receipt(tmp_path):
    plant, file = Plant(2, tmp_path), tmp_path / "to-S03.tlyb"
    file.write_bytes(bytes_of(STICK, "reply"))
    subprocess.run(["tally", "verify", str(file)], check=True, capture_output=True)
    before = status(plant)
    done = subprocess.run(
        ["tally", "station", "journal", str(plant.station), "import", str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    after = status(plant)
    assert (before["acknowledged"], after["acknowledged"]) == (19, 40), done.stdout
    assert grants_in(after) == grants_in(before) + 1


def test_60_the_ledger_of_an_earlier_version_is_made_anew_while_the_hub_serves(tmp_path):
    plant = Plant(2, tmp_path)
    with plant.serving() as hub:
        for _ in range(300):
            if made_by(plant.hub):
                break
            time.sleep(0.2)
        assert made_by(plant.hub) == refreshing.MADE_BY
        assert hub.run("rebuild", "--check")["differences"] == []


def made_by(folder):
    with closing(sqlite3.connect(f"file:{folder / 'hub.db'}?mode=ro", uri=True)) as database:
        wanted = "SELECT value FROM meta WHERE key = ?"
        row = database.execute(wanted, (refreshing.KEY,)).fetchone()
    return row[0] if row else ""


def status(plant):
    told = ["tally", "station", "status", str(plant.station), "--json"]
    done = subprocess.run(told, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def grants_in(found):
    """How far feed `leases` is held."""
    [feed] = [one for one in found["others"] if one["name"] == "leases"]
    return feed["seq"]
