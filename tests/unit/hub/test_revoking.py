"""Taking a station's key back at the hub: what counts, who may, and what comes of it."""

import pytest

from hub.services import Refused, revoking
from hub.services.operations import perform
from hub.services.rebuilding import check
from tally.events import types as t
from tally.records.ids import show_journal
from tests.support.building import lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled

ADMIN = {"by": "BDG-3001", "reason": "laptop stolen"}


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def station(hub):
    """S02 with three packed lamps at the hub: its events 2, 3 and 4."""
    station = enrolled(hub, "S02")
    for number in (1, 2, 3):
        station.add(t.ItemPacked(lamp(number), f"BX-{number}", 1))
    hub.ingest(station.id, station.piece(2))
    return station


def packed(hub):
    claims = hub.office.store.ledger.every_claim()
    return {claim.key[0] for claim in claims if claim.kind == "box" and claim.is_live}


def refused(act, *given, **named):
    with pytest.raises(Refused) as caught:
        act(*given, **named)
    return caught.value


@pytest.mark.parametrize("named", ["number", "id", "reference"])
def test_a_key_is_taken_back_from_an_event_on(hub, station, named):
    since = {"number": "3", "id": station.ids[2].hex()[:12], "reference": station.ref(3)}[named]
    done = revoking.revoke(hub.office, "S02", since=since, **ADMIN)
    assert (done.body.trusted, done.events) == (station.ref(2), 2)
    assert packed(hub) == {lamp(1)}
    assert [row["code"] for row in hub.show("findings")] == ["untrusted"]
    assert check(hub.office).differences == ()


def test_later_events_are_stored_acknowledged_and_do_not_count(hub, station):
    revoking.revoke(hub.office, "S02", since="next", **ADMIN)
    assert hub.show("findings") == []
    station.add(t.ItemPacked(lamp(4), "BX-4", 1))
    done = hub.ingest(station.id, station.piece(5))
    assert (done.stored, done.durable_through) == (1, 5)
    assert packed(hub) == {lamp(1), lamp(2), lamp(3)}
    [row] = revoking.untrusted(hub.office)
    assert (row["station"], row["since"], row["status"]) == ("S02", 4, "open")


def test_a_station_whose_key_was_taken_back_gets_no_codes_and_is_told_why(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 10)
    revoking.revoke(hub.office, "S02", since="all", **ADMIN)
    words = refused(hub.lease, station.id, "r2", "bl2@1", 10).words
    assert "laptop stolen" in words
    assert "enroll-token" in words
    again = enrolled(hub, "S02", salt="new PC")
    assert hub.lease(again.id, "r3", "bl2@1", 10).block.count == 10


def test_what_its_blocks_still_had_is_written_off(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 10)
    station.add(t.CodeReserved(lamp(0), "bl2@1", "B-01", 0, "BL-2@4"))
    hub.ingest(station.id, station.piece(5))
    assert revoking.revoke(hub.office, "S02", since="next", **ADMIN).blocks == 1
    [row] = hub.show("balance")
    assert (row["unused"], row["in_flight"], row["written_off"], row["unexplained"]) == (0, 1, 9, 0)


def test_fault_53_a_station_that_was_written_off_comes_back_and_nothing_is_lost_or_granted_twice(
    hub, station
):
    first = hub.lease(station.id, "r1", "bl2@1", 10).block
    revoking.revoke(hub.office, "S02", since="next", **ADMIN)
    new = enrolled(hub, "S02", salt="new PC")
    second = hub.lease(new.id, "r1", "bl2@1", 10).block
    assert second.start >= first.start + first.count, "what was written off is granted to nobody"

    for counter in (first.start, first.start + 1):  # weeks later, from a cupboard
        station.add(t.CodeReserved(lamp(counter), "bl2@1", first.block, counter, "BL-2@4"))
        station.add(t.UnitCommissioned(lamp(counter), "BL-2@4", block=first.block))
    done = hub.ingest(station.id, station.piece(5))
    assert (done.stored, done.durable_through) == (4, 8)
    rows = {row["block"]: row for row in hub.show("balance")}
    written = rows[first.block]
    assert (written["commissioned"], written["written_off"], written["unexplained"]) == (2, 8, 0)
    assert rows[second.block]["unused"] == 10
    assert hub.show("cases") == []
    assert _judged(hub, "all")["status"] == "decided"
    made = [hub.office.store.ledger.unit(lamp(first.start + one)).status for one in (0, 1)]
    assert made == ["commissioned", "commissioned"]


