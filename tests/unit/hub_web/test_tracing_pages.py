"""The explorer, the report, the downloads and the search box, without a browser."""

import csv
import io
import re

import pytest
from starlette.testclient import TestClient

from hub.api.bell import Bell
from hub.bootstrap import open_hub
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.sessions import Admissions
from hub.web.sheets import sheet
from tally.events import types as t
from tally.merge.keys import escape
from tests.support.building import board, bound, lamp
from tests.support.console_floor import ATTACK, TWICE, made_floor
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

HERE = "http://127.0.0.1:8440"
ROWS = {
    "en": (
        "Serial", "Work order", "Key material lots and suppliers", "Line and equipment",
        "Operators", "Quality records", "Shipment",
    ),
    "zh": ("序列号", "工单", "关键材料批次与供应商", "产线与设备", "操作人员", "质量记录", "发货"),
}  # fmt: skip


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    return made_floor(tmp_path_factory.mktemp("tracing") / "hub")


@pytest.fixture(scope="module")
def hub(floor):
    opened = open_hub(floor.folder)
    yield opened
    opened.office.store.close()


@pytest.fixture(scope="module", params=["en", "zh"])
def visitor(hub, request):
    return visiting(hub, request.param)


def visiting(hub, language):
    admissions = Admissions(lambda: 1.0, entropy_of("console"))
    app = console_app(Desk(hub, Bell(), admissions, lambda: 1.0))
    client = TestClient(app, base_url=HERE, follow_redirects=False)
    link = f"/in/{admissions.invite()}"
    client.post(link, data={"badge": "BDG-3001"}, headers={"Origin": HERE})
    client.cookies.set("tally-language", language)
    client.language = language
    return client


def links(answer):
    return [one.replace("&amp;", "&") for one in re.findall(r'href="(/trace\?[^"]+)"', answer.text)]


def test_the_page_of_a_unit_leads_to_its_parts_its_box_and_its_report(visitor):
    answer = visitor.get("/trace", params={"code": lamp(401)})
    assert answer.status_code == 200
    for code in (board(401), "BAT-18650-2547A", "BX-00087"):
        assert code in answer.text
    assert f"/trace/report?code={lamp(401)}" in answer.text
    assert f"/trace?code={board(401)}&from={lamp(401)}" in links(answer)


def test_the_way_here_is_kept_and_leads_back(visitor):
    answer = visitor.get(f"/trace?code={board(401)}&from={lamp(402)}&from={lamp(401)}")
    assert f"/trace?code={lamp(401)}&from={lamp(402)}" in links(answer)
    assert "data-back" in answer.text


def test_every_link_of_a_page_opens(visitor):
    for address in links(visitor.get("/trace", params={"code": lamp(405)})):
        assert visitor.get(address).status_code == 200, address


