"""After a restore: what stations give back, and when codes are granted again."""

import pytest

from hub import bootstrap, trust
from hub.services import Refused, journals, rebuilding, revoking
from hub.services.restoring import JUMP
from tally.events.decoding import read_line
from tally.records.ids import show_journal
from tests.support.hub_floor import (
    Clock,
    Station,
    a_hub,
    demo_files,
    enrolled,
    entropy_of,
    secret_of,
)

EPOCH = 202611200630
"""The minute of the restore, UTC, by the clock of the tests."""


class Plant:
    """A hub, its backup, and what it did after the backup."""

    def __init__(self):
        self.clock = Clock()
        self.hub = a_hub(self.clock)
        self.hub.publish(demo_files())
        self.s02, self.s03 = enrolled(self.hub, "S02"), enrolled(self.hub, "S03")
        self.hub.lease(self.s03.id, "r1", "bl2@1", 100)
        self.image = self.hub.office.store._connection.serialize()
        self.old = self.hub.office.secrets

    def feed(self, hub, name, secrets=None):
        """Everything of a feed, as stations pull it."""
        journal = (secrets or hub.office.secrets).feeds[name].journal
        found, after = [], bytes(32)
        while (data := hub.read_after(journal, after)) is not None:
            found.append(data)
            after = bytes.fromhex(data.split(b'"head":"', 1)[1][:64].decode())
        return journal, found

    def tips(self, hub):
        """What a station that holds all of it would say of its feeds."""
        return {f.journal: hub.frontier()[f.journal] for f in self.old.feeds.values()}

    def restored(self):
        """The hub as the backup has it, in its next epoch."""
        entropy = entropy_of("restored")
        secrets = trust.renewed(self.old, entropy, self.clock())
        return bootstrap.in_memory(secrets, self.clock, entropy, image=self.image, is_restored=True)


@pytest.fixture
def plant():
    return Plant()


def give_back(plant, hub, *names):
    for name in names:
        journal, pieces = plant.feed(plant.hub, name, plant.old)
        for data in pieces:
            hub.take_returned(data) if name == "keys" else hub.ingest(journal, data)


def report(plant, hub, *stations):
    for station in stations:
        hub.note_cursors(station.id, plant.tips(plant.hub))


def test_new_feeds_name_the_old_heads_that_the_hub_knows(plant):
    hub = plant.restored()
    old = plant.old.feeds["leases"].journal
    lines = plant.feed(hub, "leases")[1]
    assert len(lines) == 1
    row = hub.office.store.find_journal(hub.office.secrets.feeds["leases"].journal)
    opened = next(iter(hub.office.store.pieces(hub.office.store.branches(row.no)[0].no, 1, 1)))
    event = read_line(journals.lines_of(opened)[0])
    assert (event.b.predecessor, event.b.reason) == (
        show_journal(old),
        f"restored from a backup, epoch {EPOCH}",
    )
    assert event.seen[0].startswith(f"{show_journal(old)}:2:")


def test_no_code_is_granted_before_every_station_has_reported(plant):
    hub = plant.restored()
    with pytest.raises(Refused, match="S02, S03") as refusal:
        hub.lease(plant.s02.id, "r9", "bl2@1", 10)
    assert refusal.value.code == "restoring"
    report(plant, hub, plant.s02)
    with pytest.raises(Refused, match="heard: S03"):
        hub.lease(plant.s02.id, "r9", "bl2@1", 10)
    report(plant, hub, plant.s03)
    assert hub.awaited() == []
    granted = hub.lease(plant.s02.id, "r9", "bl2@1", 10)
    assert granted.block.start == 100 + JUMP
    assert granted.block.block != plant.hub.lease(plant.s03.id, "x", "bl2@1", 1).block.block
    assert hub.lease(plant.s02.id, "r10", "bl2@1", 10).block.start == 110 + JUMP


def test_a_request_granted_before_the_backup_is_still_answered(plant):
    assert plant.restored().lease(plant.s03.id, "r1", "bl2@1", 100).repeated


def test_a_station_that_holds_more_than_the_hub_has_not_reported(plant):
    plant.hub.lease(plant.s03.id, "r2", "bl2@1", 50)
    hub = plant.restored()
    report(plant, hub, plant.s03)
    assert hub.awaited() == ["S02", "S03"]
    give_back(plant, hub, "leases")
    report(plant, hub, plant.s03)
    assert hub.awaited() == ["S02"]


def test_grants_that_came_back_are_never_granted_again(plant):
    lost = plant.hub.lease(plant.s03.id, "r2", "bl2@1", 5000)
    hub = plant.restored()
    give_back(plant, hub, "leases")
    report(plant, hub, plant.s02, plant.s03)
    again = hub.lease(plant.s03.id, "r2", "bl2@1", 5000)
    assert (again.repeated, again.at) == (True, lost.at)
    new = hub.lease(plant.s02.id, "r3", "bl2@1", 10)
    assert new.block.start == 5100 + JUMP
    assert [row["start"] for row in hub.show("blocks")] == [0, 100, 5100 + JUMP]
    assert {row["unexplained"] for row in hub.show("balance")} == {0}


