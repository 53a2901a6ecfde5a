"""Check 28: the trace of a lot in 10,000 units, and its report on paper.

The first paint is printed and not judged: it depends on the machine.
"""

import re
import sys

import pytest
from playwright.sync_api import expect

from tally.trace.lanes import SAMPLE_MAX, SHOWN_MAX
from tests.browser.conftest import Console
from tests.support.console_floor import Floor
from tests.support.pdf_text import packed, pages_of
from tests.support.ten_thousand import BOX, LOT, make

pytestmark = pytest.mark.timeout(300)  # the hub is made of 112,000 signed events first
UNITS = 10_000
BOXES = -(-UNITS // BOX)
ROWS = {
    "en": (
        "Serial", "Work order", "Key material lots and suppliers", "Line and equipment",
        "Operators", "Quality records", "Shipment",
    ),
    "zh": ("序列号", "工单", "关键材料批次与供应商", "产线与设备", "操作人员", "质量记录", "发货"),
}  # fmt: skip
COUNTED = {
    "en": (f"{UNITS:,} units", f"{BOXES:,} boxes"),
    "zh": (f"{UNITS:,} 个产品", f"{BOXES:,} 箱"),
}
COMPLETE = {
    "en": ("Complete to ", "What happened later is not in it."),
    "zh": ("截至 ", "之后发生的事不在其中。"),
}
LANGUAGES = ("en", "zh")
FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) done(found.startTime);
}).observe({ type: "paint", buffered: true }))"""
A4 = "/MediaBox [0 0 594.95996 841.91998]"


@pytest.fixture(scope="module")
def lamps():
    """Codes of the lamps, once the hub is made."""
    return []


@pytest.fixture(scope="module")
def console(tmp_path_factory, lamps):
    """A hub in which one lot went into ten thousand lamps."""
    folder = tmp_path_factory.mktemp("many") / "hub"
    lamps += make(folder, UNITS)
    serving = Console(Floor(folder))
    serving.hub.start()
    yield serving
    serving.hub.end()


def group(page, level, sort):
    return page.locator(f"#went_into-{level}-{sort}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_thousand_siblings_are_folded_to_a_count_and_a_sample(visit, capsys, language):
    page = visit(f"/trace?code={LOT}", language=language)
    paint = round(page.evaluate(FIRST_PAINT))
    with capsys.disabled():
        sys.stdout.write(f"\nfirst paint of a lot in {UNITS:,} units, {language}: {paint} ms\n")
    units, boxes = COUNTED[language]
    for level in (1, 2):
        expect(group(page, level, "unit").locator("h3")).to_contain_text(units)
        expect(group(page, level, "unit").locator("li")).to_have_count(SAMPLE_MAX)
    expect(group(page, 3, "box").locator("h3")).to_contain_text(boxes)
    for part in COMPLETE[language]:
        expect(page.locator(".rests-on")).to_contain_text(part)


def test_the_folded_are_looked_through_and_filtered_by_keyboard(visit, lamps):
    page = visit(f"/trace?code={LOT}")
    group(page, 2, "unit").get_by_role("link", name="Look through all 10,000").press("Enter")
    expect(group(page, 2, "unit").locator("li")).to_have_count(SHOWN_MAX)
    group(page, 2, "unit").get_by_role("link", name=f"Next {SHOWN_MAX}").press("Enter")
    expect(group(page, 2, "unit").locator("li").first).to_contain_text(lamps[SHOWN_MAX])
    field = group(page, 2, "unit").get_by_role("searchbox")
    field.fill(lamps[7777][-5:])
    field.press("Enter")
    expect(group(page, 2, "unit").locator("li")).to_have_count(1)
    expect(group(page, 2, "unit").locator("li")).to_contain_text(lamps[7777])


def test_arrows_enter_and_backspace_walk_from_the_lot_to_a_lamp_and_back(visit, lamps):
    page = visit(f"/trace?code={lamps[0]}")
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    focused = page.evaluate("document.activeElement.textContent")
    with page.expect_navigation():  # until it is loaded, its script included
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(focused)
    expect(page.locator(".crumbs")).to_contain_text(lamps[0])
    page.keyboard.press("Backspace")
    expect(page.locator("h1")).to_contain_text(lamps[0])


@pytest.mark.parametrize(
    ("language", "which"), [("en", "lot"), ("zh", "lot"), ("en", "lamp"), ("zh", "box")]
)
def test_the_report_on_a4_has_the_seven_rows_and_loses_no_word(visit, lamps, language, which):
    lamp = lamps[0]
    page = visit(f"/trace?code={lamp}", language=language)
    box = page.locator("#went_into-1-box li a").first.inner_text()
    code = {"lot": LOT, "lamp": lamp, "box": box}[which]
    page.goto(f"/trace/report?code={code}")
    written = page.locator("header h1, header p, th, td p").all_inner_texts()
    headings = page.locator("th").all_inner_texts()
    assert tuple(headings[:7]) == ROWS[language]
    pdf = page.pdf(prefer_css_page_size=True)
    pages = pages_of(pdf)
    assert pdf.count(A4.encode()) == len(pages)
    for number, text in enumerate(pages, 1):
        assert f"{number}/{len(pages)}" in text
    whole = "".join(re.sub(rf"^{n}/{len(pages)}", "", text) for n, text in enumerate(pages, 1))
    lost = [words for words in written if packed(words) not in whole]
    assert lost == [], "Chinese is lost without its fonts: apt-get install fonts-noto-cjk"
    for part in COMPLETE[language]:
        assert packed(part) in whole
    if which == "lot":
        assert all(packed(counted) in whole for counted in COUNTED[language])


def test_nothing_on_the_report_is_wider_than_the_paper(visit):
    page = visit(f"/trace/report?code={LOT}", viewport={"width": 688, "height": 900})
    page.emulate_media(media="print")
    wide = "[...document.querySelectorAll('body *')].filter(e => e.scrollWidth > e.clientWidth + 1"
    assert page.evaluate(f"{wide} && getComputedStyle(e).display !== 'inline').length") == 0
