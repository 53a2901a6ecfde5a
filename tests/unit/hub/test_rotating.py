"""Other signing keys of the hub: new feeds, the old ones ended, whenever the power goes."""

import pytest

from hub import trust
from hub.bootstrap import in_memory
from hub.services import Refused, exporting, journals, rebuilding, restoring, rotating
from tally.events import types as t
from tally.events.decoding import read_lines
from tally.proof.exported import plant_fingerprint, prove_export
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS, ref_to
from tally.records.segment import decode, encode, piece_of
from tally.records.signing import sign_head
from tests.support.hub_floor import Clock, a_hub, demo_files, enrolled, entropy_of


class Kept:
    """Where the keys are saved; `fails` counts down to the save that does not work."""

    def __init__(self, fails=0):
        self.found, self.fails = [], fails

    def __call__(self, secrets):
        self.fails -= 1
        if self.fails == 0:
            raise OSError("no space")
        self.found.append(trust.read(trust.write(secrets).encode()))


class PowerCut(BaseException):
    pass


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


def rotated(hub, **given):
    return rotating.rotate(hub.office, Kept(), **{"is_lost": False, **given})


def bodies(hub, journal):
    after, found = GENESIS, []
    while (data := hub.read_after(journal, after)) is not None:
        segment = decode(data)
        after = segment.head
        found += [line.b for line in read_lines(segment.lines)]
    return found


def more_of(hub, feed, line):
    """One event behind the end of a feed, as whoever has its key could make it."""
    tip = hub.frontier()[feed.journal]
    [event_id] = chain_ids(feed.journal, tip[0] + 1, tip[1], [line])
    head = sign_head(feed.key, feed.journal, tip[0] + 1, event_id)
    return encode(piece_of(head, tip[1], (line,)))


def test_new_feeds_go_on_and_the_old_ones_say_where_they_ended(hub):
    s03 = enrolled(hub)
    old, ends = hub.office.secrets, dict(hub.frontier())
    done = rotated(hub)
    new = hub.office.secrets
    assert done.keys_feed == new.feeds["keys"].journal
    assert {f.journal for f in old.feeds.values()}.isdisjoint(f.journal for f in new.feeds.values())
    assert (new.epoch, new.root.raw, new.coming) == (old.epoch, old.root.raw, None)
    assert new.receipt.public != old.receipt.public
    said = bodies(hub, done.keys_feed)
    retired = {body.name: body for body in said if isinstance(body, t.KeyRetired)}
    assert set(retired) == set(old.feeds), "nobody has the old receipt key"
    for name, feed in old.feeds.items():
        assert retired[name].last == str(ref_to(feed.journal, *ends[feed.journal]))
        assert rotating.is_rooted(hub.office, retired[name])
        assert hub.frontier()[feed.journal] == ends[feed.journal]
    opened = bodies(hub, new.feeds["orders"].journal)[0]
    assert (opened.reason, hub.epoch) == ("other signing keys", 1)
    s03.signs_in(3)
    assert hub.ingest(s03.id, s03.piece(2)).receipt.is_signed_by(new.receipt.public)
    assert rebuilding.check(hub.office).differences == ()


def test_all_work_goes_on_under_other_keys(hub):
    s03 = enrolled(hub)
    first = hub.lease(s03.id, "r1", "bl2@1", 50)
    rotated(hub)
    assert hub.lease(s03.id, "r1", "bl2@1", 50).at == first.at, (
        "the same request has the same grant"
    )
    second = hub.lease(s03.id, "r2", "bl2@1", 50)
    assert second.at.journal == hub.office.secrets.feeds["leases"].journal
    assert second.block.start == first.block.start + 50, "no code is left out, none twice"
    rotated(hub)
    third = hub.lease(s03.id, "r3", "bl2@1", 50)
    assert third.block.start == second.block.start + 50
    enrolled(hub, "S02")
    assert hub.publish(demo_files()).events == 0, "nothing is published again"


def test_a_restored_hub_jumps_once_also_when_its_keys_are_changed_later(hub):
    s03 = enrolled(hub)
    hub.lease(s03.id, "r1", "bl2@1", 50)
    fresh = trust.renewed(hub.office.secrets, entropy_of("again"), hub.office.now())
    image = hub.office.store._connection.serialize()
    back = in_memory(fresh, Clock(), entropy_of("b"), image=image, is_restored=True)
    back.go_on_without(["S03"])
    first = back.lease(s03.id, "r2", "bl2@1", 50).block
    assert first.start == 50 + restoring.JUMP
    rotated(back)
    assert back.lease(s03.id, "r3", "bl2@1", 50).block.start == first.start + 50


def test_whoever_has_an_old_key_adds_nothing_to_its_feed(hub):
    old = hub.office.secrets.feeds
    rotated(hub)
    line = hub_line(hub)
    for name in ("keys", "leases"):
        piece = more_of(hub, old[name], line)
        with pytest.raises(Refused) as caught:
            hub.ingest(old[name].journal, piece)
        assert (caught.value.code, "ended with event" in caught.value.words) == ("forged", True)
    with pytest.raises(Refused):
        hub.take_returned(more_of(hub, old["keys"], line))
    whole = hub.read_after(old["leases"].journal, GENESIS)
    assert hub.ingest(old["leases"].journal, whole).stored == 0, "what is there is there"


