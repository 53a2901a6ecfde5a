import datetime as dt
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edge_agent.cli import station as station_commands
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.identity import (
    MalformedIdentityError,
    read_identity,
    read_trust,
    write_identity,
    write_trust,
)
from edge_agent.journal.lock import WriterLock
from edge_agent.journal.store import PAGE_SIZE, open_reader
from edge_agent.station import doctoring, looking
from edge_agent.station.doctoring import devices_checked, examine
from tests.support.stations import Bench, Plant


@pytest.fixture
def bench(tmp_path):
    return Bench(Plant(), folder=tmp_path)


def test_identity_and_trust_come_back_as_they_were_written(bench):
    again = read_identity(write_identity(bench.identity))
    assert (again.journal, again.key.raw) == (bench.identity.journal, bench.identity.key.raw)
    assert (again.station, again.plant) == ("S03", "NB1")
    assert read_trust(write_trust(bench.trust)) == bench.trust


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"journal":"A","private_key":"","station":"","plant":""}',
        b'{"journal":"AAAAAAAAAAAAAAAAAAAAAAAAAA","private_key":"!","station":"","plant":""}',
        b'{"journal":"AAAAAAAAAAAAAAAAAAAAAAAAAA","private_key":"AAAA","station":"","plant":""}',
    ],
)
def test_files_that_enrolment_never_wrote_are_refused_in_words(raw):
    for read in (read_identity, read_trust):
        with pytest.raises(MalformedIdentityError):
            read(raw)


def test_the_private_key_is_not_in_any_words_about_it(bench):
    assert bench.identity.key.raw.hex() not in repr(bench.identity)


def test_the_lock_names_its_holder_and_is_free_when_the_holder_is_gone(tmp_path):
    hold = "import sys, pathlib; from edge_agent.journal.lock import WriterLock; "
    hold += (
        "lock = WriterLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(JournalFault, match=f"process {child.pid}") as caught:
        WriterLock(tmp_path)
    assert caught.value.words_zh
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    with WriterLock(tmp_path):
        assert (tmp_path / "journal.lock").read_text().strip() == str(os.getpid())


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(JournalFault, match="J-102"):
        WriterLock(tmp_path / "nowhere")
    with pytest.raises(JournalFault, match="J-103"):
        open_reader(tmp_path / "journal.db")


def test_the_doctor_finds_a_station_well(bench):
    bench.open()
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert {"disk", "sqlite", "identity", "clock", "wal", "chain", "ledger"} <= set(found)
    assert found["chain"].is_well
    assert found["identity"].is_well


def noted(ahead_ms, end):
    return {
        "at": "2026-11-20T14:30:00+08:00",
        "clock_offset_ms": ahead_ms,
        "clock_within_ms": 40,
        "certificate_end": end,
    }


def test_the_doctor_and_the_status_show_the_clock_against_the_hubs(bench):
    journal = bench.open()
    assert looking.status(journal.connection, bench.identity)["hub_noted"] is None
    journal.note_hub(noted(-360_000, "Nov 19 00:00:00 2098 GMT"))
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["clock of the hub"].is_well
    assert "-360 s ± 0.1 s against the hub's" in found["clock of the hub"].words
    assert found["certificate"].is_well
    shown = looking.status(journal.connection, bench.identity)["hub_noted"]
    assert shown["clock_offset_ms"] == -360_000
    journal.note_hub(noted(500, "Nov 19 00:00:00 2098 GMT"))
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert found["clock of the hub"].is_well


def test_the_doctor_names_a_certificate_of_the_hub_that_ended(bench):
    journal = bench.open()
    journal.note_hub(noted(0, "Nov 19 00:00:00 2020 GMT"))
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["certificate"].is_well
    assert "ended 2020-11-19. Work and sync go on" in found["certificate"].words


def test_a_certificate_near_its_end_is_told_by_doctor_and_status_and_one_with_time_by_neither(
    bench, monkeypatch
):
    monkeypatch.setattr(doctoring, "AUTHORITY_WARNS", -dt.timedelta(days=36_500))
    journal = bench.open()
    (bench.folder / "identity.json").write_bytes(write_identity(bench.identity))
    (bench.folder / "identity.json").chmod(0o600)

    def status(*options):
        done = CliRunner().invoke(station_commands, ["status", str(bench.folder), *options])
        assert done.exit_code == 0, done.output
        return done.output

    now = dt.datetime.now(dt.UTC)
    for days, is_told in ((400, False), (31, False), (29, True), (-1, True)):
        end = now + dt.timedelta(days=days)
        journal.note_hub(noted(0, end.strftime("%b %d %H:%M:%S %Y GMT")))
        [found] = [o for o in examine(bench.folder, bench.identity) if o.check == "certificate"]
        assert found.is_well is not is_told
        assert (found.words in status()) is is_told
        told = [{"what": "certificate", "words": found.words}] if is_told else []
        assert json.loads(status("--json"))["endings"] == told
    monkeypatch.setattr(doctoring, "AUTHORITY_WARNS", dt.timedelta(days=36_500))
    assert "tally hub renew DIR --ca" in status()


def test_the_doctor_names_a_ca_of_the_hub_near_its_end(bench, monkeypatch):
    bench.open()
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert found["authority"].is_well
    monkeypatch.setattr(doctoring, "AUTHORITY_WARNS", dt.timedelta(days=36_500))
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["authority"].is_well
    assert "Work and sync go on, also when it has ended" in found["authority"].words


def test_the_doctor_names_an_open_key_and_a_damaged_chain(bench):
    journal = bench.open()
    (bench.folder / "identity.json").chmod(0o644)
    journal.connection.execute("DROP TRIGGER event_is_never_changed")
    journal.connection.execute("UPDATE event SET line = x'7b7d' WHERE seq = 1")
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["identity"].is_well
    assert not found["chain"].is_well
    assert "Event 1 of this station is damaged" in found["chain"].words


def test_the_doctor_names_a_damaged_page_that_no_event_stands_on(bench):
    journal = bench.open()
    page = journal.connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'l_head'"
    ).fetchone()[0]
    journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.connection.close()
    with bench.path.open("r+b") as file:
        file.seek((page - 1) * PAGE_SIZE)
        file.write(b"\xff" * 64)
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["pages"].is_well
    assert found["chain"].is_well


def test_the_doctor_names_a_trust_file_that_cannot_be_read(bench):
    bench.open().connection.close()
    (bench.folder / "trust.json").write_bytes(b"{}")
    found = {one.check: one for one in examine(bench.folder, bench.identity)}
    assert not found["trust"].is_well
    assert "trust.json" in found["trust"].words


def test_the_doctor_names_a_device_that_is_not_there(tmp_path):
    tables = [
        {"name": "a", "driver": "label_files", "folder": str(tmp_path)},
        {"name": "b", "driver": "label_files", "folder": str(tmp_path / "gone")},
    ]
    settings, good, bad = devices_checked(tables)
    assert settings.is_well
    assert good.is_well
    assert not bad.is_well
    assert "gone" in bad.words
