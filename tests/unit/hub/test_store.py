"""The store under faults: all or nothing, bugs of the ledger do not stop a line, one writer."""

import datetime as dt
import sqlite3
import subprocess
import sys

import pytest

from hub.bootstrap import create, open_hub, open_view
from hub.services.exporting import export
from hub.services.rebuilding import check, rebuild
from hub.store.port import StoreFault
from tally.ledger.sqlite.saving import savepoint
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled


def test_what_fails_before_the_commit_leaves_nothing(tmp_path):
    hub = create(tmp_path, plant="NB1", site="NB1")
    station = enrolled(hub)
    station.add(bound(board(1), lamp(1)))
    hub.office.store.close()
    stopped = []

    def reached(point):
        if stopped:
            raise RuntimeError(point)

    hub = open_hub(tmp_path, reached=reached)
    before = hub.fingerprint()
    stopped.append(True)
    with pytest.raises(RuntimeError, match="before_commit"):
        hub.ingest(station.id, station.piece(2))
    stopped.clear()
    assert hub.fingerprint() == before
    assert hub.standing(station.id).seq == 1
    assert hub.ingest(station.id, station.piece(2)).stored == 1
    assert check(hub.office).differences == ()
    hub.office.store.close()


def test_a_full_disk_is_a_fault_in_words_and_the_hub_goes_on_when_there_is_space(tmp_path):
    hub = create(tmp_path, plant="NB1", site="NB1")
    station = enrolled(hub)
    connection = hub.office.store._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    for number in range(500):
        station.add(bound(board(number), lamp(number), raw=f"{number:x}" * 50))
    with pytest.raises(StoreFault, match="did not take the data") as fault:
        hub.ingest(station.id, station.piece(2))
    assert fault.value.is_retryable
    assert hub.standing(station.id).seq == 1
    connection.execute("PRAGMA max_page_count=1000000")
    assert hub.ingest(station.id, station.piece(2)).stored == 500
    assert check(hub.office).differences == ()
    hub.office.store.close()


def test_an_event_that_the_ledger_cannot_take_is_stored_acknowledged_and_counted():
    hub = a_hub()
    station = enrolled(hub)
    station.add(bound(board(1), lamp(1)))
    # The ledger has it already, which cannot be: as good a bug as any.
    hub.office.store.ledger.absorb(station.batch(2))
    assert hub.ingest(station.id, station.piece(2)).stored == 1
    assert hub.fingerprint()["unprojected"] == 1
    station.add(bound(board(2), lamp(2)))
    assert hub.ingest(station.id, station.piece(3)).stored == 1
    rebuild(hub.office)
    assert hub.fingerprint()["unprojected"] == 0
    assert check(hub.office).differences == ()


def test_a_second_hub_in_one_folder_is_refused_with_the_first_ones_number(tmp_path):
    hub = create(tmp_path, plant="NB1", site="NB1")
    code = "import pathlib, sys, hub.bootstrap as b; b.open_hub(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "in use by process" in done.stderr
    hub.office.store.close()


def test_a_view_reads_beside_the_writer_and_sees_each_commit(tmp_path):
    hub = create(tmp_path, plant="NB1", site="NB1")
    view = open_view(tmp_path)
    station = enrolled(hub)
    station.add(bound(board(1), lamp(1)))
    hub.ingest(station.id, station.piece(2))
    assert view.fingerprint() == hub.fingerprint()
    with pytest.raises(StoreFault):
        view.open_token("S03", ["a:1"])
    view.office.store.close()
    hub.office.store.close()


def test_a_file_of_a_newer_program_is_refused_untouched(tmp_path):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    path = tmp_path / "hub.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    for opening in (open_hub, open_view):
        with pytest.raises(StoreFault, match="Start the newer version"):
            opening(tmp_path)


