"""The app over a real station: its loop, journal and demo plant, on a thread; keys as they come."""

import asyncio
import datetime as dt
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual import events

from edge_agent.bootstrap.folder import settings_of
from edge_agent.bootstrap.station import open_station
from edge_agent.journal.store import open_reader
from edge_agent.station.posting import Silent
from edge_agent.ui.app import StationApp
from edge_agent.ui.cells import text_of
from edge_agent.ui.practice import Practice, Practised
from edge_agent.ui.tray import Tray
from edge_agent.wording.screen import SCREEN
from edge_agent.workflow.types import Verdict
from tally.events.decoding import read_line
from tests.support.station_process import enrolled
from tests.unit.ui.scenes import answered, lamp

PATIENCE_S = 20


class Clock:
    """Seconds that a test moves."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


class Pictures:
    """What the station's thread says, on its way to the screen."""

    def __init__(self):
        self.app = self.newest = None
        self._has_ended = False
        self._lock = threading.Lock()

    def show(self, snapshot):
        with self._lock:
            self.newest = snapshot
            if self.app and not self._has_ended:
                self.app.show(snapshot)

    def end_with(self, snapshot):
        with self._lock:
            self._has_ended = True
            self.app.show(snapshot)


class Floor:
    """A station and its screen."""

    def __init__(self, app, pilot, clock, folder, pictures):
        self.app, self.pilot, self.clock, self.folder = app, pilot, clock, folder
        self._pictures = pictures

    @property
    def rows(self):
        return [text_of(row) for row in self.app._canvas.rows]

    @property
    def screen(self):
        return "\n".join(self.rows)

    @property
    def shown(self):
        return self.app._shown

    def show_at_last(self, snapshot):
        """Show this; what the station itself says later no longer overtakes it."""
        self._pictures.end_with(snapshot)

    async def until(self, is_so):
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, self.screen
            await self.pilot.pause(0.01)

    async def _after_an_answer(self, act):
        before = self.shown.band.number
        act()
        await self.until(lambda: self.shown.band.number > before)
        await self.pilot.pause()
        return self.shown

    async def scan(self, text):
        """A burst, as a keyboard wedge types it."""
        now = asyncio.get_running_loop().time()

        def burst():
            for at, one in enumerate([*text, "enter"]):
                key = events.Key(one, "\r" if one == "enter" else one)
                key.time = now + at * 0.005
                self.app.post_message(key)

        return await self._after_an_answer(burst)

    async def press(self, *keys):
        """A person's keys that get an answer of the station."""

        def press():
            for key in keys:
                self.app.person_key(key, key if len(key) == 1 else None)

        return await self._after_an_answer(press)

    def events(self):
        connection = open_reader(self.folder / "journal.db")
        rows = connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
        connection.close()
        return [read_line(row[0]) for row in rows]


@asynccontextmanager
async def floor(folder, *, size=(80, 24), **more):
    """The app, running; the loop's thread opens and closes the station."""
    clock, ready, left, pictures = Clock(), threading.Event(), {}, Pictures()

    def run():
        with open_station(
            folder, settings_of(folder), Silent(), language="en", show=pictures.show
        ) as opened:
            left["station"] = opened.posting
            ready.set()
            left["status"] = opened.loop.run()
        app.ended(left["status"])

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(PATIENCE_S)
    app = pictures.app = StationApp(left["station"], monotonic=clock, language="en", **more)
    try:
        async with app.run_test(size=size) as pilot:
            if pictures.newest:
                app.show(pictures.newest)
            here = Floor(app, pilot, clock, folder, pictures)
            await here.until(lambda: here.shown is not None)
            yield here
    finally:
        left["station"].leave()
        thread.join(PATIENCE_S)


@pytest.fixture
def folder(tmp_path):
    return enrolled(tmp_path / "S03").folder


def play(story):
    asyncio.run(story)


def test_a_burst_is_one_scan_and_its_ok_goes_to_the_last_scans_after_a_moment(folder):
    async def story():
        async with floor(folder) as here:
            shown = await here.scan("BDG-1107")
            assert shown.band.verdict is Verdict.OK
            assert "已登录" in here.rows[12]
            here.clock.seconds += 2.0
            await here.until(lambda: not here.rows[12].strip())
            assert any("OK    已登录  张伟" in row for row in here.rows)

    play(story())


def test_enter_alone_does_nothing_and_a_typed_code_needs_it(folder):
    async def story():
        async with floor(folder) as here:
            here.app.person_key("enter", "\r")
            number = here.shown.band.number
            here.app.person_key("f3", None)
            for one in "BDG-1108":
                here.app.person_key(one, one)
            here.app.person_key("backspace", None)
            await here.pilot.pause()
            assert "TYPED: BDG-110_" in here.screen
            here.app.person_key("7", "7")
            shown = await here.press("enter")
            assert shown.band.number == number + 1
            assert shown.operator.en == "ZHANG Wei"
            assert "TYPED" not in here.screen

    play(story())


def test_a_scan_while_something_is_typed_is_judged_and_nothing_is_typed(folder):
    async def story():
        async with floor(folder) as here:
            here.app.person_key("f3", None)
            here.app.person_key("X", "X")
            shown = await here.scan("BDG-1107")
            assert shown.operator.en == "ZHANG Wei"
            assert "手输:X_" in here.screen
            here.app.person_key("escape", None)
            await here.pilot.pause()
            assert "手输:" not in here.screen

    play(story())


