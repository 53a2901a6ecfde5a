"""What a screen without hardware can offer to scan: the next right code, and some wrong ones.

Pure: codes of a file, what the station wants now and what was practised so far give the choices and
one line that leads on. The widget is `edge_agent.ui.tray`; the texts are
`edge_agent.wording.practising`. For `tally demo`; a plant's screen has no tray.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

import msgspec

from edge_agent.station.snapshot import News, Snapshot
from edge_agent.wording.titles import TITLES
from edge_agent.workflow.expects import Expects
from edge_agent.workflow.types import Says, Verdict

FILE_BYTES_MAX: Final = 64 * 1024
CHOICES_MAX: Final = 5

_DECIDED: Final = tuple(
    TITLES[key] for key in ("ready.kept", "ng.back", "ng.back_nowhere", "ng.ended")
)

Kind: TypeAlias = Literal["right", "wrong", "again", "hold", "untested", "shared"]


class Practice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The codes of a practice file, JSON.

    Attributes:
        badge, lead: badges of an operator and of a team leader.
        order: a work order, where one is wanted.
        part: serials by part, each good for one unit.
        lot: lots by part that may be loaded.
        measure: by characteristic, a value that is right and one that is out of limits.
        wrong: a code that fits no step.
        hold: by part, a lot that must not be used.
        untested: by part, serials that lack an operation.
        shared: by part, serials that another station builds in while this one is cut off.
        console: where the hub's console is.
        told: file that gets a JSON line for everything practised; read again at the next start.
    """

    badge: str
    lead: str = ""
    order: str = ""
    part: dict[str, tuple[str, ...]] = {}
    lot: dict[str, tuple[str, ...]] = {}
    measure: dict[str, tuple[str, ...]] = {}
    wrong: str = ""
    hold: dict[str, str] = {}
    untested: dict[str, tuple[str, ...]] = {}
    shared: dict[str, tuple[str, ...]] = {}
    console: str = ""
    told: str = ""


class PracticeError(ValueError):
    """The file is no list of practice codes; the words say what was expected and found."""