def test_a_grant_of_a_scheme_published_after_the_backup_counts_once_the_scheme_is_back():
    plant = Plant()
    plant.hub = a_hub(plant.clock, "other")
    plant.old = plant.hub.office.secrets
    plant.s02, plant.s03 = enrolled(plant.hub, "S02"), enrolled(plant.hub, "S03")
    plant.image = plant.hub.office.store._connection.serialize()
    plant.hub.publish(demo_files())
    plant.hub.lease(plant.s03.id, "r1", "bl2@1", 300)
    hub = plant.restored()
    give_back(plant, hub, "leases", "orders", "master")
    report(plant, hub, plant.s02, plant.s03)
    assert hub.lease(plant.s02.id, "r2", "bl2@1", 10).block.start == 300 + JUMP
    new = [c for c in hub.publish(demo_files(), dry_run=True).changes if c.kind == "new"]
    assert {change.entity for change in new} <= {"lot"}


def test_a_start_that_a_person_chooses_lies_behind_what_nobody_knows(plant):
    hub = plant.restored()
    report(plant, hub, plant.s02, plant.s03)
    with pytest.raises(Refused, match=f"from {100 + JUMP} on"):
        hub.lease(plant.s02.id, "r2", "bl2@1", 10, start=150)
    assert hub.lease(plant.s02.id, "r2", "bl2@1", 10, start=4000).block.start == 4000
    with pytest.raises(Refused, match="from 4000 on"):
        hub.lease(plant.s02.id, "r3", "bl2@1", 10, start=2000)
    assert hub.lease(plant.s02.id, "r4", "bl2@1", 10).block.start == 4010


def test_a_person_may_go_on_without_a_station_that_will_not_come_back(plant):
    hub = plant.restored()
    with pytest.raises(Refused, match="Nobody waits for S09"):
        hub.go_on_without(["S09"])
    assert hub.go_on_without(["S02"]) == ["S03"]
    report(plant, hub, plant.s03)
    assert hub.lease(plant.s03.id, "r2", "bl2@1", 10).block.start == 100 + JUMP


def test_a_station_enrolled_after_the_backup_is_known_again_by_what_anybody_gives_back(plant):
    late = enrolled(plant.hub, "S04")
    late.signs_in(2)
    plant.hub.ingest(late.id, late.piece(2, 3))
    hub = plant.restored()
    assert hub.key_of(late.id) is None
    give_back(plant, hub, "keys")
    assert hub.key_of(late.id) == late.key.public
    assert hub.awaited() == ["S02", "S03", "S04"]
    taken = hub.ingest(late.id, late.piece())
    assert (taken.stored, taken.receipt.epoch) == (3, EPOCH)


def test_a_pc_that_was_replaced_after_the_backup_is_awaited_in_the_place_of_the_old_one(plant):
    new = enrolled(plant.hub, "S02", salt="new PC")
    hub = plant.restored()
    give_back(plant, hub, "keys")
    assert hub.awaited() == ["S02", "S03"]
    report(plant, hub, plant.s02)
    assert hub.awaited() == ["S02", "S03"]
    report(plant, hub, new)
    assert hub.awaited() == ["S03"]


def test_tokens_of_before_the_backup_enrol_nobody_after_it():
    plant = Plant()
    token = plant.hub.open_token("S04", ["127.0.0.1:1"])
    plant.image = plant.hub.office.store._connection.serialize()
    hub = plant.restored()
    with pytest.raises(Refused) as refusal:
        hub.enroll(secret_of(token), Station("S04").piece())
    assert refusal.value.code == "token_unknown"


def test_into_its_own_feed_nobody_writes_but_the_hub(plant):
    hub = plant.restored()
    journal, pieces = plant.feed(hub, "leases")
    with pytest.raises(Refused, match="only writer"):
        hub.ingest(journal, pieces[0])
    with pytest.raises(Refused, match="only writer"):
        hub.take_returned(plant.feed(hub, "keys")[1][0])
    with pytest.raises(Refused, match="no earlier feed"):
        hub.take_returned(plant.s03.piece())


def test_a_forged_return_is_refused_and_leaves_no_trace(plant):
    enrolled(plant.hub, "S04")
    hub = plant.restored()
    data = plant.feed(plant.hub, "keys", plant.old)[1][-1]
    header, lines = data.split(b"\n", 1)
    forged = header.replace(b'"sig":"', b'"sig":"AAAA', 1)[: len(header)] + b"\n" + lines
    before = hub.office.store.quarantine_count()
    for bad in (forged, b"", b"x" * 100, data[:-5]):
        with pytest.raises(Refused):
            hub.take_returned(bad)
    assert hub.office.store.quarantine_count() == before
    assert hub.awaited() == ["S02", "S03"]


