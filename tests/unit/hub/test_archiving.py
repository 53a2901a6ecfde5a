"""A hub says of a journal what a verified backup of this epoch holds, and never more."""

import pytest
from click.testing import CliRunner

from hub import bootstrap, recovery
from hub.cli import hub as commands
from hub.services import Refused
from hub.services.archiving import Covered, note_backup
from hub.services.checking import check
from hub.services.operations import perform
from tests.support.hub_floor import a_hub, enrolled, entropy_of


@pytest.fixture
def hub():
    return a_hub()


@pytest.fixture
def station(hub):
    found = enrolled(hub)
    found.signs_in(9)
    hub.ingest(found.id, found.piece(2, 8))
    return found


def covered(station, seq):
    return Covered(station.id, seq, station.ids[seq - 1])


def mark(hub, station):
    return hub.standing(station.id).receipt.archived_through


def test_before_the_first_backup_nothing_is_archived(hub, station):
    assert mark(hub, station) == 0


def test_a_receipt_says_how_far_the_newest_backup_goes_and_it_is_signed(hub, station):
    assert note_backup(hub.office, 1, [covered(station, 5)]) == 1
    receipt = hub.standing(station.id).receipt
    assert (receipt.archived_through, receipt.durable_through) == (5, 8)
    assert receipt.is_signed_by(hub.receipt_key)
    hub.ingest(station.id, station.piece(9, 10))
    assert mark(hub, station) == 5


def test_a_mark_never_goes_back(hub, station):
    note_backup(hub.office, 1, [covered(station, 6)])
    assert note_backup(hub.office, 1, [covered(station, 3)]) == 0
    assert mark(hub, station) == 6


def test_a_receipt_for_less_says_no_more_than_that(hub, station):
    note_backup(hub.office, 1, [covered(station, 8)])
    row = hub.office.registered(station.id)
    [branch] = hub.office.store.branches(row.no)
    shorter = type(branch)(
        branch.no, branch.journal, branch.parent, 0, branch.from_id, 4, station.ids[3]
    )
    assert hub.office.receipt(row, shorter).archived_through == 4
    assert hub.office.receipt(row, None).archived_through == 0


def test_behind_a_fork_nothing_is_archived(hub, station):
    note_backup(hub.office, 1, [covered(station, 8)])
    other = station.fork(4)
    other.signs_in(2)
    hub.ingest(other.id, other.piece(5, 6))
    assert mark(hub, station) == 4


def test_what_stood_behind_a_gap_when_the_backup_was_made_is_not_archived(hub, station):
    station.signs_in(10)
    hub.ingest(station.id, station.piece(15, 20))
    [checked] = [one for one in check(hub.office.store) if one.name == "S03"]
    assert checked.seq == 8
    note_backup(hub.office, 1, [covered(station, checked.seq)])
    hub.ingest(station.id, station.piece(9, 14))
    receipt = hub.standing(station.id).receipt
    assert (receipt.durable_through, receipt.archived_through) == (20, 8)


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_backup_of_another_epoch_is_not_noted(hub, station, epoch):
    with pytest.raises(Refused, match=f"of epoch {epoch}, this hub is in epoch 1"):
        note_backup(hub.office, epoch, [covered(station, 5)])
    assert mark(hub, station) == 0


def test_a_backup_with_another_history_is_not_noted(hub, station):
    other = station.fork(4)
    other.signs_in(2)
    with pytest.raises(Refused, match="another event 6"):
        note_backup(hub.office, 1, [covered(station, 5), covered(other, 6)])
    assert mark(hub, station) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"epoch": 1, "journals": [["no journal", 3, "00" * 32]]},
        {"epoch": 1, "journals": [["A" * 26, 3, "xyz"]]},
        {"epoch": 1},
    ],
)
def test_arguments_of_another_shape_are_refused(hub, arguments):
    with pytest.raises(Refused) as refused:
        perform(hub, "archived", arguments)
    assert refused.value.code == "malformed"


def test_the_backup_command_notes_what_it_proved_and_a_restored_hub_begins_anew(tmp_path):
    key = recovery.new_key(entropy_of("recovery"))
    made = bootstrap.create(tmp_path / "hub", plant="NB1", site="NB1", recovery=key.public)
    station = enrolled(made)
    station.signs_in(3)
    made.ingest(station.id, station.piece(2, 4))
    made.office.store.close()
    file = tmp_path / "b.tally"
    done = CliRunner().invoke(commands, ["backup", str(tmp_path / "hub"), str(file)])
    assert done.exit_code == 0, done.output
    again = bootstrap.open_hub(tmp_path / "hub")
    assert mark(again, station) == 4
    again.office.store.close()
    restored = bootstrap.restore(file, tmp_path / "restored", key)
    assert restored.epoch > 1
    assert mark(restored, station) == 0
    restored.office.store.close()


def test_a_backup_that_could_not_be_written_archives_nothing(tmp_path):
    key = recovery.new_key(entropy_of("recovery"))
    made = bootstrap.create(tmp_path / "hub", plant="NB1", site="NB1", recovery=key.public)
    station = enrolled(made)
    made.office.store.close()
    file = tmp_path / "b.tally"
    file.write_text("in the way")
    done = CliRunner().invoke(commands, ["backup", str(tmp_path / "hub"), str(file)])
    assert done.exit_code == 1
    again = bootstrap.open_hub(tmp_path / "hub")
    assert mark(again, station) == 0
    again.office.store.close()
