"""The apps without sockets: tables that must be complete, pages, sessions in memory."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import os
import re
import typing

import pytest
from starlette.testclient import TestClient

from hub import bootstrap, trust
from hub.api.bell import Bell
from hub.api.integrators import integrators_app
from hub.api.problems import TABLE, TurnedAway
from hub.api.sessions import Sessions
from hub.api.stations import Desk, stations_app
from hub.services import answers
from tally.records.ids import JournalId
from tally.records.signing import SigningKey
from tally.wire.challenge import ANSWERED_MAX, NONCE_SECONDS
from tally.wire.session import sign_session
from tests.support.own_journal import seeded

NOW = dt.datetime(2026, 11, 20, 14, 31, tzinfo=dt.UTC)
JOURNAL = JournalId(seeded("journal", 16))
KEY = SigningKey(seeded("key"))
HUB_KEY = SigningKey(seeded("hub key"))


@pytest.fixture(scope="module")
def hub():
    secrets = trust.new_secrets(plant="NB1", site="NB1", clock=lambda: NOW, entropy=os.urandom)
    made = bootstrap.in_memory(secrets, lambda: NOW, os.urandom)
    yield made
    made.office.store.close()


@pytest.fixture(scope="module")
def stations(hub):
    sessions = Sessions(lambda: hub.receipt_key, hub.epoch, lambda: 0.0, os.urandom, b"secret")
    with TestClient(stations_app(Desk(hub, sessions, Bell(), lambda: 1))) as client:
        yield client


@pytest.fixture(scope="module")
def integrators(hub):
    with TestClient(integrators_app(hub), base_url="http://127.0.0.1:8440") as client:
        yield client


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    counter = itertools.count()
    return Sessions(
        lambda: HUB_KEY.public,
        1,
        clock,
        lambda size: next(counter).to_bytes(size, "big"),
        b"secret",
    )


def signed(nonce, run="r"):
    return sign_session(KEY, HUB_KEY.public, 1, nonce, run, JOURNAL)


def test_every_refusal_of_a_service_has_a_status_a_title_and_what_to_do():
    assert set(typing.get_args(answers.Code)) <= set(TABLE)
    for status, title, do in TABLE.values():
        assert 400 <= status <= 503
        assert title
        assert do


@pytest.mark.parametrize("client", ["stations", "integrators"])
def test_every_reference_of_the_openapi_document_leads_somewhere(client, request):
    document = request.getfixturevalue(client).get("/openapi.json").json()
    text = json.dumps(document)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in document["components"]["schemas"], name
    assert "/healthz" in document["paths"]


def test_the_hub_tells_anyone_who_it_is_and_what_it_speaks(stations, hub):
    told = stations.get("/v1/time").json()
    assert (told["plant"], told["protocol_min"], told["protocol_max"]) == ("NB1", 1, 1)


def test_the_first_page_names_every_path_in_two_languages(integrators):
    page = integrators.get("/v1/").text
    for path in integrators.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "追溯" in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/lots", "/v1/work-orders"])
def test_an_empty_hub_has_empty_tables(integrators, path):
    assert integrators.get(path).json() == []


@pytest.mark.parametrize(
    "path", ["/v1/trace/NO-SUCH", "/v1/trace/" + "x" * 300, "/v1/trace/%00", "/nope", "/v1/trace/"]
)
def test_what_is_not_there_is_said_in_words(integrators, path):
    answer = integrators.get(path)
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["what"]


def test_the_plain_port_takes_no_body_and_changes_nothing(integrators):
    assert integrators.post("/v1/cases", content=b"{}").status_code == 413
    assert integrators.post("/v1/cases").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_a_foreign_name_that_points_here_reads_nothing(integrators, host):
    answer = integrators.get("/v1/cases", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "other_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8440", "127.0.0.1", "[::1]:18440"])
def test_every_name_of_loopback_is_answered(integrators, host):
    assert integrators.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_bearer_is_good_for_ten_minutes(sessions, clock):
    nonce = sessions.challenge(JOURNAL, "r")
    bearer = sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)
    assert sessions.who(bearer).run == "r"
    clock.now = 599.0
    assert sessions.who(bearer).journal == JOURNAL
    clock.now = 601.0
    with pytest.raises(TurnedAway):
        sessions.who(bearer)


@pytest.mark.parametrize(
    ("seconds", "run", "is_return"),
    [(30, "r", True), (545, "r", False), (601, "r", False), (30, "restarted", False)],
)
def test_a_program_that_opens_a_session_while_it_has_one_lost_its_link(
    sessions, clock, seconds, run, is_return
):
    for now, opening in ((0.0, "r"), (seconds, run)):
        clock.now = now
        nonce = sessions.challenge(JOURNAL, opening)
        sessions.answer(JOURNAL, opening, nonce, signed(nonce, opening), KEY.public)
    assert sessions.has_returned(JOURNAL) is is_return
    assert sessions.has_returned(JOURNAL) is False  # said once


def test_a_challenge_is_good_for_a_minute(sessions, clock):
    nonce = sessions.challenge(JOURNAL, "r")
    clock.now = NONCE_SECONDS + 1
    with pytest.raises(TurnedAway):
        sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)


def test_whoever_asks_for_many_challenges_takes_nobodys_away(sessions):
    own = sessions.challenge(JOURNAL, "r")
    for _ in range(10_000):
        sessions.challenge(JOURNAL, "r")
    assert sessions.answer(JOURNAL, "r", own, signed(own), KEY.public)


def test_a_wrong_answer_leaves_the_challenge_to_the_journal_itself(sessions):
    nonce = sessions.challenge(JOURNAL, "r")
    with pytest.raises(TurnedAway, match="not that of the journal's key"):
        sessions.answer(JOURNAL, "r", nonce, bytes(64), KEY.public)
    assert sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)
    with pytest.raises(TurnedAway, match="answered before"):
        sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)


def test_a_challenge_of_another_start_of_the_hub_opens_nothing(sessions, clock):
    before = Sessions(lambda: HUB_KEY.public, 1, clock, os.urandom, b"of the start before")
    nonce = before.challenge(JOURNAL, "r")
    with pytest.raises(TurnedAway):
        sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)


def test_what_is_kept_of_answered_challenges_is_bounded_and_forgotten(sessions, clock):
    def sign_in():
        nonce = sessions.challenge(JOURNAL, "r")
        return sessions.answer(JOURNAL, "r", nonce, signed(nonce), KEY.public)

    for _ in range(ANSWERED_MAX):
        assert sign_in()
    with pytest.raises(TurnedAway, match=f"over {ANSWERED_MAX} times"):
        sign_in()
    clock.now = NONCE_SECONDS + 1
    assert sign_in()


def test_a_ring_between_looking_and_waiting_is_not_missed():
    async def play():
        bell = Bell()
        seen = bell.rings
        bell.ring()
        await bell.wait(seen, 60)
        waiting = asyncio.create_task(bell.wait(bell.rings, 60))
        await asyncio.sleep(0)
        bell.ring()
        await waiting

    asyncio.run(play())


def test_a_journal_that_grew_wakes_those_who_follow_it_and_those_who_follow_everything():
    other = JournalId(seeded("other journal", 16))

    async def play():
        bell = Bell()
        own, console, stranger = (
            asyncio.create_task(bell.wait(0, 60, followed))
            for followed in (frozenset({JOURNAL, other}), None, frozenset({other}))
        )
        await asyncio.sleep(0)
        bell.ring(JOURNAL)
        await asyncio.gather(own, console)
        assert not stranger.done()
        bell.ring()
        await stranger

    asyncio.run(play())


def test_a_ring_for_a_followed_journal_between_looking_and_waiting_is_not_missed():
    async def play():
        bell = Bell()
        seen = bell.rings
        bell.ring(JOURNAL)
        bell.ring(JournalId(seeded("other journal", 16)))
        await bell.wait(seen, 60, frozenset({JOURNAL}))
        await bell.wait(seen, 60)
        await bell.wait(bell.rings, 0.01, frozenset({JOURNAL}))
        bell.ring()
        await bell.wait(bell.rings - 1, 60, frozenset())

    asyncio.run(play())


def test_a_closed_bell_sends_the_waiters_home():
    async def play():
        bell = Bell()

        async def poll():
            return [left async for _, left in _with_waiting(bell)]

        waiting = asyncio.create_task(poll())
        await asyncio.sleep(0)
        bell.close()
        assert await waiting

    async def _with_waiting(bell):
        async for rings in bell.rounds(60):
            yield rings
            await bell.wait(*rings)

    asyncio.run(play())
