"""Fault 38: the hub's CA changes. Real hub, station, sockets; the station is never restarted."""

import datetime as dt
import json
import os
import subprocess

import pytest

from edge_agent.bootstrap.folder import load_trust
from edge_agent.bootstrap.uplink import authorities_of
from hub import trust
from hub.api.admin_client import ask
from tally.records.authority import name_of
from tests.support.hub_process import HubProcess
from tests.support.raw_server import answering, raw_server
from tests.support.station_process import Running

END = "-----END CERTIFICATE-----\n"


@pytest.fixture
def hub(tmp_path):
    made = HubProcess.made(tmp_path / "hub")
    yield made
    if made.process is not None:
        made.end()


def station(hub, name="S03"):
    """A station that has joined and heard; its folder."""
    folder = hub.folder.with_name(name)
    run("station", "enroll", folder, hub.token(name))
    with Running(folder, "--lang", "en") as begun:
        assert begun.say({"sync": True})["verdict"] == "READY"
    return folder


def run(*words):
    done = subprocess.run(
        ["tally", *map(str, words)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def renewed(hub, *, is_lost=False):
    """Another CA, by the hub that serves; its name."""
    return ask(hub.folder, "renew", {"what": "ca", "is_lost": is_lost})["ca"]


def trusted_by(folder):
    """Names of the CAs that a station trusts now."""
    pems = authorities_of(folder, load_trust(folder)).split(END)[:-1]
    return {name_of(pem + END) for pem in pems}


def test_fault_38_stations_follow_to_another_ca_without_a_restart_and_from_away(hub, tmp_path):
    folder = station(hub)
    first = name_of(load_trust(folder).ca_pem)
    old = tmp_path / "stolen"
    old.mkdir()
    old_door = trust.tls_context(old, trust.load(hub.folder), dt.datetime.now(dt.UTC))
    with Running(folder, "--lang", "en") as runs:

        def syncs():
            answer = runs.say({"sync": True})
            assert answer["verdict"] == "READY", answer

        syncs()
        second = renewed(hub)
        assert name_of(trust.load(hub.folder).ca_certificate) == second != first
        syncs()
        assert trusted_by(folder) == {first, second}
        runs.say("BDG-1107")
        syncs()

        runs.say({"link": "down"})
        third, fourth = renewed(hub), renewed(hub, is_lost=True)
        runs.say({"link": "up"})
        syncs()
        assert trusted_by(folder) == {fourth}, "the others' keys may be in strange hands"
        assert third not in {second, fourth}
        runs.say("BDG-1107")
        syncs()

        hub.end()
        with raw_server(answering(b""), old_door, port=hub.port + 1):
            answer = runs.say({"sync": True})
        assert answer["code"] == "foreign_ca", "the running station dropped them too"
        told = run("hub", "renew", hub.folder, "--ca", "--json")  # by a hub that does not serve
        fifth = json.loads(told)["ca"]
        hub.start()
        syncs()
        assert trusted_by(folder) == {fourth, fifth}
    assert station(hub, "S04").exists(), "a token names the CA of its day"


def test_fault_38_a_stick_brings_word_of_another_ca(hub, tmp_path):
    folder = station(hub)
    fresh, file = renewed(hub), tmp_path / "to-S03.tlyb"
    run("hub", "bundle", "export", hub.folder, "S03", file)
    assert fresh not in trusted_by(folder)
    run("station", "journal", folder, "import", file)
    assert fresh in trusted_by(folder)


def test_fault_38_a_crash_between_the_keys_and_the_event_is_made_good_at_the_next_start(hub):
    folder = station(hub)
    hub.end()
    secrets = trust.load(hub.folder)
    fresh = trust.with_another_authority(secrets, os.urandom, dt.datetime.now(dt.UTC))
    trust.save_again(hub.folder, fresh)
    hub.start()
    with Running(folder, "--lang", "en") as runs:
        assert runs.say({"sync": True})["verdict"] == "READY"
    assert name_of(fresh.ca_certificate) in trusted_by(folder)
