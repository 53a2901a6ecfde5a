"""How stations join: one token, one journal, once."""

import base64
import json

import pytest

from hub.services import Refused
from tally.events.decoding import read_lines
from tally.events.types import JournalOpened, KeyPublished, StationEnrolled
from tally.records.ids import GENESIS, parse_journal, ref_to
from tally.records.segment import decode, prove
from tally.records.signing import KEY, PublicKey, key_message
from tests.support.hub_floor import (
    Clock,
    Station,
    a_hub,
    demo_files,
    enrolled,
    entropy_of,
    secret_of,
)

WHERE = ["hub.plant:8441"]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hub(clock):
    return a_hub(clock)


def _keys_events(hub):
    feed = hub.office.secrets.feeds["keys"].journal
    after, events = GENESIS, []
    while (data := hub.read_after(feed, after)) is not None:
        segment = decode(data)
        after = segment.head
        events += read_lines(segment.lines)
    return [event.b for event in events]


def test_a_token_for_a_station_that_has_a_journal_carries_its_newest_known_event(hub):
    assert "after" not in _carried(hub.open_token("S03", WHERE))
    station = enrolled(hub)
    station.signs_in(2)
    hub.ingest(station.id, station.piece(2))
    after = _carried(hub.open_token("S03", WHERE))["after"]
    assert after == str(ref_to(station.id, 3, station.ids[2]))
    replaced = enrolled(hub, salt="again")
    after = _carried(hub.open_token("S03", WHERE))["after"]
    assert after == str(ref_to(replaced.id, 1, replaced.ids[0]))
    assert "after" not in _carried(hub.open_token("S04", WHERE))


def _carried(token):
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def test_a_token_carries_addresses_hub_authority_plant_and_station(hub):
    token = hub.open_token("S03", WHERE)
    carried = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert carried["addresses"] == WHERE
    assert carried["station"] == "S03"
    assert carried["plant"] == hub.office.secrets.fingerprint
    assert carried["ca"].startswith("-----BEGIN CERTIFICATE-----")
    assert "\n" not in token
    assert len(token) < 2000


def test_a_station_joins_and_the_keys_feed_says_so(hub):
    hub.publish(demo_files())
    station = Station("S03")
    facts = hub.enroll(secret_of(hub.open_token("S03", WHERE)), station.piece())
    assert (facts.station, facts.line, facts.site) == ("S03", "L2", "NB1")
    assert (facts.hub_id, facts.root, facts.receipt_key) == (hub.hub_id, hub.root, hub.receipt_key)
    said = _keys_events(hub)[-1]
    assert isinstance(said, StationEnrolled)
    assert base64.b64decode(said.key) == station.key.public.raw
    assert hub.key_of(station.id) == station.key.public
    assert hub.standing(station.id).seq == 1


def test_the_keys_feed_vouches_for_itself_and_every_other_key_from_the_root(hub):
    feed = hub.office.secrets.feeds["keys"]
    first = decode(hub.read_after(feed.journal, GENESIS))
    prove(first, feed.key.public)
    opened, *vouched = [event.b for event in read_lines(first.lines)]
    assert isinstance(opened, JournalOpened)
    assert {one.name for one in vouched if one.purpose == "feed"} == {
        "keys",
        "leases",
        "decisions",
        "orders",
        "master",
    }
    assert {one.purpose for one in vouched} == {"feed", "receipt", "ca"}
    for one in vouched:
        assert isinstance(one, KeyPublished)
        key = PublicKey(base64.b64decode(one.key))
        of = parse_journal(one.journal)
        message = key_message(of, key, purpose=one.purpose, name=one.name)
        assert hub.root.verifies(KEY, message, base64.b64decode(one.sig))


def test_a_token_works_once(hub):
    secret = secret_of(hub.open_token("S03", WHERE))
    hub.enroll(secret, Station("S03").piece())
    with pytest.raises(Refused, match="used by another PC") as refusal:
        hub.enroll(secret, Station("S03", salt="-copy").piece())
    assert refusal.value.code == "token_used"


def test_a_lost_reply_can_be_asked_for_again(hub):
    secret = secret_of(hub.open_token("S03", WHERE))
    genesis = Station("S03").piece()
    assert hub.enroll(secret, genesis) == hub.enroll(secret, genesis)
    assert sum(isinstance(body, StationEnrolled) for body in _keys_events(hub)) == 1


def test_a_token_ends_after_a_day_by_the_hubs_clock(hub, clock):
    secret = secret_of(hub.open_token("S03", WHERE))
    clock.forward(hours=24, seconds=1)
    with pytest.raises(Refused, match="older than 24 hours") as refusal:
        hub.enroll(secret, Station("S03").piece())
    assert refusal.value.code == "token_expired"


def test_a_token_of_nobody_is_refused(hub):
    with pytest.raises(Refused) as refusal:
        hub.enroll("guessed", Station("S03").piece())
    assert refusal.value.code == "token_unknown"


@pytest.mark.parametrize("change", ["name", "plant", "signature", "garbage", "second"])
def test_a_journal_that_does_not_fit_the_token_leaves_it_usable(hub, change):
    secret = secret_of(hub.open_token("S03", WHERE))
    good = Station("S03")
    good.signs_in(1)
    bad = {
        "name": lambda: Station("S04").piece(),
        "plant": lambda: Station("S03", salt="x", plant="elsewhere").piece(),
        "signature": lambda: good.piece(1, 1, key=Station("S04").key),
        "garbage": lambda: b"\x00" * 100,
        "second": lambda: good.piece(2, 2),
    }[change]()
    with pytest.raises(Refused):
        hub.enroll(secret, bad)
    assert hub.enroll(secret, good.piece(1, 1)).station == "S03"


def test_one_journal_is_registered_once_however_many_tokens_it_brings(hub):
    station = enrolled(hub)
    before = hub.show("stations")
    assert hub.enroll(secret_of(hub.open_token("S03", WHERE)), station.piece()).station == "S03"
    assert hub.show("stations") == before


def test_the_name_of_a_station_is_looked_up_where_master_data_know_stations(hub):
    assert hub.open_token("S77", WHERE)
    hub.publish(demo_files())
    with pytest.raises(Refused, match="Did you mean S0") as refusal:
        hub.open_token("S0", WHERE)
    assert refusal.value.code == "unknown_station"


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "../up", "\n"])
def test_what_cannot_name_a_station_is_refused(hub, name):
    with pytest.raises(Refused):
        hub.open_token(name, WHERE)


@pytest.mark.parametrize(
    "where", [[], ["no-port"], ["a:0"], ["a:65536"], ["a:1"] * 17, ["http://a:1"]]
)
def test_addresses_are_host_and_port(hub, where):
    with pytest.raises(Refused, match="host:port"):
        hub.open_token("S03", where)


def test_a_station_pulls_the_feeds_first_and_then_its_line(hub):
    hub.publish(demo_files())
    own = enrolled(hub, "S03")
    others = [enrolled(hub, name) for name in ("S01", "S02")]
    found = hub.subscriptions(own.id)
    names = [one.name for one in found]
    assert names == ["keys", "leases", "decisions", "orders", "master", "S01", "S02"]
    assert [one.journal for one in found[5:]] == [one.id for one in others]
    assert all(one.seq >= 1 for one in found)


def test_two_hubs_of_one_seed_are_the_same_hub():
    assert a_hub(seed="a").frontier() == a_hub(seed="a").frontier() != a_hub(seed="b").frontier()
    assert entropy_of("a")(8) == entropy_of("a")(8)
