"""The console without a browser: who gets in, what every answer carries, what a post needs."""

import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from hub.api.bell import Bell
from hub.services.starting import STEPS
from hub.web import app as web_app
from hub.web.desk import Desk
from hub.web.forms import FORM_BYTES_MAX
from hub.web.gate import PUBLIC
from hub.web.pages import PAGES
from hub.web.sessions import LINK_SECONDS, SESSION_SECONDS, Admissions
from tally.events.types import UnitCommissioned
from tests.support.console_floor import ATTACK
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

HERE = "http://127.0.0.1:8440"
FROM_HERE = {"Origin": HERE}
ATTACK_NAME = '"><img src=x onerror=alert(1)>'
WEB = Path(web_app.__file__).parent


class Ticks:
    """Monotonic seconds that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class House:
    """A console in memory, and browsers that visit it."""

    def __init__(self, *, people=True):
        self.hub = a_hub()
        files = demo_files()
        if not people:
            files = []
        if files:
            self.hub.publish(files)
            self.station = enrolled(self.hub, "S03")
        self.ticks = Ticks()
        self.admissions = Admissions(self.ticks, entropy_of("console"))
        self.desk = Desk(self.hub, Bell(), self.admissions, self.ticks)
        self.app = web_app.console_app(self.desk)

    def stranger(self):
        return TestClient(self.app, base_url=HERE, follow_redirects=False)

    def visitor(self, badge="BDG-3001"):
        client = self.stranger()
        answer = client.post(
            f"/in/{self.admissions.invite()}", data={"badge": badge}, headers=FROM_HERE
        )
        assert answer.status_code == 303, answer.text
        return client

    def routes(self):
        return [r for page in PAGES for r in page(self.desk).routes if isinstance(r, APIRoute)]


@pytest.fixture(scope="module")
def house():
    made = House()
    yield made
    made.hub.office.store.close()


def token_in(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def fill(path):
    """A path with something in each of its parameters."""
    return re.sub(r"\{[^}]+\}", "x", path)


# --- coming in --------------------------------------------------------------------------------


def test_without_a_session_no_page_shows_anything(house):
    for route in house.routes():
        if "GET" in route.methods and not route.path.startswith(PUBLIC):
            answer = house.stranger().get(fill(route.path))
            assert answer.status_code == 401, route.path
            assert "S03" not in answer.text
            assert "CHEN" not in answer.text


def test_without_a_session_no_post_does_anything(house):
    for route in house.routes():
        if "POST" in route.methods and not route.path.startswith(PUBLIC):
            answer = house.stranger().post(fill(route.path), data={"a": "b"}, headers=FROM_HERE)
            assert answer.status_code == 401, route.path


def test_a_post_without_the_token_of_its_session_does_nothing(house):
    client = house.visitor()
    for route in house.routes():
        if "POST" in route.methods and not route.path.startswith(PUBLIC):
            answer = client.post(fill(route.path), data={"csrf": "forged"}, headers=FROM_HERE)
            assert answer.status_code == 403, route.path
    assert client.get("/").status_code == 200  # /out was among them


def test_a_link_is_used_up_by_its_button_and_not_by_being_looked_at(house):
    path = f"/in/{house.admissions.invite()}"
    for _ in range(3):
        assert house.stranger().get(path).status_code == 200
    first, second = house.stranger(), house.stranger()
    assert first.post(path, data={"badge": "-"}, headers=FROM_HERE).status_code == 303
    shut = second.post(path, data={"badge": "-"}, headers=FROM_HERE)
    assert shut.status_code == 410
    assert "used already" in shut.text
    assert "tally hub admin-link DIR" in shut.text
    assert second.get("/").status_code == 401


def test_of_many_who_press_the_button_at_once_one_comes_in(house):
    path = f"/in/{house.admissions.invite()}"
    clients = [house.stranger() for _ in range(8)]
    with ThreadPoolExecutor(8) as crowd:
        answers = crowd.map(
            lambda one: one.post(path, data={"badge": "-"}, headers=FROM_HERE).status_code, clients
        )
    assert sorted(answers) == [303, *[410] * 7]


def test_two_hubs_on_one_machine_have_cookies_of_their_own(house):
    other = a_hub(seed="another")
    desk = Desk(other, Bell(), house.admissions, house.ticks)
    assert desk.cookie != house.desk.cookie
    other.office.store.close()


def test_an_old_link_and_a_mistyped_one_say_what_to_do(house):
    path = f"/in/{house.admissions.invite()}"
    house.ticks.now += LINK_SECONDS
    for shown, words in ((path, "older than 15 minutes"), ("/in/nonsense", "does not know it")):
        answer = house.stranger().get(shown)
        assert answer.status_code == 410
        assert words in answer.text
        assert "tally hub admin-link DIR" in answer.text


@pytest.mark.parametrize("badge", ["", "BDG-9999", "BDG-1107", "BDG-2004"])
def test_only_persons_who_may_decide_are_taken_and_the_link_stays_good(house, badge):
    path = f"/in/{house.admissions.invite()}"
    client = house.stranger()
    asked = client.post(path, data={"badge": badge}, headers=FROM_HERE)
    assert asked.status_code == 200
    assert "Choose who you are" in asked.text
    assert client.post(path, data={"badge": "-"}, headers=FROM_HERE).status_code == 303


def test_before_people_are_imported_admin_comes_in_without_a_badge_and_is_told_so():
    house = House(people=False)
    page = house.stranger().get(f"/in/{house.admissions.invite()}").text
    assert "No person with the role admin or quality has been imported yet" in page
    client = house.visitor("-")
    assert "looking only, no badge" in client.get("/").text


def test_a_session_ends_after_twelve_hours(house):
    client = house.visitor()
    house.ticks.now += SESSION_SECONDS - 1
    assert client.get("/").status_code == 200
    house.ticks.now += 1
    assert client.get("/").status_code == 401
    assert client.get("/live").json() == {"ended": True}


def test_signing_out_ends_the_session_at_the_hub(house):
    client = house.visitor()
    cookie = client.cookies[house.desk.cookie]
    out = client.post("/out", data={"csrf": token_in(client.get("/"))}, headers=FROM_HERE)
    assert out.status_code == 303
    thief = house.stranger()
    thief.cookies.set(house.desk.cookie, cookie)
    assert thief.get("/").status_code == 401


def test_sessions_and_links_are_bounded_and_the_oldest_goes_first(house):
    first = house.visitor()
    others = [house.visitor() for _ in range(64)]
    assert first.get("/").status_code == 401
    assert others[0].get("/").status_code == 200
    links = [house.admissions.invite() for _ in range(33)]
    assert house.admissions.link(links[0]) == "unknown"
    assert house.admissions.link(links[1]) == "open"


def test_the_cookie_is_the_browsers_alone_and_only_its_digest_is_kept(house):
    client = house.stranger()
    path = f"/in/{house.admissions.invite()}"
    answer = client.post(path, data={"badge": "-"}, headers=FROM_HERE)
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    secret = client.cookies[house.desk.cookie]
    assert len(secret) >= 32
    kept = repr((house.admissions._links, house.admissions._sessions))
    assert secret not in kept
    assert path.removeprefix("/in/") not in kept


# --- posts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8440"},
        {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
    ],
)
def test_a_post_from_elsewhere_does_nothing_even_with_the_right_token(house, headers):
    client = house.visitor()
    token = token_in(client.get("/"))
    answer = client.post("/out", data={"csrf": token}, headers=headers)
    assert answer.status_code == 403
    assert "did not come from a page of this console" in answer.text
    assert client.get("/").status_code == 200


def test_a_post_whose_page_sends_no_referrer_is_told_apart_by_the_browsers_own_mark(house):
    client = house.visitor()
    token = token_in(client.get("/"))
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/out", data={"csrf": token}, headers=headers).status_code == 303


def test_a_form_that_outlived_its_session_loses_nothing(house):
    client = house.visitor()
    written = {"csrf": token_in(client.get("/")), "reason": f"both boards seen\nby me {ATTACK}"}
    client.cookies.clear()
    ended = client.post("/out", data=written, headers=FROM_HERE)
    assert ended.status_code == 401
    assert "both boards seen\nby me &lt;script&gt;" in ended.text
    assert ATTACK not in ended.text
    again = house.visitor()
    asked = again.post("/out", data={"reason": "both boards seen"}, headers=FROM_HERE)
    assert asked.status_code == 403
    assert "both boards seen" in asked.text
    sent = {"csrf": token_in(asked), "reason": "both boards seen"}
    assert again.post("/out", data=sent, headers=FROM_HERE).status_code == 303


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 3000), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"--x--", "multipart/form-data; boundary=x", 400),
        (b"a=" + b"x" * FORM_BYTES_MAX, "application/x-www-form-urlencoded", 413),
    ],
)
def test_a_body_that_is_no_form_is_refused_in_words(house, body, kind, status):
    client = house.visitor()
    headers = FROM_HERE | {"Content-Type": kind}
    assert client.post("/out", content=body, headers=headers).status_code == status
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_does_nothing(house, method):
    client = house.visitor()
    assert client.request(method, "/out", headers=FROM_HERE).status_code in {403, 405}
    assert client.get("/").status_code == 200


# --- what every answer carries ----------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/stations", "/live", "/nope", "/in/nonsense", "/static/console.css"]
)
def test_every_answer_carries_the_security_headers(house, path):
    for client in (house.stranger(), house.visitor()):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        keeping = headers["cache-control"]
        assert keeping == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8440"])
def test_a_foreign_name_that_points_here_gets_no_page(house, host):
    answer = house.visitor().get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "Tallystick" not in answer.text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "\\x", "/a\nb", ""]
)
def test_the_language_switch_leads_nowhere_else(house, back):
    answer = house.stranger().get("/language/zh", params={"back": back})
    assert answer.headers["location"] == "/"


def test_the_language_is_what_was_chosen_else_what_the_browser_asks_for(house):
    client = house.visitor()
    assert 'lang="en"' in client.get("/").text
    assert 'lang="zh-CN"' in client.get("/", headers={"Accept-Language": "zh-CN,en;q=0.5"}).text
    client.get("/language/zh", params={"back": "/stations"})
    assert 'lang="zh-CN"' in client.get("/", headers={"Accept-Language": "en"}).text


def test_what_is_not_there_is_a_page_in_words(house):
    answer = house.visitor().get("/no/such/page")
    assert answer.status_code == 404
    assert "This address leads to no page" in answer.text


def test_a_fault_of_the_hub_is_a_page_in_words_without_a_trace():
    house = House()
    client = house.visitor()
    client.get("/")
    house.hub.office.store.close()
    house.ticks.now += 2
    quiet = TestClient(house.app, base_url=HERE, raise_server_exceptions=False)
    quiet.cookies = client.cookies
    answer = quiet.get("/stations")
    assert answer.status_code in {500, 503}
    assert answer.headers["content-type"].startswith("text/html")
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()


# --- pages ------------------------------------------------------------------------------------


def test_steps_of_start_here_tick_themselves_from_what_happened():
    house = House()
    client = house.visitor()

    def done():
        house.ticks.now += 2
        return {name for name, is_done in client.get("/live").json()["steps"].items() if is_done}

    assert done() == set()
    said = {"run": "r1", "unsent": 0}
    house.hub.note_hello(house.station.id, said)
    assert done() == set()
    house.hub.note_hello(house.station.id, said, has_returned=True)
    assert done() == {"cut"}
    house.hub.note_hello(house.station.id, said | {"unsent": 3}, has_returned=True)
    assert done() == {"cut", "offline"}
    house.hub.note_step("traced")
    assert done() == {"cut", "offline", "traced"}


def test_the_first_scan_is_a_unit_of_a_product_that_goes_into_no_other():
    house = House()
    house.station.add(UnitCommissioned("PCB-L-00901", "PCB-L@3", scheme="pcb-l@1"))
    house.hub.ingest(house.station.id, house.station.piece())
    assert not house.hub.progress()["scanned"]
    house.station.add(UnitCommissioned("BL2-2647-000401", "BL-2@4", scheme="bl2@1"))
    house.hub.ingest(house.station.id, house.station.piece())
    assert house.hub.progress()["scanned"]


def test_start_here_gives_way_once_all_is_done_and_stays_at_its_address():
    house = House()
    client = house.visitor()
    for step in STEPS:
        assert "<h1>Start here</h1>" in client.get("/").text
        house.hub.note_step(step)
        house.ticks.now += 2
    assert "<h1>Overview</h1>" in client.get("/").text
    assert "6 of 6 done" in client.get("/start").text


def test_a_disk_that_takes_no_more_costs_no_page():
    house = House()
    client = house.visitor()
    house.station.add(UnitCommissioned("BL2-2647-000401", "BL-2", scheme="bl2@1"))
    house.hub.ingest(house.station.id, house.station.piece())
    house.hub.office.store._connection.execute("PRAGMA query_only = ON")
    assert client.get("/").status_code == 200
    assert client.get("/trace?code=BL2-2647-000401").status_code == 200
    assert house.hub.progress()["scanned"]


def test_a_silence_is_a_cut_link_only_within_one_run_of_the_program():
    house = House()
    clock = house.hub.office.clock
    house.hub.note_hello(house.station.id, {"run": "r1", "unsent": 0})
    clock.forward(minutes=10)
    house.hub.note_hello(house.station.id, {"run": "r2", "unsent": 5})
    assert not house.hub.progress()["cut"]
    clock.forward(minutes=10)
    house.hub.note_hello(house.station.id, {"run": "r2", "unsent": 5})
    assert house.hub.progress()["cut"]
    assert house.hub.progress()["offline"]


def test_the_completeness_line_says_who_is_missing():
    house = House()
    client = house.visitor()

    def line():
        house.ticks.now += 2
        return client.get("/live").json()["texts"]["complete"]

    assert "nothing here can be complete" in line()
    house.hub.note_hello(house.station.id, {"run": "r1", "unsent": 0})
    assert line() == "Data complete up to: S03 now"
    house.hub.note_hello(house.station.id, {"run": "r1", "unsent": 4})
    assert line() == "Data complete up to: S03 now, 4 events still to come"
    enrolled(house.hub, "S01")
    assert "S01 never heard" in line()
    house.hub.office.clock.forward(minutes=3)
    assert "S03 14:30:00 (silent, 4 events still to come)" in line()


def test_events_that_came_after_the_greeting_are_no_longer_to_come():
    house = House()
    client = house.visitor()
    house.station.signs_in(4)
    house.hub.note_hello(house.station.id, {"run": "r1", "unsent": 4, "head": 5})
    assert "S03 now, 4 events still to come" in client.get("/").text
    house.hub.ingest(house.station.id, house.station.piece(1, 3))
    house.ticks.now += 2
    assert "S03 now, 2 events still to come" in client.get("/").text
    house.hub.ingest(house.station.id, house.station.piece())
    house.ticks.now += 2
    assert "Data complete up to: S03 now<" in client.get("/").text


def test_a_clock_that_differs_is_shown_by_how_much_and_a_wrong_one_in_words(house):
    client = house.visitor()
    said = {"run": "r1", "unsent": 0, "clock_within_ms": 50}
    house.hub.note_hello(house.station.id, said | {"clock_offset_ms": 300})
    house.desk.changed()
    page = client.get("/stations").text
    assert "+0.3 s" in page
    assert "WRONG" not in page
    house.hub.note_hello(house.station.id, said | {"run": "r2", "clock_offset_ms": -360_000})
    house.desk.changed()
    page = client.get("/stations").text
    assert "-360 s" in page
    assert "WRONG" in page


def test_a_disk_that_fills_up_is_shown_with_how_long_it_lasts_and_in_words_when_it_is_low(house):
    client = house.visitor()
    said = {"run": "r1", "unsent": 0}
    house.hub.note_hello(house.station.id, said | {"disk_free_mib": 90_000, "disk_days": 400})
    house.desk.changed()
    page = client.get("/stations").text
    assert "90000 MiB free, about 400 days" in page
    assert "LOW" not in page
    for low in ({"disk_free_mib": 2047}, {"disk_free_mib": 90_000, "disk_days": 13}):
        house.hub.note_hello(house.station.id, said | low)
        house.desk.changed()
        assert "LOW" in client.get("/stations").text


def test_a_hostile_name_of_a_station_is_shown_as_text():
    house = House()
    name = f"{{ en = '{ATTACK_NAME}', zh = '{ATTACK_NAME}' }}"
    file = f'[[station]]\nstation = "S09"\nline = "L2"\nname = {name}\nplans = ["smt@3"]\n'
    house.hub.publish([("more.toml", file.encode())])
    for path in ("/", "/stations"):
        page = house.visitor().get(path).text
        assert "<img" not in page
    assert "&#34;&gt;&lt;img" in page


def test_a_page_asked_for_often_does_not_ask_the_store_as_often(house):
    client = house.visitor()
    client.get("/")
    before = house.desk.standing()
    for _ in range(5):
        client.get("/live")
    assert house.desk.standing() is before
    house.desk.changed()
    assert house.desk.standing() is not before


# --- templates and assets ---------------------------------------------------------------------

TEMPLATES = sorted((WEB / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline_and_nothing_from_elsewhere(path):
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"(src|href|action)=\"?(https?:)?//", text)
    assert not re.search(r"\|\s*safe\b|autoescape", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_of_a_template_that_posts_carries_the_token(path):
    for form in re.findall(r"<form\b.*?</form>", path.read_text("utf-8"), re.DOTALL):
        if 'method="post"' in form and path.name not in {"entering.html", "ended.html"}:
            assert "parts.token()" in form


def test_the_scripts_from_elsewhere_are_the_ones_that_were_looked_at():
    listed = dict(reversed(line.split()) for line in read("static/vendor.sha256").splitlines())
    found = {path.name: path for path in (WEB / "static" / "vendor").glob("*.*") if path.suffix}
    assert set(found) == set(listed)
    for name, path in found.items():
        assert sha256(path.read_bytes()).hexdigest() == listed[name], name


def test_assets_name_no_other_host():
    for path in (WEB / "static").glob("*.*"):
        assert not re.search(r"https?://(?!www\.w3\.org/)", path.read_text("utf-8")), path.name


def read(name):
    return (WEB / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "a form of this hub holds at most 128 KiB"), ("zh", "表单最多 128 KiB")],
)
def test_a_form_that_is_too_large_is_answered_by_a_page(house, language, words):
    browser = house.visitor()
    browser.cookies.set("tally-language", language)
    answer = browser.post("/codes/grant", data={"x": "y" * FORM_BYTES_MAX}, headers=FROM_HERE)
    assert answer.status_code == 413
    assert words in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
