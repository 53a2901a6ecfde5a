"""Secrets of hub and station: in files of mode 0600, and nowhere else; tokens work once."""

import base64
import json
import subprocess

from hub import trust
from tests.support.hub_process import free_pair


def run(*words, given=None, status=0):
    done = subprocess.run(
        ["tally", *map(str, words)], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def secrets_in(folder):
    """Every private key of the hub and the station, as each may be spelled."""
    found = json.loads((folder / "hub" / "secrets.json").read_text())
    raw = [found["root"], found["receipt"], *(feed["key"] for feed in found["feeds"].values())]
    keys = [bytes.fromhex(one) for one in raw]
    own = json.loads((folder / "S03" / "identity.json").read_text())
    keys += [base64.b64decode(own[name]) for name in ("private_key", "sealing_key")]
    return [spelled for key in keys for spelled in (key, key.hex().encode(), base64.b64encode(key))]


def test_no_secret_is_said_logged_or_stored_anywhere_but_in_its_file_of_mode_0600(tmp_path):
    hub, station = tmp_path / "hub", tmp_path / "S03"
    said = run("hub", "init", hub, "--plant", "NB1", "--site", "NB1")
    port = free_pair()
    serving = subprocess.Popen(
        ["tally", "hub", "serve", hub, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while not (line := serving.stdout.readline()).startswith("Stations"):
            assert line
        token = run("hub", "enroll-token", hub, "S03", "--address", f"127.0.0.1:{port + 1}").strip()
        secret = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["secret"]
        said += run("station", "enroll", station, "-", given=token + "\n")
        lines = '{"sync": true}\n'
        said += run("station", "run", station, "--headless", given=lines)
        again = run("station", "enroll", tmp_path / "thief", token, status=1)
        assert "used before; each enrols one station once" in again
        said += again + run("station", "doctor", station) + run("station", "status", station)
    finally:
        serving.terminate()
        rest, _ = serving.communicate(timeout=30)
    said += rest

    secrets = [*secrets_in(tmp_path), secret.encode()]
    own = {hub / "secrets.json", station / "identity.json"}
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        if path in own or path.name == "server.pem":
            assert path.stat().st_mode & 0o777 == 0o600, path
        held = [one for one in secrets if one in path.read_bytes()]
        assert path in own or held == [], path
    assert [one for one in secrets if one.decode("latin-1") in said] == []
    assert secret not in repr(
        trust.make_token(trust.load(hub), station="S03", addresses=["127.0.0.1:1"], secret=secret)
    )
