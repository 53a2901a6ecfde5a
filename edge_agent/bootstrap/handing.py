"""Codes that change hands by command: the running station does it, else the command itself.

There is one writer of a journal in either case.
"""

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_agent.bootstrap.folder import settings_of
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.giving import NotGivenError
from edge_agent.journal.journal import Journal
from edge_agent.settings import SettingsError
from edge_agent.station import handing
from edge_agent.station.admin_socket import Answer, NoStationError, Operation, ask
from edge_agent.station.clock import Clock, SystemClock
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.marking import Marker, marks_folder
from edge_agent.station.messages import KeepAsked, Recorded
from tally.events.types import BlockLent, BlockReturned, Int

LEND: Final = "lend"
GIVE_BACK: Final = "give-back"
WAIT_SECONDS: Final = 20.0
"""For the loop; less than the command waits for its answer."""


class _Lend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    block: str
    count: Int
    station: str
    badge: str


class _GiveBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    block: str
    count: Int | None
    badge: str
    reason: str


_Wish = _Lend | _GiveBack
_ASKED: Final[Mapping[str, type[_Wish]]] = {LEND: _Lend, GIVE_BACK: _GiveBack}
_Given = BlockLent | BlockReturned


def give_back(
    directory: Path, block: str, count: int | None, *, badge: str, reason: str
) -> BlockReturned:
    """Give the unused end of a block back; on the disk when this returns.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`.
        NotGivenError: these codes cannot be given back, or this person may not.
        AskedInVainError: the running station broke off.
    """
    done = _do(directory, GIVE_BACK, _GiveBack(block, count, badge, reason))
    assert isinstance(done, BlockReturned), "what was asked for"
    return done


def lend(directory: Path, block: str, count: int, station: str, *, badge: str) -> BlockLent:
    """Lend the unused end of a block to a neighbour; on the disk when this returns.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`.
        NotGivenError: these codes cannot be lent, or this person may not.
        AskedInVainError: the running station broke off.
    """
    done = _do(directory, LEND, _Lend(block, count, station, badge))
    assert isinstance(done, BlockLent), "what was asked for"
    return done


def _do(directory: Path, operation: str, wish: _Wish) -> _Given:
    try:
        answer = ask(directory, operation, msgspec.to_builtins(wish))
    except NoStationError:
        return _alone(directory, wish)
    if "refused" in answer:
        raise NotGivenError(str(answer["refused"]), str(answer.get("zh", "")))
    if isinstance(wish, _Lend):
        return msgspec.convert(answer["given"], BlockLent)
    return msgspec.convert(answer["given"], BlockReturned)


def _alone(directory: Path, wish: _Wish) -> _Given:
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        _look_at_mark(directory, journal, clock)
        knowledge = StationKnowledge(journal, clock, language="en", devices=frozenset())
        return _perform(journal, knowledge, clock, wish)


def _perform(journal: Journal, knowledge: StationKnowledge, clock: Clock, wish: _Wish) -> _Given:
    now, person = clock.now(), knowledge.person
    if isinstance(wish, _Lend):
        return handing.lend(
            journal, person, wish.block, wish.count, wish.station, badge=wish.badge, at=now
        )
    return handing.give_back(
        journal, person, wish.block, wish.count, badge=wish.badge, reason=wish.reason, at=now
    )


def _look_at_mark(directory: Path, journal: Journal, clock: Clock) -> None:
    """An older journal that was put back and never started since is found here as at a start."""
    mark = None
    with suppress(SettingsError):  # the usual place then
        mark = settings_of(directory).mark
    Marker(journal, marks_folder(mark, os.environ), clock).found()


# ---- the running station's side -----------------------------------------------------------------


def handing_on(inbox: Inbox, knowledge: StationKnowledge, clock: Clock) -> Mapping[str, Operation]:
    """The operations by which a command lets the running station lend or give back."""

    def operation(kind: type[_Wish]) -> Operation:
        def perform(arguments: Answer) -> Answer:
            try:
                wish = msgspec.convert(arguments, kind)
            except msgspec.ValidationError as error:
                return {"refused": str(error)}
            return _by_the_loop(inbox, lambda journal: _perform(journal, knowledge, clock, wish))

        return perform

    return {name: operation(kind) for name, kind in _ASKED.items()}


def _by_the_loop(inbox: Inbox, act: Callable[[Journal], _Given]) -> dict[str, Any]:
    """Let the one writer do it, between two scans; what was answered as not done is not done."""
    answer: dict[str, Any] = {}
    turn = threading.Lock()  # taken once: by the loop that does it, or by who no longer waits

    def keep(journal: Journal) -> Recorded | None:
        if not turn.acquire(blocking=False):
            return None
        try:
            given = act(journal)
        except NotGivenError as error:
            answer.update(refused=str(error), zh=error.zh)
            return None
        answer["given"] = msgspec.to_builtins(given)
        return Recorded(handing.LENT, handing.given_words(given))

    asked = KeepAsked(keep)
    inbox.post(asked)
    try:
        try:
            asked.done.result(timeout=WAIT_SECONDS)
        except TimeoutError:
            if turn.acquire(blocking=False):
                return {"refused": "The station is busy; nothing was done. Repeat the command."}
            asked.done.result()
    except JournalFault as fault:
        return {"refused": f"{fault.code}: {fault.words}", "zh": fault.words_zh}
    except CancelledError:
        return {"refused": "The station is ending; nothing was done. Repeat the command."}
    return answer
