"""A backup is one file that proves itself; a restore makes the same hub in its next epoch."""

import msgspec
import pytest
from click.testing import CliRunner

from hub import backup, bootstrap, recovery, trust
from hub.cli import hub as commands
from hub.recovery import RecoveryFault
from hub.store.port import StoreFault
from tests.support.hub_floor import demo_files, enrolled, entropy_of


@pytest.fixture(scope="module")
def key():
    return recovery.new_key(entropy_of("recovery"))


@pytest.fixture
def folder(tmp_path, key):
    made = bootstrap.create(tmp_path / "hub", plant="NB1", site="NB1", recovery=key.public)
    made.publish(demo_files())
    station = enrolled(made)
    station.signs_in(3)
    made.ingest(station.id, station.piece(2, 4))
    made.lease(station.id, "r1", "bl2@1", 100)
    made.office.store.close()
    return tmp_path / "hub"


@pytest.fixture
def file(folder, tmp_path):
    bootstrap.back_up(folder, tmp_path / "b.tally")
    return tmp_path / "b.tally"


def run(*words, status=0, typed=None):
    done = CliRunner().invoke(commands, [str(word) for word in words], input=typed)
    assert done.exit_code == status, done.output
    return done.output


def test_a_recovery_key_is_read_as_it_was_printed_however_it_is_typed(key):
    for text in (str(key), str(key).lower(), str(key).replace("-", " "), f"  {key}\n"):
        assert recovery.read_key(text) == key
    assert key.raw.hex() not in repr(key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-1], "has 56 letters and digits, this one has 55"),
        (lambda text: "1" + text[1:], "another character"),
        (lambda text: ("B" if text[0] == "A" else "A") + text[1:], "check letters do not fit"),
        (lambda text: "A" * 5000, "this one has 1000"),
    ],
)
def test_a_misread_recovery_key_is_said_so(key, change, words):
    with pytest.raises(RecoveryFault, match=words):
        recovery.read_key(change(str(key)))


def test_only_the_holder_of_the_recovery_key_opens_what_was_sealed(key):
    sealed = recovery.seal(b"keys", key.public, b"header", entropy_of("x"))
    assert recovery.unseal(sealed, key, b"header") == b"keys"
    other = recovery.new_key(entropy_of("other"))
    for wrong in ((sealed, other, b"header"), (sealed, key, b"Header"), (sealed[:40], key, b"h")):
        with pytest.raises(RecoveryFault):
            recovery.unseal(*wrong)


def test_a_backup_says_how_far_it_goes_and_holds_no_key_in_the_open(folder, file):
    header = backup.read_header(file)
    assert (header.plant, header.epoch) == ("NB1", 1)
    raw = file.read_bytes()
    secrets = trust.load(folder)
    private = [secrets.root, secrets.receipt, *(feed.key for feed in secrets.feeds.values())]
    for one in private:
        assert one.raw not in raw
        assert one.raw.hex().encode() not in raw
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir() if path.name.startswith("b.")] == [
        file.name
    ]


def test_a_backup_beside_a_writing_hub_is_of_one_moment(folder, tmp_path, key):
    writing = bootstrap.open_hub(folder)
    try:
        made = bootstrap.back_up(folder, tmp_path / "live.tally")
        writing.lease(writing.journal_of("S03"), "r2", "bl2@1", 50)
    finally:
        writing.office.store.close()
    at = {journal.name: journal.seq for journal in made.journals}
    assert (at["S03"], at["leases"]) == (4, 2)
    restored = bootstrap.restore(tmp_path / "live.tally", tmp_path / "new", key)
    assert len(restored.show("blocks")) == 1
    restored.office.store.close()


def test_a_backup_is_never_overwritten(folder, file):
    before = file.read_bytes()
    with pytest.raises(backup.BackupFault, match="never overwritten"):
        bootstrap.back_up(folder, file)
    assert file.read_bytes() == before


