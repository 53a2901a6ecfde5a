"""The station as people start it: processes, signals, power cuts, real files."""

import base64
import json
import os
import pty
import signal
import sqlite3
import tty

import pytest

from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import open_reader
from edge_agent.journal.tail import check_range
from tally.events import types as t
from tally.events.decoding import read_line
from tally.records.segment import decode, prove
from tests.support.station_process import Died, Running, enrolled, tally

BADGE = {"badge": "BDG-1107"}
NEXT = {"command": "CTLNEXT"}
FIELDS = {
    "in",
    "verdict",
    "code",
    "text",
    "unit",
    "step",
    "events",
    "unsent",
    "online",
    "source",
}


@pytest.fixture
def bench(tmp_path):
    return enrolled(tmp_path / "S03")


def stored(bench):
    """Id and event of everything in the own journal, after checking every hash of it."""
    connection = open_reader(bench.path)
    (last,) = connection.execute("SELECT max(seq) FROM event").fetchone()
    check_range(connection, bench.identity, 1, last)
    rows = connection.execute("SELECT id, line FROM event ORDER BY seq").fetchall()
    connection.close()
    return [(event_id.hex(), read_line(line)) for event_id, line in rows]


def reserved(bench):
    return [e.b.code for _, e in stored(bench) if isinstance(e.b, t.CodeReserved)]


# --- the contract -----------------------------------------------------------------------------


def test_one_line_in_one_line_out_in_order_with_all_fields(bench):
    given = [
        "PCB-L-00931",
        BADGE,
        {"scan": "PCB-L-00931", "source": "serial-1"},
        NEXT,
        {"measure": {"characteristic": "torque", "value": "0.61"}},
        {"link": "down"},
        {"link": "up"},
        {"wait": 0.1},
        {"raw": base64.b64encode(b"\x00\xff\x1d").decode()},
        "",
        "{not json",
        {"wait": "soon"},
    ]
    with Running(bench.folder) as station:
        lines = [station.say(one) for one in given]
        status, errors = station.end()
    assert status == 0
    assert "Traceback" not in errors
    assert [set(line) for line in lines] == [FIELDS] * len(given)
    echoes = [line["in"] for line in lines]
    assert echoes[:3] == ["PCB-L-00931", "BDG-1107", "PCB-L-00931"]
    assert echoes[3] == "CTLNEXT"
    assert echoes[5] == json.dumps(given[5])
    assert {line["verdict"] for line in lines} <= set("READY OK DONE DUP NG HOLD WAIT LOCK".split())
    assert [line["verdict"] for line in lines[5:8]] == ["READY"] * 3
    assert (lines[3]["unit"], lines[3]["step"]) == ("BL2-2647-000401", 2) or lines[3]["unit"]
    assert lines[-1]["code"] == "E-911"