def read_practice(content: bytes, *, name: str) -> Practice:
    """Read a practice file.

    Raises:
        PracticeError: longer than `FILE_BYTES_MAX`, or not what `Practice` describes.
    """
    if len(content) > FILE_BYTES_MAX:
        raise PracticeError(
            f"{name} is too long for practice codes: expected at most {FILE_BYTES_MAX} bytes, "
            f"found {len(content)}."
        )
    try:
        return msgspec.json.decode(content, type=Practice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PracticeError(
            f"{name} is no list of practice codes: {error}. Expected a JSON object such as "
            '{"badge": "BDG-1107", "part": {"PCB-L": ["PCB-L-00897"]}}.'
        ) from error


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to scan; a number at a measure step is its value, and like a command no code."""

    kind: Kind
    text: str
    is_code: bool = True


@dataclass(frozen=True, slots=True)
class Practised:
    """What happened so far.

    Attributes:
        gone: codes given here or built in by any other way; a serial is not offered twice.
        last: the last code given.
        first: the first unit in which something was OK; empty before.
        finished: units finished.
        is_cut: whether the link is cut.
        shared: by cut, the serial that another station builds in too; empty when none was left.
        finished_at_return: units finished when the link was last back.
        decided: the shared serials whose case is decided.
        seen: number of the last verdict.
    """

    gone: frozenset[str] = frozenset()
    last: str = ""
    first: str = ""
    finished: int = 0
    is_cut: bool = False
    shared: tuple[str, ...] = ()
    finished_at_return: int = 0
    decided: frozenset[str] = frozenset()
    seen: int = 0

    @property
    def board(self) -> str:
        """The shared serial of the present or last cut; empty if there is none."""
        return self.shared[-1] if self.shared else ""

    @property
    def is_twice(self) -> bool:
        """Whether that one was built in here as well."""
        return self.board in self.gone


def choices(practice: Practice, wants: Expects, so_far: Practised) -> tuple[Choice, ...]:
    """Give what can be scanned now, at most five, the right one first; empty if none is known."""
    right = [choice for choice in _right(practice, wants, so_far) if choice.text]
    if not right:
        return ()
    found: dict[str, Choice] = {}
    for choice in (*right, *_others(practice, wants, so_far)):
        found.setdefault(choice.text, choice)
    return tuple(choice for text, choice in found.items() if text)[:CHOICES_MAX]


def _right(practice: Practice, wants: Expects, so_far: Practised) -> Iterator[Choice]:
    match wants.kind:
        case "badge":
            yield Choice("right", practice.lead if wants.lead else practice.badge)
        case "order":
            yield Choice("right", practice.order)
        case "label":
            yield Choice("right", wants.code)
        case "part":
            is_open = so_far.is_cut and not so_far.is_twice
            if is_open and so_far.board in practice.shared.get(wants.part, ()):
                yield Choice("shared", so_far.board)
            yield from _fresh("right", practice.part.get(wants.part, ()), so_far)
        case "lot":
            yield from (Choice("right", lot) for lot in practice.lot.get(wants.part, ())[:1])
        case "measure":
            values = practice.measure.get(wants.characteristic, ())
            yield from (Choice("right", value, is_code=False) for value in values[:1])
        case "command" | "pass_fail" | "defect":
            yield from (Choice("right", word, is_code=False) for word in wants.commands[:1])
        case "pack" | "printer":
            pass  # nothing that could be known beforehand


def _others(practice: Practice, wants: Expects, so_far: Practised) -> Iterator[Choice]:
    """What a newcomer may try to see what the station says."""
    if wants.kind in {"part", "lot", "label"}:
        yield Choice("wrong", practice.wrong)
    if wants.kind == "measure":
        values = practice.measure.get(wants.characteristic, ())
        yield from (Choice("wrong", value, is_code=False) for value in values[1:2])
    if wants.kind not in {"badge", "printer"}:
        yield Choice("again", so_far.last)
    if wants.kind in {"part", "lot"}:
        yield Choice("hold", practice.hold.get(wants.part, ""))
    if wants.kind == "part":
        yield from _fresh("untested", practice.untested.get(wants.part, ()), so_far)


def _fresh(kind: Kind, codes: tuple[str, ...], so_far: Practised) -> Iterator[Choice]:
    yield from [Choice(kind, code) for code in codes if code not in so_far.gone][:1]


def after_giving(so_far: Practised, choice: Choice) -> Practised:
    """What was practised once this was given, whatever the station says to it."""
    if not choice.is_code:
        return so_far
    return replace(so_far, gone=so_far.gone | {choice.text}, last=choice.text)


def after_snapshot(practice: Practice, so_far: Practised, snapshot: Snapshot) -> Practised:
    """What was practised once the station shows this."""
    so_far = after_link(practice, so_far, is_cut=snapshot.status.is_link_cut)
    built_in = {one.code for one in snapshot.contents} & _serials(practice)
    decided = {board for board in so_far.shared if _is_decided(board, snapshot.news)}
    if not (built_in <= so_far.gone and decided <= so_far.decided):
        gone, settled = so_far.gone | built_in, so_far.decided | decided
        so_far = replace(so_far, gone=gone, decided=settled)
    band = snapshot.band
    if band is None or band.number == so_far.seen:
        return so_far
    # A unit is born when its label was read back; before that its code is only reserved.
    is_born = band.verdict is Verdict.OK and snapshot.expects.kind != "label"
    first = so_far.first or (snapshot.unit or "" if is_born else "")
    is_done = band.verdict is Verdict.DONE
    return replace(so_far, first=first, finished=so_far.finished + is_done, seen=band.number)


def _serials(practice: Practice) -> frozenset[str]:
    listed = (*practice.part.values(), *practice.shared.values(), *practice.untested.values())
    return frozenset(code for codes in listed for code in codes)


def _is_decided(board: str, news: Sequence[News]) -> bool:
    """Whether the hub has told how the case about this board ended."""
    return any(board in one.text.en for one in news if board and one.title in _DECIDED)


def after_link(practice: Practice, so_far: Practised, *, is_cut: bool) -> Practised:
    """What was practised once the link is cut or back; a cut brings the next shared serial."""
    if is_cut == so_far.is_cut:
        return so_far
    if not is_cut:
        return replace(so_far, is_cut=False, finished_at_return=so_far.finished)
    serials = (code for codes in practice.shared.values() for code in codes)
    # One of an earlier cut was used up by the other station, whether it was scanned here or not.
    used = {*so_far.gone, *so_far.shared}
    board = next((code for code in serials if code not in used), "")
    return replace(so_far, is_cut=True, shared=(*so_far.shared, board))


@dataclass(frozen=True, slots=True)
class Hint:
    """One line that leads on: key into the wording and what its placeholders say."""

    key: str
    says: Says = field(default_factory=dict)


def hint(practice: Practice, so_far: Practised, chosen: Choice | None) -> Hint:
    """Give what the tray says: about a choice that is not the right one, else what to try next."""
    if chosen is None:
        return Hint("practice.wait")
    if chosen.kind != "right":
        return Hint(f"practice.{chosen.kind}")
    console = practice.console.removeprefix("http://").rstrip("/")
    if so_far.is_cut:
        key = "practice.restore" if so_far.is_twice else "practice.cut"
        return Hint(key, {"code": so_far.board})
    is_open = so_far.is_twice and so_far.board not in so_far.decided
    if is_open and so_far.finished == so_far.finished_at_return:
        return Hint("practice.case", {"console": console})
    if so_far.finished:
        return Hint("practice.pull")
    if so_far.first:
        return Hint("practice.live", {"tail": so_far.first[-3:], "console": console})
    return Hint("practice.start")