def test_feeds_of_an_earlier_restore_come_back_as_well(plant):
    first = plant.restored()
    report(plant, first, plant.s02, plant.s03)
    first.lease(plant.s02.id, "r2", "bl2@1", 10)
    second_secrets = trust.renewed(plant.old, entropy_of("second"), plant.clock())
    second = bootstrap.in_memory(
        second_secrets, plant.clock, entropy_of("s"), image=plant.image, is_restored=True
    )
    for data in plant.feed(first, "keys")[1]:
        second.take_returned(data)
    journal, pieces = plant.feed(first, "leases")
    for data in pieces:
        second.ingest(journal, data)
    report(plant, second, plant.s02, plant.s03)
    assert second.lease(plant.s02.id, "r2", "bl2@1", 10).repeated
    assert second.lease(plant.s03.id, "r3", "bl2@1", 10).block.start == 110 + 2 * JUMP


def test_the_rebuilt_ledger_of_a_restored_hub_is_equal_to_the_kept_one(plant):
    plant.hub.lease(plant.s03.id, "r2", "bl2@1", 50)
    hub = plant.restored()
    give_back(plant, hub, "keys", "leases")
    assert rebuilding.check(hub.office).differences == ()


def test_a_hub_restored_from_an_ever_older_backup_is_in_an_ever_later_epoch(plant):
    first = trust.renewed(plant.old, entropy_of("a"), plant.clock())
    plant.clock.forward(minutes=1)
    again = trust.renewed(plant.old, entropy_of("b"), plant.clock())
    assert plant.old.epoch < first.epoch < again.epoch
    plant.clock.now = plant.clock.now.replace(year=1970)
    assert trust.renewed(again, entropy_of("c"), plant.clock()).epoch == again.epoch + 1


def test_a_hub_on_an_old_copy_of_its_files_that_nobody_restored_grants_nothing(plant):
    plant.hub.lease(plant.s03.id, "r2", "bl2@1", 50)
    old = bootstrap.in_memory(plant.old, plant.clock, entropy_of("copy"), image=plant.image)
    journal, pieces = plant.feed(plant.hub, "leases")
    with pytest.raises(Refused, match="only writer"):
        old.ingest(journal, plant.feed(old, "leases")[1][0])
    assert old.lease(plant.s02.id, "x1", "pcb-l@1", 1)
    for data in pieces:
        with pytest.raises(Refused, match="only writer"):
            old.ingest(journal, data)
    with pytest.raises(Refused, match="an old copy"):
        old.lease(plant.s02.id, "x2", "bl2@1", 10)
    image = old.office.store._connection.serialize()
    secrets = trust.renewed(plant.old, entropy_of("r"), plant.clock())
    hub = bootstrap.in_memory(secrets, plant.clock, entropy_of("s"), image=image, is_restored=True)
    for data in pieces:
        hub.ingest(journal, data)
    report(plant, hub, plant.s02, plant.s03)
    assert hub.lease(plant.s02.id, "x2", "bl2@1", 10).block.start == 150 + JUMP


def test_a_lot_whose_hold_came_back_is_released_by_the_next_version_of_its_file(plant):
    def lot(version, state):
        text = (
            f'[[lot]]\nlot = "LED-77"\npart = "LED-3"\nversion = {version}\nqty = "9"\n'
            f'state = "{state}"\nsince = "05:00"\nby = "BDG-3001"\nreason = "look"\n'
        )
        return [("lot.toml", text.encode())]

    plant.hub.publish(lot(1, "on_hold"))
    hub = plant.restored()
    give_back(plant, hub, "master")
    assert len(hub.office.store.ledger.holds("LED-77")) == 1
    hub.publish(lot(2, "released"))
    assert hub.office.store.ledger.holds("LED-77") == ()


def test_a_station_whose_key_was_taken_back_still_gives_back_what_a_restored_hub_lacks(plant):
    plant.hub.lease(plant.s03.id, "r2", "bl2@1", 50)
    tips, hub = plant.tips(plant.hub), plant.restored()
    given = {"by": "BDG-3001", "reason": "laptop stolen"}
    revoking.revoke(hub.office, "S02", since="next", **given)
    assert {one.name for one in hub.subscriptions(plant.s02.id)} == {"keys"}
    journal, pieces = plant.feed(plant.hub, "leases")
    assert [one.journal for one in hub.asked_back(plant.s02.id, tips)] == [journal]
    assert hub.asked_back(plant.s03.id, tips) == (), "all others are told of every feed"
    for piece in pieces:
        hub.ingest(journal, piece)
    assert hub.asked_back(plant.s02.id, tips) == ()
    hub.note_cursors(plant.s02.id, tips)
    assert hub.awaited() == ["S03"]
