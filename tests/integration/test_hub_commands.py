"""`tally hub` as people and scripts use it, alone and beside a hub that really serves."""

import base64
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import hub
from tally.commands.demo_config import demo_folder

TALLY = str(Path(sys.executable).with_name("tally"))


def run(*words, status=0):
    """Run a command; its standard output, or with another status its standard error."""
    done = CliRunner().invoke(hub, [str(word) for word in words], prog_name="tally hub")
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


def master_files():
    folder = demo_folder()
    found = [path for name in ("*.toml", "*.csv") for path in sorted(folder.glob(name))]
    found += [path for name in ("plans", "templates") for path in sorted((folder / name).iterdir())]
    return [path for path in found if path.name != "grants.toml"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "hub"
    run("init", path, "--plant", "Ningbo lamps", "--site", "NB1")
    return path


def test_the_installed_command_is_this_one(folder):
    done = subprocess.run(
        [TALLY, "hub", "blocks", str(folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "No blocks.\n")


@pytest.fixture
def serving(folder):
    """A hub that serves; gives its plain address."""
    process = subprocess.Popen(
        [TALLY, "hub", "serve", str(folder), "--host", "127.0.0.1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(2)]
    assert lines[0].startswith("Console   http://127.0.0.1:")
    assert lines[1].startswith("Stations  https://127.0.0.1:")
    yield lines[0].split()[1]
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0


def test_a_hub_is_made_once(folder):
    assert "never overwritten" in run("init", folder, status=1)
    assert "is no folder" in run("init", "/dev/null", status=1)


@pytest.mark.parametrize("left", ["no events", "an empty file"])
def test_a_hub_whose_making_was_cut_off_says_everywhere_how_to_go_on(folder, left):
    (folder / "hub.db").unlink()
    if left == "an empty file":
        (folder / "hub.db").touch()
    for command in ("init", "blocks", "serve", "fingerprint"):
        assert "clear its folder" in run(command, folder, status=1)


def test_a_folder_without_hub_is_said_so(tmp_path):
    for command in ("blocks", "cases", "fingerprint", "stations"):
        assert "tally hub init" in run(command, tmp_path, status=1)


def test_every_command_has_help_with_an_example():
    assert {"init", "serve", "enroll-token", "import", "grant", "decide", "trace"} <= set(
        hub.commands
    )
    for name in hub.commands:
        shown = CliRunner().invoke(hub, [name, "--help"])
        assert f"Example: tally hub {name} " in " ".join(shown.output.split())


def test_work_without_a_server_takes_the_lock_and_lets_go(folder):
    assert "written" in run("import", folder, *master_files())
    assert "Nothing new." in run("import", folder, *master_files())
    assert json.loads(run("blocks", folder, "--json")) == []
    assert "S03" in run("enroll-token", folder, "S0", status=1)
    assert len(run("enroll-token", folder, "S03", "--address", "hub:8441").split()) == 1
    assert "equal" in run("rebuild", folder, "--check")
    assert "equal" in run("rebuild", folder)


def test_work_beside_a_server_goes_through_it(folder, serving):
    with urllib.request.urlopen(serving + "healthz") as answer:
        assert answer.status == 200
    assert "would be published" in run("import", folder, *master_files(), "--dry-run")
    done = json.loads(run("import", folder, *master_files(), "--json"))
    assert done["events"] > 30
    assert "enrolled are: none" in run("grant", folder, "bl2@1", "S03", 10, status=1)
    token = run("enroll-token", folder, "S03").strip()
    port = int(serving.rstrip("/").rpartition(":")[2])
    assert f"127.0.0.1:{port + 1}" in _carried(token)["addresses"]
    assert "equal" in run("rebuild", folder, "--check")
    assert "in use by process" in run("rebuild", folder, status=1)
    assert "in use by process" in run("serve", folder, status=1)


def test_names_that_are_no_text_are_said_the_same_with_and_without_a_server(
    folder, request, tmp_path
):
    file = tmp_path / os.fsdecode(b"\xff.toml")
    file.write_text("colour = 1\n", "utf-8")
    said = []
    for _ in range(2):
        said.append(run("import", folder, file, status=1))
        said.append(run("enroll-token", folder, os.fsdecode(b"S\xff"), status=1))
        request.getfixturevalue("serving")
    assert said[:2] == said[2:4]
    assert "\\udcff.toml: colour: expected one of" in said[0]
    assert "no UTF-8 text" in said[1]


def test_problems_of_files_come_all_at_once_through_the_server_too(folder, serving, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[[product]]\ncolour = 1\n[[lot]]\nlot = 3\n", "utf-8")
    words = run("import", folder, bad, status=1)
    assert words.count("bad.toml") > 5
    assert "nothing was published" in words


def test_a_taken_port_is_refused_in_words_only_when_it_was_asked_for(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = run("serve", folder, "--host", "127.0.0.1", "--port", port, status=1)
    assert f"Port {port}" in words


def test_a_hub_whose_keys_are_open_to_others_does_not_start(folder):
    (folder / "secrets.json").chmod(0o644)
    assert "chmod 600" in run("fingerprint", folder, status=1)


def test_what_the_system_refuses_is_said_with_the_file_and_leaves_no_socket(folder, tmp_path):
    words = run("export", folder, "--events", tmp_path / "no" / "such" / "all.jsonl", status=1)
    assert "The system refused it: No such file or directory" in words
    (folder / "server.pem").mkdir()
    assert "server.pem" in run("serve", folder, "--host", "127.0.0.1", status=1)
    assert not (folder / "admin.sock").exists()


def test_settings_with_problems_are_said_all_at_once(folder):
    (folder / "hub.toml").write_text('[serve]\nprot = 1\nhost = "a b"\n', "utf-8")
    words = run("serve", folder, status=1)
    assert "serve.prot" in words
    assert "serve.host" in words


def test_an_export_is_proven_by_verify(folder, tmp_path):
    run("import", folder, *master_files())
    file = tmp_path / "all.jsonl"
    assert "events written" in run("export", folder, "--events", file)
    done = subprocess.run([TALLY, "verify", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(tmp_path.glob("*.part"))


def test_a_certificate_is_proven_by_verify_while_the_hub_serves(folder, serving, tmp_path):
    run("import", folder, *master_files())
    file, code = tmp_path / "lot.certificate", "PCB-L-2546C"
    told = run("certificate", folder, code, file)
    check = shlex.split(told.splitlines()[-1].removeprefix("Check it with   tally verify "))
    for words, status, says in (
        (check, 0, f"OK      {code}: "),
        ([*check[:-1], "PCB-L-2546D"], 1, "Expected the certificate of 'PCB-L-2546D', this one"),
    ):
        done = subprocess.run(
            [TALLY, "verify", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert says in done.stdout
    assert json.loads(run("certificate", folder, code, file, "--json"))["code"] == code
    assert "No event at this hub" in run("certificate", folder, "BL2-2547-000001", file, status=1)
    assert not list(tmp_path.glob("*.part"))


def test_a_fingerprint_has_its_frontier(folder):
    found = json.loads(run("fingerprint", folder, "--json"))
    assert found["fingerprint"].startswith(found["short"])
    assert len(found["frontier"]) == 5
    assert run("fingerprint", folder).startswith(found["short"])


def test_wrong_usage_has_status_2(folder):
    assert run("grant", folder, "bl2@1", "S03", "many", status=2)
    assert run("decide", folder, "C-AAAAA", status=2)


def _carried(token):
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
