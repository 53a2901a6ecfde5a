"""Whatever a browser or a program sends: the console answers in words and never with a fault."""

import time
from urllib.parse import quote, urlencode

import pytest
from fastapi.routing import APIRoute
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from hub import bootstrap
from hub.api.bell import Bell
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.pages import PAGES
from hub.web.sessions import Admissions
from tests.support.console_floor import ATTACK, made_floor
from tests.support.hub_floor import entropy_of

HERE = "http://127.0.0.1:8440"
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            ATTACK,
            "",
            "\x00",
            "\x1d",
            "../..",
            "%",
            "{}",
            "{t}",
            "{{ 7*7 }}",
            "9" * 400,
            "\ud800",
            "中文",
        ]
    ),
)
FIELDS = st.sampled_from(
    "csrf badge keep key mark seen supersedes reason digest new case station scheme count request "
    "code q show view direction depth back".split()
)
TALK = st.lists(st.tuples(FIELDS, TEXTS), max_size=6)


class House:
    """A console on a plant at work, and who is signed in to it."""

    def __init__(self, folder):
        self.hub = bootstrap.open_hub(made_floor(folder).folder)
        admissions = Admissions(time.monotonic, entropy_of("console"))
        desk = Desk(self.hub, Bell(), admissions, time.monotonic)
        self.client = TestClient(console_app(desk), base_url=HERE, follow_redirects=False)
        path = f"/in/{admissions.invite()}"
        self.client.post(path, data={"badge": "BDG-3001"}, headers={"Origin": HERE})
        cookie = self.client.cookies[desk.cookie]
        self.csrf = admissions.who(cookie).csrf
        found = [r for page in PAGES for r in page(desk).routes if isinstance(r, APIRoute)]
        self.gets = [r.path for r in found if "GET" in r.methods]
        self.posts = [r.path for r in found if "POST" in r.methods and r.path != "/out"]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("console") / "hub")
    yield made
    made.hub.office.store.close()


def put_in(path, value):
    """The path with this text in each of its parameters."""
    parts = path.split("/")
    return "/".join(escaped(value) if part.startswith("{") else part for part in parts)


def escaped(text):
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def sent(pairs):
    return urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])


def answers_in_words(answer):
    assert answer.status_code < 500, answer.text[:2000]
    assert ATTACK not in answer.text
    assert "Traceback" not in answer.text


@settings(max_examples=120)
@given(st.data(), TEXTS, TALK, st.sampled_from(["en", "zh", "fr;q=x, *", "q=inf;nan"]))
def test_every_page_can_be_asked_for_with_anything(house, data, value, talk, language):
    path = put_in(data.draw(st.sampled_from(house.gets)), value)
    headers = {"Accept-Language": language}
    answers_in_words(house.client.get(f"{path}?{sent(talk)}", headers=headers))


@settings(max_examples=120)
@given(st.data(), TEXTS, TALK)
@example(None, "x", [("reason", "\ud800")])
def test_every_form_can_be_posted_with_anything(house, data, value, talk):
    paths = house.posts if data is None else [data.draw(st.sampled_from(house.posts))]
    for path in paths:
        body = sent([("csrf", house.csrf), *talk])
        headers = {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}
        answers_in_words(house.client.post(put_in(path, value), content=body, headers=headers))


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_form_are_refused_or_read(house, body):
    headers = {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}
    for path in house.posts:
        answers_in_words(house.client.post(put_in(path, "x"), content=body, headers=headers))