def _judged(hub, through):
    [row] = revoking.untrusted(hub.office)
    asked = {"journal": row["journal"], "through": through, **ADMIN}
    return perform(hub, "trust", asked | {"seen": row["seen"], "supersedes": row["supersedes"]})


def test_a_decision_lets_what_was_seen_count_again_and_can_be_replaced(hub, station):
    revoking.revoke(hub.office, "S02", since="all", **ADMIN)
    assert _judged(hub, "none")["status"] == "decided"
    assert (packed(hub), hub.show("findings")) == (set(), [])
    assert _judged(hub, "3")["keep"] == station.ref(3)
    assert packed(hub) == {lamp(1), lamp(2)}
    assert _judged(hub, "all")["keep"] == station.ref(4)
    assert packed(hub) == {lamp(1), lamp(2), lamp(3)}
    [row] = revoking.untrusted(hub.office)
    assert (row["status"], len(row["decided"])) == ("none", 1)
    assert check(hub.office).differences == ()


def test_a_decision_that_did_not_see_the_newest_revocation_is_refused(hub, station):
    revoking.revoke(hub.office, "S02", since="4", **ADMIN)
    [row] = revoking.untrusted(hub.office)
    revoking.revoke(hub.office, "S02", since="2", **ADMIN)
    given = {"through": "all", "seen": row["seen"], "supersedes": (), **ADMIN}
    assert refused(revoking.judge, hub.office, station.id, **given).code == "changed"


@pytest.mark.parametrize(
    ("station_named", "since", "by", "code"),
    [
        ("S09", "next", "BDG-3001", "unknown_station"),
        ("S02", "9", "BDG-3001", "malformed"),
        ("S02", "yesterday", "BDG-3001", "malformed"),
        ("S02", "next", "BDG-1107", "not_allowed"),
        ("S02", "next", "BDG-9999", "not_allowed"),
    ],
)
def test_what_names_nothing_or_nobody_is_refused_in_words(
    hub, station, station_named, since, by, code
):
    given = {"since": since, "by": by, "reason": "x"}
    refusal = refused(revoking.revoke, hub.office, station_named, **given)
    assert refusal.code == code
    assert revoking.untrusted(hub.office) == []


def test_what_does_not_count_already_is_not_taken_back_twice(hub, station):
    revoking.revoke(hub.office, "S02", since="3", **ADMIN)
    for since in ("3", "4", "next"):
        refusal = refused(revoking.revoke, hub.office, "S02", since=since, **ADMIN)
        assert refusal.code == "nothing_to_decide"
    done = perform(hub, "revoke", {"station": "S02", "since": "all", **ADMIN})
    assert (done["trusted"], done["events"]) == ("", 4)


def test_a_former_journal_is_named_by_its_id(hub, station):
    enrolled(hub, "S02", salt="new PC")
    done = revoking.revoke(hub.office, show_journal(station.id), since="all", **ADMIN)
    assert done.body.journal == show_journal(station.id)
    assert packed(hub) == set()


def test_a_trace_says_who_is_untrusted_since_which_event(hub, station):
    revoking.revoke(hub.office, "S02", since="3", **ADMIN)
    found = hub.trace(lamp(1))["completeness"]
    assert [one["since"] for one in found["untrusted"]] == [2]
    assert "S02 is untrusted since its event 2" in found["words"]["en"]
    [moment] = hub.tell(lamp(3))["moments"]
    assert moment["counts"] is False


def names_of(found):
    return [one.name for one in found]


def test_whose_key_was_taken_back_reads_feed_keys_and_nothing_else(hub, station):
    enrolled(hub, "S03")
    assert {"orders", "leases", "S03"} <= set(names_of(hub.subscriptions(station.id)))
    tips = dict(hub.frontier())
    revoking.revoke(hub.office, "S02", since="next", **ADMIN)
    assert names_of(hub.subscriptions(station.id)) == ["keys"]
    with hub.office.store.reading():
        packed = hub.pack(station.id, None)
    keys = hub.office.secrets.feeds["keys"].journal
    assert {part.journal for part in packed.bundle.parts} == {show_journal(keys)}
    assert {one[0] for one in packed.bundle.tips} == {keys, station.id}
    assert hub.asked_back(station.id, tips) == (), "the hub holds all of it"
    assert len(names_of(hub.subscriptions(enrolled(hub, "S02", salt="new").id))) > 5