def test_a_scanned_sign_of_a_report_leads_to_its_code(visitor):
    answer = visitor.get("/trace", params={"code": f"]Q1{HERE}/v/{lamp(401)}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trace?code={lamp(401)}")


def test_a_shared_link_marks_what_was_recorded_after_it(visitor, floor):
    built = floor.stations["S03"].events[-1].at
    for moment, is_marked in (("2020-01-01T00:00:00Z", True), (built, False), ("nonsense", False)):
        answer = visitor.get("/trace", params={"code": lamp(401), "as_of": moment})
        assert ("</time> *" in answer.text) == is_marked, moment


def test_an_open_case_is_marked_on_the_part_and_leads_to_it(visitor, floor):
    answer = visitor.get("/trace", params={"code": lamp(405)})
    assert f'href="/conflicts/{floor.case}"' in answer.text
    assert floor.case in visitor.get("/trace", params={"code": board(TWICE)}).text


@pytest.mark.parametrize("direction", ["down", "up"])
def test_one_direction_is_a_list(visitor, direction):
    answer = visitor.get("/trace", params={"code": "BX-00087", "direction": direction})
    assert answer.status_code == 200
    assert (board(401) in answer.text) == (direction == "down")


def test_an_unknown_code_is_answered_with_the_nearest_ones(visitor):
    answer = visitor.get("/trace", params={"code": lamp(499)})
    assert answer.status_code == 404
    assert lamp(401) in answer.text
    assert "S03" in answer.text, "the completeness line names how far each station was heard"


@pytest.mark.parametrize(
    "query",
    [
        "code=x&side=nowhere",
        "code=x&level=0",
        "code=x&first=-1",
        "code=" + "x" * 600,
        "code=x&sort=",
    ],
)
def test_an_address_that_cannot_be_is_refused_and_breaks_nothing(visitor, query):
    assert visitor.get(f"/trace?code=x&{query}").status_code == 400


@pytest.mark.parametrize("path", ["/trace", "/trace/report"])
@pytest.mark.parametrize("code", [lamp(411), lamp(412), ATTACK, f"LENS/{ATTACK}", "\x00", "\udcff"])
def test_what_a_label_says_is_never_read_as_a_page(visitor, path, code):
    shown = code.encode("utf-8", "replace").decode()
    answer = visitor.get(path, params={"code": shown})
    assert answer.status_code in {200, 404}
    assert "<script>" not in answer.text
    assert "<img src=x" not in answer.text


def test_the_report_begins_with_the_seven_rows_and_says_what_it_rests_on(visitor):
    answer = visitor.get("/trace/report", params={"code": lamp(401)})
    headings = re.findall(r'<th scope="row">([^<]+)</th>', answer.text)
    assert tuple(headings[:7]) == ROWS[visitor.language]
    assert len(headings) == len(set(headings)) == 16
    assert 'class="rests-on"' in answer.text
    assert f"{HERE}/v/{lamp(401)}" in answer.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_of_the_unit_that_was_kept_names_the_case_the_decision_who_and_why(
    tmp_path, language
):
    floor = made_floor(tmp_path / "hub")
    hub = open_hub(floor.folder)
    [case] = [one for one in hub.show("cases") if one["id"] == floor.case]
    claims = {one["value"].partition("/")[0]: one["ref"] for one in case["claims"]}
    hub.decide(
        floor.case,
        keep=claims[lamp(404)],
        by="BDG-3001",
        reason="opened both lamps",
        claims_seen=list(claims.values()),
        supersedes=[],
    )
    page = visiting(hub, language).get("/trace/report", params={"code": lamp(404)}).text
    hub.office.store.close()
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', page, re.DOTALL))
    answers = rows[{"en": "Conflicts and answers", "zh": "争议与裁定"}[language]]
    corrections = rows[{"en": "Holds, overrides, corrections", "zh": "冻结、放行与更正"}[language]]
    for told in (answers, corrections):
        for said in (floor.case, "opened both lamps", {"en": "CHEN Jing", "zh": "陈静"}[language]):
            assert said in told


def test_only_what_the_public_page_knows_has_its_sign_on_the_report(visitor):
    assert "verify.svg" not in visitor.get("/trace/report", params={"code": "BX-00087"}).text
    sign = visitor.get("/trace/verify.svg", params={"code": lamp(401)})
    assert sign.headers["content-type"] == "image/svg+xml"
    assert "<svg" in sign.text
    for code in ("BX-00087", "nobody", "编" * 500):
        assert visitor.get("/trace/verify.svg", params={"code": code}).status_code == 404


def test_files_are_named_after_the_code_and_the_moment(visitor, hub):
    answer = visitor.get("/trace/trace.json", params={"code": lamp(401)})
    assert answer.json() == hub.trace(lamp(401))
    named = answer.headers["content-disposition"]
    assert re.fullmatch(
        rf'attachment; filename="trace-{lamp(401)}-as-of-\d{{8}}T\d{{6}}\.json"', named
    )
    odd = visitor.get("/trace/trace.csv", params={"code": f"LENS/{escape(ATTACK)}"})
    assert odd.status_code == 200
    assert re.search(r'filename="trace-LENS_script[A-Za-z0-9._-]+\.csv"', str(odd.headers))


def test_the_sheet_has_every_link_and_ends_with_what_it_rests_on(visitor):
    answer = visitor.get("/trace/trace.csv", params={"code": lamp(401)})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert (lamp(401), board(401)) in {(row["parent"], row["child"]) for row in rows}
    assert rows[-1]["kind"] == "completeness"
    assert "S03" in rows[-1]["words"]


def test_no_cell_of_a_sheet_is_a_formula():
    nothing = {"nodes": [], "links": [], "is_cut": False}
    found = {
        "down": nothing
        | {"nodes": [{"code": '=HYPERLINK("http://x")', "lot": "@x", "sort": "-1"}]},
        "up": nothing,
        "completeness": {"words": {"en": "Complete."}},
    }
    row = next(csv.DictReader(io.StringIO(sheet(found))))
    assert (row["code"][:2], row["lot"], row["sort"]) == ("'=", "'@x", "'-1")


def test_a_download_of_an_unknown_code_says_so(visitor):
    assert visitor.get("/trace/trace.csv", params={"code": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (lamp(401), f"/trace?code={lamp(401)}"),
        (f" {board(401)} ", f"/trace?code={board(401)}"),
        ("s03", "/stations"),
        ("BX-00087", "/trace?code=BX-00087"),
        ("nobody", "/trace?code=nobody"),
    ],
)
def test_the_search_box_leads_to_what_is_named(visitor, text, address):
    answer = visitor.get("/search", params={"q": text})
    assert (answer.status_code, answer.headers["location"]) == (303, address)


def test_the_search_box_knows_cases_and_orders(visitor, floor):
    answer = visitor.get("/search", params={"q": floor.case.lower()})
    assert answer.headers["location"] == f"/conflicts/{floor.case}"
    assert "BL-2@4" in visitor.get("/search", params={"q": "24-1187"}).text


@pytest.mark.parametrize(("language", "word"), [("en", "history "), ("zh", "历史 ")])
def test_a_station_with_two_histories_is_told_apart_on_every_page_of_a_unit(language, word):
    hub = a_hub()
    hub.publish(demo_files())
    maker = enrolled(hub, "S03")
    maker.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    copy = maker.fork(after=maker.seq)
    maker.add(bound(board(7), lamp(1)))
    copy.add(bound(board(8), lamp(1)))
    hub.ingest(maker.id, maker.piece(2))
    hub.ingest(copy.id, copy.piece(3))
    client = visiting(hub, language)
    for path in ("/trace", "/trace/report", "/trace?direction=down"):
        query = f"{path}{'&' if '?' in path else '?'}code={lamp(1)}"
        page = client.get(query)
        assert page.status_code == 200, query
        for writer in (maker, copy):
            assert f"{word}{writer.ids[2].hex()[:8]}" in page.text, query