@pytest.mark.parametrize("damage", [b"not a database at all" * 1000, b""])
def test_a_damaged_file_is_said_so(tmp_path, damage):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    (tmp_path / "hub.db-wal").unlink(missing_ok=True)
    (tmp_path / "hub.db").write_bytes(damage)
    with pytest.raises(StoreFault):
        open_view(tmp_path).fingerprint()


def _damage(folder, table):
    """Overwrite the first page of a table."""
    connection = sqlite3.connect(folder / "hub.db")
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (folder / "hub.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_a_damaged_page_is_no_bug_of_the_ledger_and_nothing_is_written_after_it(tmp_path):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    _damage(tmp_path, "quarantine")
    store = open_hub(tmp_path).office.store
    with pytest.raises(StoreFault, match=r"hub\.db is damaged"), store.transaction():
        savepoint(
            store._connection,
            lambda: store.quarantine(dt.datetime.now(dt.UTC), b"j", "forged", "w", b"raw"),
        )
    with pytest.raises(StoreFault, match=r"hub\.db is damaged"), store.transaction():
        store.put("key", "value")
    store.close()


def test_a_hub_that_cannot_be_opened_gives_its_lock_back(tmp_path):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    _damage(tmp_path, "journal")
    for _ in range(2):
        with pytest.raises(StoreFault, match=r"hub\.db is damaged"):
            open_hub(tmp_path)


def test_damaged_events_are_said_so_with_their_place_wherever_they_are_read(tmp_path):
    hub = create(tmp_path, plant="NB1", site="NB1")
    station = enrolled(hub)
    station.add(bound(board(1), lamp(1)))
    hub.ingest(station.id, station.piece(2))
    hub.publish(demo_files())
    hub.lease(station.id, "r1", "pcb-l@1", 1)
    hub.office.store._connection.execute(
        "UPDATE piece SET blob = CAST(substr(blob, 1, length(blob) - 1) || x'00' AS BLOB)"
        " WHERE head = ?",
        (station.ids[-1],),
    )
    for read in (
        lambda: list(export(hub.office)),
        lambda: rebuild(hub.office),
        lambda: hub.read_after(station.id, station.ids[0]),
        lambda: hub.show("balance"),
    ):
        with pytest.raises(StoreFault, match="stored events 2 to 2") as fault:
            read()
        assert not fault.value.is_retryable
    # The writer's own segment takes the place of what was damaged.
    hub.ingest(station.id, station.sealed(1, 2))
    assert check(hub.office).differences == ()
    hub.office.store.close()


def test_keys_and_events_of_two_hubs_do_not_go_together(tmp_path):
    for name in ("a", "b"):
        create(tmp_path / name, plant="NB1", site="NB1").office.store.close()
    (tmp_path / "b" / "hub.db").rename(tmp_path / "a" / "hub.db")
    for opening in (open_hub, open_view):
        with pytest.raises(StoreFault, match="two hubs"):
            opening(tmp_path / "a")


def test_a_hub_whose_making_failed_can_be_made_again(tmp_path):
    (tmp_path / "hub.toml").symlink_to(tmp_path / "no" / "such")  # the disk refuses it
    with pytest.raises(FileNotFoundError):
        create(tmp_path, plant="NB1", site="NB1")
    (tmp_path / "hub.toml").unlink()
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    open_view(tmp_path).office.store.close()


def test_a_folder_that_holds_events_gets_no_new_keys(tmp_path):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    (tmp_path / "secrets.json").unlink()
    with pytest.raises(FileExistsError):
        create(tmp_path, plant="NB1", site="NB1")


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_hub_that_lost_its_events_does_not_begin_again_under_the_same_keys(tmp_path, left):
    create(tmp_path, plant="NB1", site="NB1").office.store.close()
    (tmp_path / "hub.db").unlink()
    if left == "an empty file":
        (tmp_path / "hub.db").touch()
    with pytest.raises(StoreFault):
        open_view(tmp_path)
    with pytest.raises(StoreFault, match="Restore it"):
        open_hub(tmp_path)
