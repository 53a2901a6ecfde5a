"""Who is served next when more come at once than can be: in turn, the newest first, none twice."""

import asyncio

import pytest

from hub.api.bell import Bell
from hub.api.problems import TurnedAway, problem
from hub.api.sessions import Sessions
from hub.api.stations import Desk, _allowance
from hub.api.turns import RETRY_SECONDS_MAX, Pace, Turns
from tally.wire.session import sign_session
from tests.support.hub_floor import a_hub, enrolled, entropy_of


def play(story):
    return asyncio.run(story())


class Shop:
    """Callers that come in order; `served` is the order in which their turns came."""

    def __init__(self, at_once=1, line_max=100, line_seconds=60.0):
        self.turns = Turns(at_once, line_max, line_seconds)
        self.served = []
        self.tasks = []
        self.open = {}

    async def comes(self, who, name=None, **how):
        name = name or who

        async def visit():
            if not await self.turns.take(who, **how):
                self.served.append(f"not {name}")
                return
            self.served.append(name)
            self.open[name] = asyncio.Event()
            await self.open[name].wait()
            self.turns.give(who)

        self.tasks.append(asyncio.create_task(visit()))
        await _settle()

    async def done(self, name):
        self.open.pop(name).set()
        await _settle()

    async def all_done(self):
        while self.open:
            await self.done(next(iter(self.open)))
        await asyncio.gather(*self.tasks)


async def _settle():
    for _ in range(10):
        await asyncio.sleep(0)


def test_stations_are_served_in_the_order_they_came():
    async def story():
        shop = Shop()
        for who in ("S1", "S2", "S3"):
            await shop.comes(who)
        assert shop.served == ["S1"]
        await shop.all_done()
        return shop.served

    assert play(story) == ["S1", "S2", "S3"]


def test_who_brings_much_waits_for_the_others_after_each_thing():
    async def story():
        shop = Shop()
        for number in range(4):
            await shop.comes("S1", f"S1 {number}")
        for who in ("S2", "S3"):
            await shop.comes(who)
        await shop.all_done()
        return shop.served

    assert play(story) == ["S1 0", "S1 1", "S2", "S3", "S1 2", "S1 3"]


def test_the_newest_events_go_before_every_backlog():
    async def story():
        shop = Shop()
        for who in ("S1", "S2", "S3"):
            await shop.comes(who)
        await shop.comes("S9", goes_first=True)
        await shop.all_done()
        return shop.served

    assert play(story) == ["S1", "S9", "S2", "S3"]


def test_a_station_has_one_place_at_a_time_however_many_are_free():
    async def story():
        shop = Shop(at_once=3)
        await shop.comes("S1", "S1 0")
        await shop.comes("S1", "S1 1")
        await shop.comes("S2")
        assert shop.served == ["S1 0", "S2"]
        await shop.done("S1 0")
        assert shop.served == ["S1 0", "S2", "S1 1"]
        await shop.all_done()

    play(story)


def test_behind_a_full_line_nobody_waits():
    async def story():
        shop = Shop(line_max=1)
        for who in ("S1", "S2", "S3"):
            await shop.comes(who)
        assert shop.served == ["S1", "not S3"]
        assert 1 <= shop.turns.retry_seconds() <= RETRY_SECONDS_MAX
        await shop.all_done()
        return shop.served

    assert play(story) == ["S1", "not S3", "S2"]


def test_who_waits_too_long_or_goes_away_leaves_the_line_and_holds_up_nobody():
    async def story():
        shop = Shop(line_seconds=0.0)
        await shop.comes("S1")
        await shop.comes("S2")
        await asyncio.gather(shop.tasks[1])
        assert shop.served == ["S1", "not S2"]
        await shop.all_done()
        patient = Shop()
        for who in ("S1", "S2", "S3"):
            await patient.comes(who)
        patient.tasks[1].cancel()
        await _settle()
        await patient.done("S1")
        assert patient.served == ["S1", "S3"]
        patient.tasks.pop(1)
        await patient.all_done()

    play(story)


def test_who_goes_away_as_the_turn_comes_gives_it_to_the_next():
    async def story():
        shop = Shop()
        for who in ("S1", "S2", "S3"):
            await shop.comes(who)
        shop.turns.give("S1")  # S2 is called and not awake yet
        shop.tasks[1].cancel()
        await _settle()
        assert shop.served == ["S1", "S3"]
        for task in shop.tasks:
            task.cancel()
        await asyncio.gather(*shop.tasks, return_exceptions=True)

    play(story)


def _scope(bearer, method="PUT", query=b""):
    headers = [(b"authorization", b"Bearer " + bearer.encode())]
    return {"type": "http", "method": method, "headers": headers, "query_string": query}


def _at_the_door():
    """A desk, paces of two requests, a station and its bearer."""
    hub = a_hub()
    station = enrolled(hub)
    sessions = Sessions(
        lambda: hub.receipt_key, hub.epoch, lambda: 0.0, entropy_of("sessions"), b"secret"
    )
    nonce = sessions.challenge(station.id, "run-1")
    signature = sign_session(station.key, hub.receipt_key, hub.epoch, nonce, "run-1", station.id)
    bearer = sessions.answer(station.id, "run-1", nonce, signature, station.key.public)
    desk = Desk(hub, sessions, Bell(), lambda: 0)
    paces = {kind: Pace(1.0, 2, lambda: 0.0) for kind in ("PUT", "POST", "GET")}
    return desk, paces, station, bearer


def test_only_deliveries_take_turns_and_the_pace_is_told_in_words():
    desk, paces, station, bearer = _at_the_door()
    allowed = _allowance(desk, paces, _scope(bearer))
    assert (allowed.brings, allowed.goes_first) == (station.id.hex(), False)
    assert _allowance(desk, paces, _scope(bearer, query=b"lane=fresh")).goes_first
    with pytest.raises(TurnedAway, match="look for a device there that repeats itself") as turned:
        _allowance(desk, paces, _scope(bearer))
    answer = problem(turned.value.code, turned.value.what)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert _allowance(desk, paces, _scope(bearer, method="GET")).brings == ""
    assert _allowance(desk, paces, _scope("unknown", method="POST")).pool == "strangers"


@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "HEAD"])
def test_whatever_a_station_asks_has_a_pace_of_its_own(method):
    desk, paces, _, bearer = _at_the_door()
    for _ in range(2):
        _allowance(desk, paces, _scope(bearer, method))
    with pytest.raises(TurnedAway, match="more than") as turned:
        _allowance(desk, paces, _scope(bearer, method))
    assert turned.value.code == "too_often"
    for other in paces.keys() - {method if method in paces else "GET"}:
        _allowance(desk, paces, _scope(bearer, other))


def test_a_station_that_asks_too_often_waits_and_the_others_do_not():
    now = [0.0]
    pace = Pace(10.0, 5, lambda: now[0])
    assert [pace.allows("S1") for _ in range(7)] == [True] * 5 + [False] * 2
    assert pace.allows("S2")
    now[0] += 0.1
    assert [pace.allows("S1") for _ in range(2)] == [True, False]
    now[0] += 3600.0
    assert [pace.allows("S1") for _ in range(6)] == [True] * 5 + [False]
