"""Bad input on the installed commands: each has its own clear message and loses nothing.

What only bytes on the wire can do (forged heads, forks, replays, hostile servers) is tested on real
sockets in `tests/integration`.
"""

import base64
import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest

from tally_demo import work
from tally_demo.plant import Plant

pytestmark = pytest.mark.timeout(400)

LEAD = {"badge": "BDG-2004"}
BOARDS = [f"PCB-L-{number:05}" for number in range(896, 900)]


def tally(*arguments):
    done = subprocess.run(
        ["tally", *map(str, arguments)], check=False, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """One hub and four stations for all tests; a test starts the stations it needs."""
    with Plant(tmp_path_factory.mktemp("bad") / "plant", lambda words: None) as plant:
        plant.set_up()
        yield plant


@contextlib.contextmanager
def at_work(plant, **badges):
    """Run these stations, their operators signed in; end them afterwards."""
    plant.start_all(tuple(badges))
    try:
        for name, badge in badges.items():
            work.sign_in(plant.places[name], badge)
        yield [plant.places[name] for name in badges]
    finally:
        for name in badges:
            plant.stop(name)


def raw(data):
    return {"raw": base64.b64encode(data).decode()}


# What is scanned at the step that wants an LED board, the code of its answer, and words of it.
BAD_SCANS = [
    ("4006381333931", "E-101", "4006381333931"),
    ("09521101000023", "E-102", "LED board"),
    ("LED-88", "E-102", "LED board"),
    ("PCB-L-2546C", "E-103", "hold"),
    (BOARDS[1], "E-201", "is already in BL2-"),
    (BOARDS[0], "E-202", "Flash test"),
    ("PCB-L-0", "E-301", "part of a code"),
    ("P" * 600, "E-307", r"Nothing (was )?saved"),
    ("PCB-L-\x01\x02897", "E-308", r"Nothing (was )?saved"),
    (raw(b"PCB-L-\xff\xfe897"), "E-308", r"Nothing (was )?saved"),
    (raw(b"PCB-L-0\x000897"), "E-308", r"Nothing (was )?saved"),
    ('{"scan": 5}', "E-911", r"Nothing (was )?saved"),
    ('{"raw": "no base64!"}', "E-911", r"Nothing (was )?saved"),
    ("x" * 70_000, "E-912", r"Nothing (was )?saved"),
]


def test_48_each_bad_scan_is_refused_in_its_own_words_and_loses_nothing(plant):
    with at_work(plant, S01="BDG-1120", S02="BDG-1182", S03="BDG-1107") as (s01, s02, s03):
        work.make_boards(s01, BOARDS)
        plant.settle()
        work.test_boards(s02, BOARDS[1:])
        plant.settle()
        lot = work.give(s03, "BAT-18650-2546X", "NG")
        assert (lot.code, bool(lot.events)) == ("E-103", True), lot.printed
        assert "BAT-18650-2546X" in lot.text
        unlock(s03)
        work.build_unit(s03, BOARDS[1], work.BATTERY_LOT)
        unit = work.begin_unit(s03)
        for said, code, words in BAD_SCANS:
            line = s03.station.say(said)
            shown = (str(said)[:60], line.printed)
            assert line.verdict in {"NG", "LOCK"}, shown
            assert line.code == code, shown
            assert re.search(words, line.text), shown
            assert (line.unit, line.step) == (unit, 3), shown
            if line.verdict == "LOCK" or code in {"E-103", "E-201", "E-202"}:
                unlock(s03)
        work.scan(s03, BOARDS[2], "OK")
        work.end_unit(s03)
        plant.settle()
    hub = plant.hub_folder
    assert json.loads(tally("hub", "findings", hub, "--json").stdout) == []
    assert tally("hub", "rebuild", hub, "--check").returncode == 0


def unlock(place):
    """A lead clears what stays, and the operator goes on."""
    work.give(place, LEAD, "READY", "OK")
    work.give(place, {"badge": "BDG-1107"})


def test_an_empty_block_stops_printing_in_words_and_invents_no_code(plant):
    with at_work(plant, S02="BDG-1182") as (s02,):
        work.give(s02, {"link": "down"}, "READY")
        work.give(s02, "24-1187", "OK")
        for _ in range(20):
            work.give(s02, {"command": "CTLNEXT"}, "OK")
            work.give(s02, {"command": "CTLNO"}, "WAIT")
            work.give(s02, {"command": "CTLOK"}, "OK")
        line = work.give(s02, {"command": "CTLNEXT"}, "NG")
        assert line.code == "E-402", line.printed
        assert line.unit is None
        assert len(list(s02.folder.glob("labels/*.png"))) == 20
        work.give(s02, {"link": "up"})
        plant.settle()
    rows = json.loads(tally("hub", "balance", plant.hub_folder, "--json").stdout)
    [row] = [row for row in rows if row["block"] == "B-02"]
    assert (row["scrapped"], row["unused"], row["unexplained"]) == (20, 0, 0)


def test_a_full_disk_is_said_and_after_space_is_made_nothing_is_missing(plant):
    settings = plant.directory / "S01" / "station.toml"
    before = settings.read_text("utf-8")
    with at_work(plant, S01="BDG-1120"):
        pass
    kib = (settings.parent / "journal.db").stat().st_size // 1024 + 16
    settings.write_text(f"{before}\n[journal]\nkib_max = {kib}\n", "utf-8")
    plant.start("S01")
    s01 = plant.places["S01"]
    work.give(s01, {"link": "down"}, "READY")
    answers = []
    while not answers or answers[-1].code != "E-901":
        assert len(answers) < 5000, answers[-1].printed
        answers.append(s01.station.say(f"not a code of ours {len(answers)}"))
        if answers[-1].verdict == "LOCK":
            answers.append(s01.station.say(LEAD))
    assert answers[-1].events == ()
    assert "full" in answers[-1].text, answers[-1].printed
    acknowledged = s01.station.acknowledged
    assert len(acknowledged) >= 1
    plant.stop("S01")
    settings.write_text(before, "utf-8")
    plant.start("S01")
    work.give(plant.places["S01"], {"link": "up"})
    plant.settle()
    plant.stop("S01")
    file = plant.directory / "all.jsonl"
    assert tally("hub", "export", plant.hub_folder, "--events", file).returncode == 0
    exported = {json.loads(line).get("event_id") for line in file.read_text("utf-8").splitlines()}
    assert acknowledged <= exported
    assert tally("verify", file).returncode == 0


def test_a_second_program_on_the_same_data_is_refused_and_named(plant):
    with at_work(plant, S04="BDG-1133") as (s04,):
        second = tally("station", "run", s04.folder, "--headless")
        assert second.returncode == 1
        assert str(s04.station.pid) in second.stdout + second.stderr
    hub = tally("hub", "serve", plant.hub_folder)
    assert hub.returncode == 1
    assert re.search(r"in use|another program|serves|runs", hub.stderr), hub.stderr


def test_settings_with_several_mistakes_are_told_all_at_once(plant):
    folder = plant.directory / "S04"
    settings = folder / "station.toml"
    before = settings.read_text("utf-8")
    spoiled = before.replace("driver =", "drivr =", 1)
    settings.write_text(f'languag = "en"\ndouble_read_s = 99\n{spoiled}', "utf-8")
    done = tally("station", "run", folder, "--headless")
    settings.write_text(before, "utf-8")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    for words in ("station.toml, line 1", "'language'", "double_read_s", "'driver'"):
        assert words in said, said


def test_a_plan_with_several_mistakes_is_told_all_at_once_and_nothing_is_published(plant, tmp_path):
    before = tally("hub", "fingerprint", plant.hub_folder, "--json").stdout
    plan = tmp_path / "final-assembly.toml"
    plan.write_text(
        'plan = "final-assembly"\nversion = 15\noperation = "30"\nproduct = "BL-2@9"\n'
        'unknown = "perhaps"\n[[step]]\nid = "board"\nkind = "bind_serail"\npart = "PCB-L"\n'
        '[[step]]\nid = "torque"\nkind = "measure"\ncharacteristc = "torque"\n',
        "utf-8",
    )
    done = tally("hub", "import", plant.hub_folder, plan)
    assert done.returncode == 1
    for words in ("final-assembly.toml", "perhaps", "bind_serial", "characteristic"):
        assert words in done.stderr, done.stderr
    assert tally("hub", "fingerprint", plant.hub_folder, "--json").stdout == before


def test_a_scheme_without_its_counter_is_refused_in_words(plant, tmp_path):
    scheme = tmp_path / "schemes.toml"
    scheme.write_text(
        '[[scheme]]\nscheme = "x"\nversion = 1\nlevel = "unit"\nstarts = 2020-01-01\n'
        '[[scheme.field]]\nkind = "literal"\ntext = "X-"\n',
        "utf-8",
    )
    done = tally("hub", "import", plant.hub_folder, scheme)
    assert done.returncode == 1
    assert "counter" in done.stderr


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", bytes(range(256))],
    ids=["nothing", "500", "garbage"],
)
def test_32_a_station_that_meets_something_else_than_its_hub_says_so_and_works_on(plant, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # the test is over
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        settings = plant.directory / "S04" / "station.toml"
        before = settings.read_text("utf-8")
        address = f"127.0.0.1:{server.getsockname()[1]}"
        settings.write_text(f'{before}\n[hub]\naddresses = ["{address}"]\n', "utf-8")
        try:
            s04 = plant.start("S04")
            line = work.give(s04, {"sync": True}, "WAIT")
            assert len(line.text) > 30, line.printed
            assert not line.online
            work.sign_in(s04, "BDG-1133")
            work.give(s04, {"command": "CTLHELP"}, "READY")
            plant.stop("S04")
        finally:
            settings.write_text(before, "utf-8")
        server.shutdown(socket.SHUT_RDWR)


def test_bodies_too_large_or_too_deep_are_refused_in_words_and_the_hub_serves_on(plant):
    address = next(line for line in plant.addresses if "https://" in line)
    port = int(address.rpartition(":")[2].strip("/"))
    deep = b'{"secret":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for body, statuses in ((deep, {400, 413}), (b"x" * 3_000_000, {413, 400})):
        status, answer = post(port, "/v1/enroll", body)
        assert status in statuses, (status, answer)
        problem = json.loads(answer)
        assert problem["what"]
        assert problem["do"]
    assert tally("hub", "enroll-token", plant.hub_folder, "S01").returncode == 0


def post(port, path, body):
    """Status and body of one request on the stations' door, however it ends."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain) as tls,
    ):
        answer = b""
        with contextlib.suppress(OSError):  # the hub refused before the end of the body
            tls.sendall(head.encode() + body)
        with contextlib.suppress(OSError):  # closed on what was still coming
            while chunk := tls.recv(65536):
                answer += chunk
    first, _, content = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), content
