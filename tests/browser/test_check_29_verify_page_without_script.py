"""Check 29, the public page: works without script and login, on a phone, and leaks nothing."""

import pytest
from playwright.sync_api import expect

from tests.support.building import board, lamp

PHONE = {"width": 390, "height": 844}
WORDS = {
    "en": ("GENUINE RECORD", "PLEASE ASK THE SELLER", "NOT FOUND"),
    "zh": ("记录真实", "请咨询销售方", "未找到"),
}
INSIDE = ("S02", "S03", "S04", "BDG", "ZHANG", "BAT-", "BX-", "PCB", "C-")


@pytest.fixture(params=["en", "zh"])
def customer(contexts, console, request):
    """A phone of somebody who was never here."""
    context = contexts(
        request.param, base_url=console.address, viewport=PHONE, java_script_enabled=False
    )
    page = context.new_page()
    page.language = request.param
    return page


def test_a_customer_reads_one_of_three_answers(customer):
    good, ask, unknown = WORDS[customer.language]
    answers = {lamp(401): good, lamp(412): ask, lamp(499): unknown, board(401): unknown}
    for code, words in answers.items():
        customer.goto(f"/v/{code}")
        expect(customer.locator("h1")).to_have_text(words)
        content = customer.content()
        assert [word for word in INSIDE if word in content.replace(code, "")] == []
        assert customer.locator("script").count() == 0


def test_the_answer_fits_a_phone_and_speaks_the_other_language_too(customer):
    customer.goto(f"/v/{lamp(401)}")
    box = customer.locator("main").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    other = {"en": "中文", "zh": "EN"}[customer.language]
    customer.get_by_role("link", name=other).click()
    expect(customer.locator("h1")).to_have_text(WORDS["zh" if other == "中文" else "en"][0])


def test_the_page_is_light_with_everything_that_it_loads(customer):
    sizes = []
    customer.on("response", lambda answer: sizes.append(len(answer.body())))
    customer.goto(f"/v/{lamp(401)}", wait_until="networkidle")
    assert 1_000 < sum(sizes) < 50_000