def hub_line(hub):
    return decode(hub.read_after(hub.office.secrets.feeds["keys"].journal, GENESIS)).lines[1]


def test_an_export_is_sound_before_and_after_and_names_what_stands_behind_an_end(hub):
    s03 = enrolled(hub)
    s03.signs_in(2)
    hub.ingest(s03.id, s03.piece(2))
    feed = hub.office.secrets.feeds["orders"]
    forged = more_of(hub, feed, hub_line(hub))
    rotated(hub, is_lost=True)
    rows = list(exporting.export(hub.office))
    plant = plant_fingerprint(hub.root)
    assert prove_export(rows, plant=plant).problems == ()
    segment = decode(forged)
    with hub.office.store.transaction():
        row = hub.office.registered(feed.journal)
        ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
        journals.place(hub.office.store, row, segment, ids, forged)
    problems = prove_export(exporting.export(hub.office), plant=plant).problems
    assert [str(one).count("ended with event") for one in problems] == [1]


@pytest.mark.parametrize("point", [1, 2])
def test_a_disk_that_does_not_take_the_keys_leaves_one_truth(hub, point):
    kept, before = Kept(point), hub.office.secrets
    with pytest.raises(OSError, match="no space"):
        rotating.rotate(hub.office, kept, is_lost=False)
    if point == 1:
        assert hub.office.secrets == before, "nothing was begun"
        return
    [saved] = kept.found
    assert (saved.feeds["keys"].journal, saved.coming is None) == (
        before.feeds["keys"].journal,
        False,
    )
    image = hub.office.store._connection.serialize()
    again = in_memory(saved, Clock(), entropy_of("c"), image=image)
    done = rotating.finish(again.office, Kept())
    assert done.keys_feed == hub.office.secrets.feeds["keys"].journal
    assert again.frontier() == hub.frontier(), "the events were there"
    assert rotating.finish(again.office, Kept()) is None


def test_a_power_cut_in_the_commit_is_made_good_at_the_next_start(hub):
    kept = Kept()
    armed = []

    def cut(label):
        if armed and label == "before_commit":
            raise PowerCut

    image = hub.office.store._connection.serialize()
    hub = in_memory(hub.office.secrets, Clock(), entropy_of("d"), image=image, reached=cut)
    before = hub.frontier()
    armed.append(True)
    with pytest.raises(PowerCut):
        rotating.rotate(hub.office, kept, is_lost=True)
    assert hub.frontier() == before
    [saved] = kept.found
    image = hub.office.store._connection.serialize()
    again = in_memory(saved, Clock(), entropy_of("e"), image=image)
    done = rotating.finish(again.office, kept)
    assert (done.keys_feed, done.is_lost) == (saved.coming.feeds["keys"].journal, True)
    assert kept.found[-1].coming is None
    said = bodies(again, done.keys_feed)
    assert [b.purpose for b in said if isinstance(b, t.KeyRetired)] == ["feed"] * 5 + ["receipt"]


def test_an_old_copy_of_the_hub_learns_that_its_keys_were_changed_and_grants_nothing(hub):
    s03 = enrolled(hub)
    image, secrets = hub.office.store._connection.serialize(), hub.office.secrets
    done = rotated(hub)
    copy = in_memory(secrets, Clock(), entropy_of("f"), image=image)
    copy.lease(s03.id, "r1", "bl2@1", 10)
    copy.take_returned(hub.read_after(done.keys_feed, GENESIS))
    with pytest.raises(Refused) as caught:
        copy.lease(s03.id, "r2", "bl2@1", 10)
    assert (caught.value.code, "change of its signing keys" in caught.value.words) == (
        "old_copy",
        True,
    )


def test_a_hub_restored_from_before_the_change_takes_all_of_it_back(hub):
    s03 = enrolled(hub)
    image, secrets = hub.office.store._connection.serialize(), hub.office.secrets
    hub.lease(s03.id, "r1", "bl2@1", 10)
    done = rotated(hub)
    hub.lease(s03.id, "r2", "bl2@1", 10)
    tips = dict(hub.frontier())
    fresh = trust.renewed(secrets, entropy_of("g"), hub.office.now())
    back = in_memory(fresh, Clock(), entropy_of("h"), image=image, is_restored=True)
    for name in ("keys", "leases"):
        for feed in (secrets.feeds[name], hub.office.secrets.feeds[name]):
            data = hub.read_after(feed.journal, GENESIS)
            while data is not None:
                stored = (
                    back.take_returned(data) if name == "keys" else back.ingest(feed.journal, data)
                )
                assert stored.need is None
                data = hub.read_after(feed.journal, decode(data).head)
    assert back.frontier()[done.keys_feed] == tips[done.keys_feed]
    back.go_on_without(["S03"])
    granted = back.lease(s03.id, "r3", "bl2@1", 10).block
    assert granted.start >= 20 + restoring.JUMP
    assert back.lease(s03.id, "r2", "bl2@1", 10).block.start == 10