def test_a_restored_hub_is_the_same_in_its_next_epoch_with_new_feeds(folder, file, tmp_path, key):
    old = trust.load(folder)
    hub = bootstrap.restore(file, tmp_path / "new", key)
    secrets = hub.office.secrets
    assert secrets.hub_id == old.hub_id
    assert secrets.epoch >= 202611200000
    assert secrets.fingerprint == old.fingerprint
    assert {f.journal for f in secrets.feeds.values()}.isdisjoint(
        f.journal for f in old.feeds.values()
    )
    assert hub.awaited() == ["S03"]
    assert [row["seq"] for row in hub.show("stations")] == [4]
    hub.office.store.close()
    assert (tmp_path / "new" / "secrets.json").stat().st_mode & 0o777 == 0o600
    again = bootstrap.open_hub(tmp_path / "new")
    assert again.epoch == secrets.epoch
    again.office.store.close()


def test_a_backup_is_restored_into_an_empty_folder_only(file, tmp_path, key):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(backup.BackupFault, match="not empty"):
        bootstrap.restore(file, tmp_path / "full", key)
    (tmp_path / "empty").mkdir()
    bootstrap.restore(file, tmp_path / "empty", key).office.store.close()


def test_another_recovery_key_is_named(file, tmp_path, key):
    other = recovery.new_key(entropy_of("other"))
    with pytest.raises(backup.BackupFault, match=recovery.name_of(key.public)):
        bootstrap.restore(file, tmp_path / "new", other)
    assert not (tmp_path / "new").exists()


