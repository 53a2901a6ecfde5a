"""The hub changes the keys it signs with. Real hub, stations, sockets; no station is restarted."""

import json
import subprocess

import pytest

from edge_agent.bootstrap.folder import DATABASE_NAME, load_trust
from edge_agent.journal.keys import known_keys
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.store import open_reader
from hub import trust
from hub.api.admin_client import ask
from tally.records.ids import parse_journal
from tests.support.station_process import Running
from tests.support.work_floor import WorkFloor

pytestmark = pytest.mark.timeout(300)
"""Several programs one after the other, on a machine that may be busy."""


@pytest.fixture
def floor(tmp_path):
    made = WorkFloor(tmp_path)
    yield made
    made.end()


def run(*words):
    done = subprocess.run(
        ["tally", *map(str, words)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def changed(floor, *, is_lost=False):
    """Other keys, by the hub that serves; the receipt key, hex."""
    return ask(floor.hub.folder, "renew", {"what": "keys", "is_lost": is_lost})["receipt_key"]


def is_signed_by(folder, key):
    """Whether the newest receipt that a station keeps is signed by this key."""
    connection = open_reader(folder / DATABASE_NAME)
    try:
        own = json.loads((folder / "identity.json").read_text())["journal"]
        receipt = read_receipt(connection, parse_journal(own))
        later = {one.raw.hex(): one for one in known_keys(connection, "receipt")}
        return key in later and receipt.is_signed_by(later[key])
    finally:
        connection.close()


def prints_a_lamp(station):
    made = station.say("CTLNEXT")
    assert made["verdict"] == "OK", made
    assert station.say(made["unit"])["verdict"] == "OK"
    station.say("CTLHOLD")
    return made["unit"]


def test_stations_follow_while_everything_runs_and_one_that_was_away_later(floor, tmp_path):
    near, away = floor.station("S03"), floor.station("S02")
    plant = trust.load(floor.hub.folder).fingerprint
    with Running(near, "--lang", "en") as s03, Running(away, "--lang", "en") as s02:

        def syncs(station):
            answer = station.say({"sync": True})
            assert answer["verdict"] == "READY", answer

        s03.say("BDG-1107")
        s02.say("BDG-1107")
        before = prints_a_lamp(s03)
        syncs(s03)
        s02.say({"link": "down"})
        s02.say("no code of this plant")
        first = changed(floor)
        between = prints_a_lamp(s03)
        syncs(s03)
        assert is_signed_by(near, first)

        run("hub", "certificate", floor.hub.folder, before, tmp_path / "old.jsonl")
        second = changed(floor, is_lost=True)
        after = prints_a_lamp(s03)
        syncs(s03)
        assert is_signed_by(near, second)
        s02.say({"link": "up"})
        syncs(s02)
        assert is_signed_by(away, second), "over two changes, of which it had not heard"
        said = [line["code"] for line in (*s02.by_itself, *s03.by_itself)]
        assert not {"other_hub", "bad_receipt", "refused", "not_ingested"} & set(said), said

        floor.hub.end()
        floor.hub.start()
        third = json.loads(run("hub", "renew", floor.hub.folder, "--keys", "--json"))
        after_restart = prints_a_lamp(s03)
        syncs(s03)
        assert is_signed_by(near, third["receipt_key"])

    codes = {one["code"] for one in json.loads(run("hub", "units", floor.hub.folder, "--json"))}
    assert {before, between, after, after_restart} <= codes
    run("verify", tmp_path / "old.jsonl", "--plant", plant)
    run("hub", "certificate", floor.hub.folder, before, tmp_path / "new.jsonl")
    run("verify", tmp_path / "new.jsonl", "--plant", plant)
    run("hub", "export", floor.hub.folder, "--events", tmp_path / "all.jsonl")
    run("verify", tmp_path / "all.jsonl", "--plant", plant)
    assert load_trust(near).receipt_key.raw.hex() not in {first, second}


def test_a_station_without_a_network_follows_by_stick(floor, tmp_path):
    folder = floor.station("S03")
    with Running(folder, "--lang", "en") as station:
        station.say({"link": "down"})
        station.say("BDG-1107")
        prints_a_lamp(station)
    out, back = tmp_path / "out.tlyb", tmp_path / "back.tlyb"
    run("station", "journal", folder, "export", out)
    fresh = changed(floor, is_lost=True)
    run("hub", "bundle", "import", floor.hub.folder, out)
    run("hub", "bundle", "export", floor.hub.folder, "S03", back)
    run("verify", back, "--plant", trust.load(floor.hub.folder).fingerprint)
    told = run("station", "journal", folder, "import", back)
    assert is_signed_by(folder, fresh), told