def test_a_unit_is_built_by_keyboard_alone_and_its_scans_are_marked_typed(folder):
    async def story():
        async with floor(folder) as here:

            async def type_in(text):
                return await here.press("f3", *text, "enter")

            await type_in("BDG-1107")
            shown = await here.press("ctrl+n")
            code = shown.unit
            shown = await type_in(code)
            assert (shown.step, shown.band.title.en) == (3, "Label verified, no work order")
            await here.press("f4")
            shown = await here.press("f7")
            assert shown.step == 2
            await type_in(code)
            shown = await here.press("f6")
            assert shown.band.verdict is Verdict.HOLD
            shown = await here.press("f12")
            assert shown.operator is None
        bodies = [event.b for event in here.events()]
        kinds = [type(body).__name__ for body in bodies]
        assert kinds.count("UnitCommissioned") == 2
        assert kinds[-2:] == ["HoldPlaced", "OperatorSignedOut"]

    play(story())


def test_the_language_changes_at_once_and_everywhere_while_the_step_stays(folder):
    async def story():
        async with floor(folder) as here:
            await here.scan("BDG-1107")
            await here.scan("24-1187")
            shown = await here.press("ctrl+n")
            chinese = here.screen
            again = await here.press("f10")
            assert (again.unit, again.step) == (shown.unit, shown.step)
            assert not any(ord(one) > 0x2E80 for one in here.screen)
            assert "产品" in chinese
            words = {one.strip("|+ ") for row in chinese.split("\n") for one in row.split()}
            english = {"UNIT", "step", "SCAN", "NOW:", "codes", "unsent", "OFFLINE", "verified"}
            assert not english & words

    play(story())


def test_a_language_asked_for_stays_whoever_signs_in_until_it_is_changed_by_hand(folder):
    async def story():
        async with floor(folder, is_language_fixed=True) as here:
            await here.scan("BDG-1107")
            assert "SIGNED IN" in here.screen
            await here.press("f10")
            assert "语言已切换" in here.screen
            await here.press("f10")
            assert "LANGUAGE CHANGED" in here.screen

    play(story())


def test_a_window_that_is_too_small_refuses_scans_and_keeps_the_state(folder):
    async def story():
        async with floor(folder) as here:
            await here.scan("BDG-1107")
            shown, before = await here.press("ctrl+n"), len(here.events())
            await here.pilot.resize_terminal(60, 20)
            here.app.on_scan(shown.unit.encode(), "keyboard")
            here.app.person_key("f7", None)
            await here.pilot.pause()
            assert here.rows[0].strip() == "窗口 60x20,需要 80x24。数据安全。"
            assert "E-902" in here.screen
            assert "UNIT" not in here.screen
            await here.pilot.resize_terminal(120, 40)
            await here.until(lambda: {cell_len(row) for row in here.rows} == {120})
            assert len(here.events()) == before
            assert shown.unit in here.screen
            assert "E-902" not in here.screen
            shown = await here.scan(shown.unit)
            assert shown.step == 3

    play(story())


def test_ctrl_l_cuts_and_restores_the_link_where_one_practises(folder):
    async def story():
        tray = Tray(Practice(badge="BDG-1107"), Practised(), None)
        async with floor(folder, tray=tray) as here:
            shown = await here.press("ctrl+l")
            assert shown.status.is_link_cut
            assert "The link is cut." in here.screen
        async with floor(folder) as here:
            assert here.shown.status.is_link_cut
            shown = await here.press("ctrl+l")
            assert not shown.status.is_link_cut
            here.app.person_key("ctrl+l", None)
            shown = await here.press("f1")
            assert not shown.status.is_link_cut

    play(story())


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
def test_leaving_ends_the_loop_and_the_screen(folder, key):
    async def story():
        async with floor(folder) as here:
            here.app.person_key(key, None)
            await here.until(lambda: here.app._status == 0)
        assert here.app.return_value == 0

    play(story())


def test_a_practice_code_is_scanned_with_enter_and_chosen_with_the_arrows(folder):
    async def story():
        practice = Practice(badge="BDG-1107", wrong="4006381333931")
        tray = Tray(practice, Practised(), None)
        async with floor(folder, tray=tray, is_language_fixed=True) as here:
            assert "[BDG-1107]" in here.screen
            shown = await here.press("enter")
            assert shown.operator.en == "ZHANG Wei"
            assert "[CTLNEXT]" in here.screen
            shown = await here.press("enter")
            here.app.person_key("right", None)
            await here.pilot.pause()
            assert "[4006381333931]" in here.screen
            shown = await here.press("enter")
            assert shown.band.verdict is Verdict.NG
            assert shown.last[0].source == "practice"

    play(story())


def test_a_fault_of_the_journal_stays_on_the_screen_until_a_person_leaves(folder):
    async def story():
        async with floor(folder) as here:
            band = replace(answered("lock").band, code="J-104", number=99)
            here.show_at_last(replace(lamp(), band=band, fatal=True))
            here.app.ended(1)
            await here.until(lambda: here.app._status == 1)
            assert "J-104" in here.screen
            assert "Ctrl+Q leaves." in here.screen
            here.app.on_scan(b"BDG-1107", "keyboard")
            here.app.person_key("ctrl+q", None)
            await here.until(lambda: not here.app.is_running or here.app._exit)
        assert here.app.return_value == 1

    play(story())


def test_the_warning_of_a_window_without_focus_is_only_for_a_keyboard_scanner(folder):
    async def story():
        async with floor(folder) as here:
            here.app.post_message(events.AppBlur())
            await here.until(lambda: SCREEN["blurred"].en in here.screen)
            here.app.post_message(events.AppFocus())
            await here.until(lambda: SCREEN["blurred"].en not in here.screen)
            here.show_at_last(replace(lamp(), at=lamp().at + dt.timedelta(seconds=1)))
            here.app.post_message(events.AppBlur())
            await here.until(lambda: here.app._is_blurred)
            assert SCREEN["blurred"].en not in here.screen

    play(story())