def damaged(raw):
    """(name, bytes, words) of a backup that is not what was written any more."""
    head, sealed, frame = raw.split(b"\n", 2)
    header = msgspec.json.decode(head)
    newer = msgspec.json.encode(header | {"tally": "tally/backup/2"})
    elsewhere = msgspec.json.encode(header | {"epoch": 7})
    short = msgspec.json.encode(header | {"size": 10})
    flipped = bytearray(raw)
    flipped[len(head) + len(sealed) + len(frame) // 2] ^= 1
    swapped = sealed[:-9] + bytes([sealed[-9] ^ 1]) + sealed[-8:]
    return [
        ("empty", b"", "no backup of a hub"),
        ("text", b"hello\n", "no backup of a hub"),
        ("json", b'{"tally":"segment/1"}\nx\n', "calls itself 'segment/1'"),
        ("no fields", b'{"tally":"tally/backup/1"}\nx\n', "first line is no header"),
        ("endless", b"x" * 3_000_000, "no line break"),
        ("newer", newer + b"\n" + sealed + b"\n" + frame, "reads 'tally/backup/1'"),
        ("other header", elsewhere + b"\n" + sealed + b"\n" + frame, "was changed"),
        ("bomb", short + b"\n" + sealed + b"\n" + frame, "was changed"),
        ("sealed keys", head + b"\n" + swapped + b"\n" + frame, "was changed"),
        ("one line", head + b"\n", "cut off"),
        ("half", raw[: len(raw) // 2], "cut off"),
        ("flipped", bytes(flipped), "was changed"),
        ("no frame", head + b"\n" + sealed + b"\nnothing", "was changed"),
    ]


def test_a_backup_that_was_changed_or_cut_is_refused_in_words_and_leaves_nothing(
    file, tmp_path, key
):
    for name, raw, words in damaged(file.read_bytes()):
        bad = tmp_path / f"{name}.tally"
        bad.write_bytes(raw)
        with pytest.raises(backup.BackupFault, match=words):
            bootstrap.restore(bad, tmp_path / "new", key)
        assert not (tmp_path / "new").exists(), name
        assert not list(tmp_path.glob(".new.*")), name


def test_a_database_of_a_newer_version_is_refused_in_words(folder, tmp_path, key):
    import sqlite3

    with sqlite3.connect(folder / "hub.db") as connection:
        connection.execute("PRAGMA user_version=999")
    with pytest.raises(StoreFault, match="schema 999"):
        bootstrap.back_up(folder, tmp_path / "b.tally")
    assert not list(tmp_path.glob("b.tally*"))


def test_a_hub_whose_events_were_changed_is_not_backed_up(folder, tmp_path):
    import sqlite3

    with sqlite3.connect(folder / "hub.db") as connection:
        no, blob = connection.execute("SELECT no, blob FROM piece ORDER BY no DESC").fetchone()
        other = blob.replace(b'"head":"', b'"head":"00', 1)
        connection.execute("UPDATE piece SET blob = ? WHERE no = ?", (other, no))
    with pytest.raises(StoreFault):
        bootstrap.back_up(folder, tmp_path / "b.tally")
    assert not list(tmp_path.glob("b.tally*"))


def test_people_back_up_and_restore_by_command(tmp_path):
    said = run("init", tmp_path / "hub", "--plant", "NB1")
    printed = next(line.split()[-1] for line in said.splitlines() if line.startswith("Recovery"))
    assert "Copy it off" in run("backup", tmp_path / "hub", tmp_path / "b.tally")
    said = run("restore", tmp_path / "b.tally", tmp_path / "new", typed=printed + "\n")
    assert "in epoch 20" in said
    assert "codes are granted" in run("returns", tmp_path / "new")
    assert "Nobody waits for S09" in run("returns", tmp_path / "new", "--without", "S09", status=1)


def test_a_lost_recovery_key_is_replaced_for_the_backups_to_come(tmp_path):
    run("init", tmp_path / "hub")
    run("backup", tmp_path / "hub", tmp_path / "old.tally")
    said = run("backup", tmp_path / "hub", tmp_path / "new.tally", "--new-recovery-key")
    printed = next(line.split()[-1] for line in said.splitlines() if line.startswith("Recovery"))
    new = ("restore", tmp_path / "new.tally", tmp_path / "a", "--recovery-key", printed)
    assert "in epoch 20" in run(*new)
    old = ("restore", tmp_path / "old.tally", tmp_path / "b", "--recovery-key", printed)
    assert "was made for the recovery key" in run(*old, status=1)


def test_a_hub_without_a_recovery_key_says_how_to_make_one(tmp_path):
    bootstrap.create(tmp_path / "hub", plant="NB1", site="").office.store.close()
    said = run("backup", tmp_path / "hub", tmp_path / "b.tally", status=1)
    assert "--new-recovery-key" in said


def test_what_is_broken_off_leaves_nothing_behind(folder, file, tmp_path, key):
    def interrupt(_events):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bootstrap.back_up(folder, tmp_path / "c.tally", progress=interrupt)
    assert not list(tmp_path.glob("c.tally*"))
    (tmp_path / "empty").mkdir()
    for place in ("new", "empty"):
        with pytest.raises(KeyboardInterrupt):
            bootstrap.restore(file, tmp_path / place, key, progress=interrupt)
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_backup_that_finds_no_place_is_refused_in_words(folder, tmp_path):
    said = run("backup", folder, tmp_path / "nowhere" / "b.tally", status=1)
    assert "No such file or directory" in said
    missing = ("restore", tmp_path / "missing.tally", tmp_path / "new", "--recovery-key", "x")
    assert "does not exist" in run(*missing, status=2)


def test_a_restored_hub_is_backed_up_and_restored_again(file, tmp_path, key):
    first = bootstrap.restore(file, tmp_path / "first", key)
    first.office.store.close()
    bootstrap.back_up(tmp_path / "first", tmp_path / "again.tally")
    second = bootstrap.restore(tmp_path / "again.tally", tmp_path / "second", key)
    assert second.epoch > first.epoch
    names = [journal.name for journal in second.office.store.journals() if journal.role == "feed"]
    assert names.count("leases") == 3
    second.office.store.close()
