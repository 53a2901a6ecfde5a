"""Whether a hub finds out that a copy of it serves as well."""

import dataclasses
import os

import pytest

from hub import trust
from hub.bootstrap import in_memory
from hub.services import Refused, copies, revoking
from hub.web.standing import standing_of
from tests.support.hub_floor import Clock, a_hub, demo_files, enrolled, entropy_of


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def station(hub):
    return enrolled(hub)


def copy_of(hub, seed="copy"):
    """Its files as they are now, on another machine."""
    image = hub.office.store._connection.serialize()
    return in_memory(hub.office.secrets, Clock(), entropy_of(seed), image=image)


def grants(hub, station, request):
    return hub.lease(station.id, request, "bl2@1", 10).block


def test_a_hub_that_starts_again_and_again_is_one_hub(hub, station):
    met = None
    for seed in range(5):
        hub = copy_of(hub, seed=f"start {seed}")
        assert copies.note_met(hub.office, station.id, met) == ()
        met = copies.begin(hub.office)
    assert copies.note_met(hub.office, station.id, met) == ()
    assert grants(hub, station, "r1").count == 10


def test_a_station_that_comes_back_from_a_copy_stops_the_grants_of_the_hub(hub, station):
    own = copies.begin(hub.office)
    copy = copy_of(hub)
    copied = copies.begin(copy.office)
    assert copies.note_met(copy.office, station.id, own) == (), "it may be the hub, started again"
    [told] = copies.note_met(hub.office, station.id, copied)
    assert told.code == "copied"
    with pytest.raises(Refused) as caught:
        grants(hub, station, "r1")
    assert (caught.value.code, "S03" in caught.value.words) == ("copied", True)
    standing = standing_of(hub)
    assert (standing.copied.station, standing.needs_nobody) == ("S03", False)
    assert copies.note_met(hub.office, station.id, own) == (), "told once each time"


def test_what_was_granted_before_is_still_answered_and_nothing_more_counts_as_archived(
    hub, station
):
    first = hub.lease(station.id, "r1", "bl2@1", 10)
    hub.office.store.put(hub.office.archive_key(station.id), "1")
    assert hub.standing(station.id).archived_through == 1
    copies.begin(hub.office)
    copy = copy_of(hub)
    copies.note_met(hub.office, station.id, copies.begin(copy.office))
    assert hub.lease(station.id, "r1", "bl2@1", 10).at == first.at
    assert hub.standing(station.id).archived_through == 0


@pytest.mark.parametrize("how", ["forged", "of another epoch", "of a key taken back"])
def test_what_proves_nothing_stops_nothing(hub, station, how):
    copies.begin(hub.office)
    met = copies.begin(copy_of(hub).office)
    if how == "forged":
        met = dataclasses.replace(met, signature=os.urandom(64))
    elif how == "of another epoch":
        met = dataclasses.replace(met, epoch=2)
    else:
        revoking.revoke(hub.office, "S03", since="next", by="BDG-3001", reason="stolen laptop")
    assert copies.note_met(hub.office, station.id, met) == ()
    with hub.office.store.reading():
        assert copies.copied(hub.office) is None


def test_a_restore_ends_it(hub, station):
    copies.begin(hub.office)
    copies.note_met(hub.office, station.id, copies.begin(copy_of(hub).office))
    image = hub.office.store._connection.serialize()
    fresh = trust.renewed(hub.office.secrets, entropy_of("new"), hub.office.now())
    back = in_memory(fresh, Clock(), entropy_of("r"), image=image, is_restored=True)
    back.go_on_without(["S03"])
    assert grants(back, station, "r1").count == 10