def test_every_event_that_was_answered_is_on_the_disk(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        label = station.say(NEXT)["unit"]
        station.say(label)
        station.say("PCB-L-00931")
        station.end()
    ids = [event_id for event_id, _ in stored(bench)]
    assert station.events
    assert [event_id for event_id in ids if event_id in set(station.events)] == station.events


def test_all_lines_at_once_are_all_answered_before_the_end(bench):
    with Running(bench.folder) as station:
        for number in range(300):
            station.give(b"X-%d" % number)
        status, _ = station.end()
    assert status == 0
    assert len(stored(bench)) >= 2


def test_hostile_lines_each_get_one_answer_and_the_station_goes_on(bench):
    hostile = [
        b"\xff\xfe\x00\x01",
        b"x" * 100_000,
        b'{"scan": "' + b"y" * 100_000 + b'"}',
        b"{" * 30_000,
        b'{"raw": "####"}',
        b'{"scan": "\\ud800"}',
        b'{"badge": "\\ud800"}',
        b'{"measure": {"characteristic": "\\ud800", "value": "\\u0000"}}',
        b'{"measure": {"characteristic": "torque", "value": "1e999999999"}}',
        b'{"command": "CTLOK; DROP TABLE event"}',
        b"%s%n%x",
        "扫码".encode(),
        b"\x1b[2J\x07",
        b'{"scan": ["a"]}',
        b'{"wait": 1e400}',
    ]
    with Running(bench.folder) as station:
        station.say(BADGE)
        for raw in hostile:
            station.give(raw)
            assert station.hear()["verdict"] in {"NG", "LOCK", "WAIT", "DUP", "READY", "HOLD"}
        assert station.say({"wait": 0})["verdict"] == "READY"
        status, errors = station.end()
    assert status == 0
    assert "Traceback" not in errors
    stored(bench)


def test_texts_come_in_the_language_asked_for(bench):
    with Running(bench.folder, "--lang", "zh") as station:
        assert "工牌" in station.say("PCB-L-00931")["text"]
        station.end()


def test_sync_without_a_hub_gives_the_reason(bench):
    with Running(bench.folder) as station:
        station.say({"link": "down"})
        answer = station.say({"sync": True})
        station.end()
    assert (answer["verdict"], answer["online"]) == ("WAIT", False)
    assert answer["text"]
    assert answer["unsent"] > 0


def test_a_cut_link_stays_cut_after_a_power_cut(bench):
    with Running(bench.folder) as station:
        station.say({"link": "down"})
        station.process.kill()
        station.end()
    with Running(bench.folder) as station:
        assert station.say({"sync": True})["code"] == "link_cut"
        assert station.say({"link": "up"})["verdict"] == "READY"
        station.end()


def test_a_read_of_a_real_device_comes_by_itself_with_its_source(tmp_path):
    scanner, slave = pty.openpty()
    tty.setraw(slave)
    device = (
        f'[[device]]\nname = "serial-1"\ndriver = "serial_port"\nport = "{os.ttyname(slave)}"\n'
    )
    bench = enrolled(tmp_path / "S03", settings=device)
    with Running(bench.folder) as station:
        station.say({"wait": 0})
        # The first bytes may come while the port is still being opened; a scanner beeps again.
        while not station.by_itself:
            os.write(scanner, b"BDG-1107\r")
            station.say({"wait": 0.3})
        line = station.by_itself[0]
        station.end()
    os.close(scanner)
    os.close(slave)
    assert (line["in"], line["source"], line["verdict"]) == (None, "serial-1", "OK")


# --- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_station_with_status_0(bench, number):
    with Running(bench.folder) as station:
        station.say({"wait": 0})
        station.process.send_signal(number)
        assert station.process.wait(20) == 0
        _, errors = station.end()
    assert "Traceback" not in errors


def test_a_reader_that_goes_away_ends_the_station_quietly(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        station.process.stdout.close()
        station.give(b"X-1")
        assert station.process.wait(20) == 0
        errors = station.process.stderr.read().decode()
        station.process.stdin.close()
        station.process.stderr.close()
    assert "Traceback" not in errors


# --- power cuts -------------------------------------------------------------------------------


def work(station):
    """Badge, then lamps: print, read back, a wrong scan."""
    station.say(BADGE)
    for _ in range(2):
        answer = station.say(NEXT)
        if answer["verdict"] == "OK":
            station.say(answer["unit"])
        station.say({"command": "CTLNO"})


def dies_at_work(station):
    try:
        for _ in range(20):
            work(station)
    except Died:
        return True
    return False


@pytest.mark.parametrize(
    "crash",
    [
        "before_commit:2",
        "before_commit:4",
        "before_commit:7",
        "after_commit_before_print:1",
        "after_print_before_record:1",
        "after_commit_before_output:2",
        "after_commit_before_output:5",
    ],
)
def test_1_2_a_power_cut_at_any_point_loses_nothing_and_repeats_no_code(bench, crash):
    with Running(bench.folder, crash=crash) as station:
        assert dies_at_work(station)
    shown = list(station.events)
    with Running(bench.folder) as station:
        for said in ({"command": "CTLNO"}, {"command": "CTLOK"}):
            station.say(said)
        work(station)
        status, errors = station.end()
    assert status == 0, errors
    ids = {event_id for event_id, _ in stored(bench)}
    assert set(shown) <= ids
    codes = reserved(bench)
    assert len(codes) == len(set(codes)) > 0
    printed = [path.stem for path in (bench.folder / "labels").glob("*.png")]
    assert len(printed) == len(set(printed))


def test_killing_at_random_moments_keeps_every_answer(bench):
    shown = []
    for number in range(4):
        with Running(bench.folder) as station:
            station.say(BADGE)
            for _ in range(number * 3):
                station.give(b"X-%d" % number)
            station.process.kill()
            station.end()
            shown += station.events
    assert set(shown) <= {event_id for event_id, _ in stored(bench)}


# --- who else -----------------------------------------------------------------------------------


def test_14_a_second_station_on_the_same_folder_is_refused_naming_the_first(bench):
    with Running(bench.folder) as station:
        station.say({"wait": 0})
        second = tally("station", "run", bench.folder, "--headless")
        assert station.say({"wait": 0})["verdict"] == "READY"
        pid = station.process.pid
        station.end()
    assert second.returncode == 1
    assert f"process {pid}" in second.stderr
    assert second.stdout == ""


def test_reading_commands_work_while_the_station_runs_and_change_nothing(bench):
    with Running(bench.folder) as station:
        station.say({"link": "down"})
        station.say(BADGE)
        unit = station.say(NEXT)["unit"]
        shown = {}
        for command in ("status", "wip", "codes", "fingerprint", "doctor"):
            run = tally("station", command, bench.folder, "--json")
            assert run.returncode == 0, run.stdout + run.stderr
            shown[command] = json.loads(run.stdout)
            assert tally("station", command, bench.folder).stdout
        unknown = tally("station", "trace", bench.folder, "NOPE")
        assert (unknown.returncode, unknown.stdout) == (1, "")
        assert "No event at this station names 'NOPE'" in unknown.stderr
        assert station.say({"wait": 0})["unsent"] == shown["status"]["unsent"]
        station.end()
    assert shown["wip"]["open"]["code"] == unit
    assert shown["codes"][0]["left"] == 171
    assert len(shown["fingerprint"]["fingerprint"]) == 64
    assert shown["status"]["seq"] == len(stored(bench))


# --- the disk ---------------------------------------------------------------------------------


def test_a_full_journal_is_said_in_words_and_goes_on_with_more_space(bench):
    settings = bench.folder / "station.toml"
    plain = settings.read_text("utf-8")
    pages = bench.path.stat().st_size // 1024
    settings.write_text(plain + f"[journal]\nkib_max = {pages + 60}\n", "utf-8")
    with Running(bench.folder) as station:
        station.say({"link": "down"})
        station.say(BADGE)
        for number in range(3000):
            answer = station.say(f"X-{number}")
            if answer["code"] == "E-901":
                break
            assert answer["events"]
            if answer["verdict"] == "LOCK":
                station.say({"badge": "BDG-2004"})
        assert (answer["verdict"], answer["events"]) == ("NG", [])
        assert "full" in answer["text"]
        assert station.say("X-again")["verdict"] in {"NG", "LOCK"}
        status, _ = station.end()
    assert status == 0
    shown = station.events
    settings.write_text(plain, "utf-8")
    with Running(bench.folder) as station:
        station.say({"badge": "BDG-2004"})
        assert station.say("X-after")["events"]
        station.end()
    assert set(shown) <= {event_id for event_id, _ in stored(bench)}


def test_a_damaged_journal_is_refused_with_the_event_and_left_alone(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        station.end()
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute("DELETE FROM event WHERE seq = 2")
    connection.close()
    before = bench.path.read_bytes()
    run = tally("station", "run", bench.folder, "--headless")
    assert run.returncode == 1
    assert "J-201" in run.stderr
    assert "event 2" in run.stderr
    assert bench.path.read_bytes() == before
    assert tally("station", "doctor", bench.folder).returncode == 1


@pytest.mark.parametrize("table", ["block", "known_key", "foreign_event"])
def test_a_damaged_page_outside_of_the_newest_events_lets_the_file_be_made_anew(bench, table):
    before = bench.open(start=False).blocks.all()
    connection = sqlite3.connect(bench.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    select = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    (page,) = connection.execute(select, (table,)).fetchone()
    connection.close()
    with bench.path.open("r+b") as file:
        file.seek((page - 1) * 1024)
        file.write(b"\xff" * 1024)
    run = tally("station", "run", bench.folder, "--headless")
    if run.returncode:  # met behind the opening: the next start looks at every page
        assert "Start the station again" in run.stderr
        run = tally("station", "run", bench.folder, "--headless")
    assert run.returncode == 0, run.stderr
    assert "J-207" in run.stdout
    assert bench.open(start=False).blocks.all() == before
    [kept] = bench.folder.glob("journal.damaged-*.db")
    assert str(kept.name) in run.stdout


@pytest.mark.parametrize("content", [b"", b"not a database at all, just some text" * 50])
def test_a_file_that_is_no_journal_is_refused_in_words(bench, content):
    for path in bench.folder.glob("journal.db*"):
        path.unlink()
    bench.path.write_bytes(content)
    run = tally("station", "run", bench.folder, "--headless")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "J-" in run.stderr


def test_what_leaves_the_running_station_is_proven(bench):
    with Running(bench.folder) as station:
        station.say({"link": "down"})
        station.say(BADGE)
        view = OutgoingJournal.at(bench.path, bench.identity, tuple)
        piece = view.piece_after(0, 500, 10**6)
        assert len(prove(decode(piece.data), bench.identity.key.public)) == view.head().seq
        view.close()
        station.end()


# --- words for whoever starts it ----------------------------------------------------------------


def test_every_mistake_in_the_settings_is_named_at_once(bench):
    (bench.folder / "station.toml").write_text(
        'langage = "en"\ndouble_read_s = 99\n[[device]]\nname = "a"\ndriver = "serial"\n', "utf-8"
    )
    run = tally("station", "run", bench.folder, "--headless")
    assert run.returncode == 1
    for expected in ("langage", "'language'", "double_read_s", "line 2", "serial_port"):
        assert expected in run.stderr


def test_a_folder_that_was_never_enrolled_says_what_to_do(tmp_path):
    for command in ("run", "status", "wip", "codes", "fingerprint"):
        run = tally("station", command, tmp_path)
        assert run.returncode == 1
        assert "tally station enroll" in run.stderr


def test_a_token_that_is_none_is_refused_and_nothing_is_made(tmp_path):
    run = tally("station", "enroll", tmp_path / "S09", "not-a-token")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "S09" / "trust.json").exists()


def test_the_line_terminal_speaks_in_words(bench):
    with Running(bench.folder) as station:
        station.end()
    run = tally("station", "run", bench.folder, "--help")
    assert "Example" in run.stdout
