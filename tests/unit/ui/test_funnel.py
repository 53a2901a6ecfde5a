"""The funnel hands scans and a person's keys to the app, whatever stands on the screen."""

import asyncio
from typing import ClassVar

import pytest
from textual import events
from textual.widgets import Button, Input

from edge_agent.ui.funnel import FunnelledApp


class Listening(FunnelledApp):
    """An app with everything on it that would like to have keys."""

    BINDINGS: ClassVar = [("a", "boom", "boom"), ("enter", "boom", "boom")]

    def __init__(self):
        super().__init__()
        self.heard = []
        self.news = asyncio.Event()

    def compose(self):
        yield Input(id="box")
        yield Button("press me", id="button")

    def action_boom(self):
        raise AssertionError("a key reached a binding")

    def on_button_pressed(self):
        raise AssertionError("a key reached a button")

    def hear(self, *what):
        self.heard.append(what)
        self.news.set()

    def on_scan(self, raw, source):
        self.hear("scan", raw, source)

    def on_partial_scan(self, raw, source):
        self.hear("part", raw, source)

    def person_key(self, key, character):
        self.hear("key", key, character)


def with_app(story):
    """Run a story in a running app; nothing may ever stand in its box."""

    async def run():
        app = Listening()
        async with app.run_test() as pilot:
            app.query_one("#box").focus()
            await story(app, pilot)
            assert app.query_one("#box").value == ""

    asyncio.run(run())


async def heard(app, count):
    while len(app.heard) < count:
        app.news.clear()
        await app.news.wait()
    return app.heard


def press(app, text):
    """Keys as a driver posts them, all at one moment."""
    for one in text:
        key = {"\r": "enter", "\x1d": "ctrl+right_square_bracket"}.get(one, one)
        app.post_message(events.Key(key, one))


def test_a_burst_is_a_scan_and_never_a_key_or_text():
    async def story(app, pilot):
        press(app, "aPCB-L-\x1d931\r")
        assert await heard(app, 1) == [("scan", b"aPCB-L-\x1d931", "keyboard")]

    with_app(story)


def test_half_a_burst_is_a_part_once_the_scanner_is_known_to_end_with_enter():
    async def story(app, pilot):
        press(app, "PCB-L-00931\rPCB-L-0")
        assert (await heard(app, 2))[1] == ("part", b"PCB-L-0", "keyboard")

    with_app(story)


def test_a_persons_key_comes_by_itself_after_a_moment():
    async def story(app, pilot):
        await pilot.press("a")
        assert await heard(app, 1) == [("key", "a", "a")]
        await pilot.press("f4", "enter", "escape", "tab")
        assert [what[1] for what in (await heard(app, 5))[1:]] == ["f4", "enter", "escape", "tab"]

    with_app(story)


def test_a_paste_is_a_scan_for_each_line():
    async def story(app, pilot):
        app.post_message(events.Paste("PCB-L-00931\nPCB-L-00932\n"))
        found = await heard(app, 2)
        assert [what[1] for what in found] == [b"PCB-L-00931", b"PCB-L-00932"]

    with_app(story)


@pytest.mark.parametrize("key", ["ctrl+p", "ctrl+q", "ctrl+c"])
def test_textuals_own_keys_do_nothing_by_themselves(key):
    async def story(app, pilot):
        await pilot.press(key)
        assert (await heard(app, 1))[0][1] == key
        assert app.is_running
        assert len(app.screen_stack) == 1

    with_app(story)


def test_many_bursts_keep_their_order():
    codes = [f"PCB-L-{number:05}" for number in range(100)]

    async def story(app, pilot):
        press(app, "".join(f"{code}\r" for code in codes))
        assert [what[1].decode() for what in await heard(app, 100)] == codes

    with_app(story)


def test_what_the_terminal_says_and_nobody_understands_is_no_key_but_a_gap_in_a_scan():
    async def story(app, pilot):
        app.post_message(events.Key("unknown", None))
        press(app, "PCB-L-0")
        app.post_message(events.Key("unknown", None))
        press(app, "0931\r")
        assert await heard(app, 1) == [("scan", "PCB-L-0\ufffd0931".encode(), "keyboard")]

    with_app(story)
