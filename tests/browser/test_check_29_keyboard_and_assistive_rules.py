"""Check 29: the console by keyboard, for assistive programs, small windows and both schemes."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.console_floor import ATTACK

LANGUAGES = ("en", "zh")
PAGES = (
    "/",
    "/start",
    "/stations",
    "/conflicts",
    "/conflicts?show=decided",
    "/conflicts/{case}",
    "/conflicts/look",
    "/trace",
    "/trace?code=BL2-2647-000404",
    "/trace?code=NO-SUCH",
    "/codes",
    "/search?q=PCB-L-00902",
    "/nope",
)
LETTERS = {"c": "/conflicts", "t": "/trace", "d": "/codes", "s": "/stations", "o": "/"}

# What a person with assistive programs hears: every control of the page with its name.
NAMELESS = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea:not([hidden]), [role=button]')]
  .filter((one) => one.checkVisibility()).filter((one) => {
    const labels = [...(one.labels || [])].map((label) => label.textContent).join('');
    const by = (one.getAttribute('aria-labelledby') || '').split(' ')
      .map((id) => id && document.getElementById(id)?.textContent || '').join('');
    return !(one.textContent + labels + by + (one.getAttribute('aria-label') || '')
      + (one.getAttribute('title') || '')).trim();
  }).map((one) => one.outerHTML)"""

# Contrast of every visible text with what lies behind it (WCAG 2.2, 1.4.3); large text counts as
# the rest does, so the limit is the same for all.
PALE = """() => {
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = number(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility() || one.tagName === 'OPTION') continue;
    const [a, b] = [light(number(getComputedStyle(one).color)), light(behind(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${one.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""


@pytest.fixture
def paths(console):
    return [path.format(case=console.floor.case) for path in PAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_29_every_control_is_named(visit, paths, language):
    page = visit(language=language)
    for path in paths:
        is_there = "nope" not in path and "NO-SUCH" not in path
        assert page.goto(path).status == (200 if is_there else 404), path
        assert page.evaluate(NAMELESS) == [], path
        assert page.locator("h1").count() == 1
        expected = {"en": "en", "zh": "zh-CN"}[language]
        assert page.locator("html").get_attribute("lang") == expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_check_29_contrast_is_at_least_four_and_a_half(visit, paths, scheme):
    page = visit(color_scheme=scheme)
    for path in paths:
        page.goto(path)
        assert page.evaluate(PALE) == [], path
    page.keyboard.press("?")
    assert page.evaluate(PALE) == []


@pytest.mark.parametrize(
    ("width", "height", "why"),
    [(1280, 720, "a desk"), (640, 360, "that desk at 200 %"), (390, 844, "a phone")],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_check_29_nothing_scrolls_sideways(visit, paths, width, height, why, language):
    page = visit(language=language, viewport={"width": width, "height": height})
    for path in paths:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (path, why)


def test_check_29_tab_reaches_every_control_and_shows_where_it_is(visit):
    page = visit("/stations")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const one = document.activeElement;
              const style = getComputedStyle(one);
              return [one.outerHTML.slice(0, 80), one.tagName,
                      parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== 'none']; }"""
        )
        if found[1] == "BODY":
            break
        assert found[2], f"no focus to be seen at {found[0]}"
        reached.append(found[0])
    assert "skip" in reached[0]
    asked = page.locator("a[href], button, input:not([type=hidden])").filter(visible=True).count()
    assert len(set(reached)) >= asked - 1


def test_check_29_the_skip_link_leads_past_the_frame(visit):
    page = visit("/stations")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_check_29_g_and_a_letter_lead_to_every_page_of_the_frame(visit, console):
    page = visit()
    for letter, path in LETTERS.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(console.address.rstrip("/") + path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_29_the_list_of_keys_opens_traps_and_gives_the_focus_back(visit, language):
    page = visit(language=language)
    page.locator("#keys-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#keys")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "keys-button"
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_check_29_slash_goes_to_the_search_and_escape_leaves_it(visit):
    page = visit()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("g")
    expect(page.locator("#search")).to_have_value("g")
    page.keyboard.press("Escape")
    expect(page.locator("#search")).not_to_be_focused()


def test_check_29_a_scan_anywhere_goes_to_the_search(visit):
    page = visit("/stations")
    page.evaluate(SCAN, "PCB-L-00902")
    page.wait_for_url(re.compile(r"[?&](q|code)=PCB-L-00902"))


def test_check_29_a_scan_does_not_press_what_has_the_focus(visit):
    page = visit("/stations")
    page.locator(".person button").focus()
    page.evaluate(SCAN, "gsxr/?jk")
    page.wait_for_url(re.compile(r"[?&](q|code)=gsxr"))
    expect(page.locator(".person button")).to_be_visible()  # still signed in


def test_check_29_a_scan_into_the_middle_of_a_text_leaves_the_text_alone(visit):
    page = visit("/stations")
    page.evaluate(
        """() => { document.querySelector('main').insertAdjacentHTML(
            'beforeend', '<textarea id="note" aria-label="note"></textarea>');
            document.getElementById('note').focus(); }"""
    )
    note = page.locator("#note")
    note.press_sequentially("both seen", delay=80)
    with page.context.expect_page() as opened:
        page.evaluate(SCAN, "PCB-L-00902")
    opened.value.wait_for_url(re.compile(r"[?&](q|code)=PCB-L-00902"))
    expect(note).to_have_value("both seen")


def test_check_29_pages_work_without_script(visit):
    page = visit(java_script_enabled=False)
    for path in ("/", "/stations"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
    page.locator('.languages a[hreflang="zh"]').click()
    expect(page.locator("h1")).to_have_text("工作站")
    page.locator(".person button").click()
    expect(page.locator("h1")).to_have_text("登录")


def test_check_29_what_came_from_a_label_is_shown_and_never_run(visit):
    page = visit("/stations")
    for path in ("/", "/stations", "/conflicts", "/trace", "/codes"):
        page.goto(path)
        assert page.title() != "taken"
        assert page.locator("main img").count() == 0
    page.goto(f"/trace?code={ATTACK}")
    assert page.title() != "taken"


# Keys as a scanner types them: 8 ms apart, whatever else the machine does meanwhile.
SCAN = """(text) => {
  const at = performance.now();
  let count = 0;
  for (const key of [...text, 'Enter']) {
    const place = document.activeElement;
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
    Object.defineProperty(event, 'timeStamp', { value: at + 8 * count++ });
    const goes = place.dispatchEvent(event);
    if (goes && key.length === 1 && 'value' in place) place.value += key;
  }
}"""
