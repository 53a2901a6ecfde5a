"""From exact bytes to typed events and back (`format.md` 1).

Rules:
1. What is accepted is decided by `tally.records.line.read_strict` and the body types; nothing else.
2. The fast path decodes a whole batch in C and proves it by encoding it again: equal bytes mean no
   duplicate key, no float, no stray field, no other spelling. Anything else goes line by line.
3. An authentic line that cannot be read is an `Unread` with a reason, never an exception: it is
   stored, forwarded, counted, and read by a later version of this program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from tally.events.registry import CARRIES_CONTENT, NAMES, TYPES
from tally.events.types import Body
from tally.records.line import LineError, build_line, read_strict

OwnSeq: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**40 - 1)]
RefText: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Z2-7]{26}:[1-9][0-9]{0,12}:[0-9a-f]{16}\Z")
]
Stamp: TypeAlias = Annotated[str, msgspec.Meta(min_length=17, max_length=17)]
"""Compared as text and never trusted, so only its length is checked here (a pattern costs 1 µs
an event).
"""


class EventLine(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One event as its line says it; journal, seq and id follow from where the line stands.

    `hlc`: hybrid clock stamp; `at`: wall clock with offset as people there saw it; `by`: badge
    or `system`; `seen`: events this one rests on, own ones as seq, others as references
    (`tally.records.ids.Ref`); `salt`: hex, for lines that may be erased.
    """

    v: Literal[1] = msgspec.field()
    hlc: Stamp
    at: str
    by: str
    seen: tuple[OwnSeq | RefText, ...] = ()
    salt: str | None = None
    b: Body

    @property
    def t(self) -> str:
        """Name of the type."""
        return NAMES[type(self.b)]


@dataclass(frozen=True, slots=True)
class Unread:
    """An authentic line that this version cannot interpret.

    `reason`: `unknown_type` (a newer agent), `unknown_version`, `malformed`; `lost`: the line is no
    more, its id is (`losses`); `not_taken`: it can be read, and a ledger raised over it
    (`tally.ledger.taking`). `words` for the developer's list.
    """

    reason: Literal["unknown_type", "unknown_version", "malformed", "lost", "not_taken"]
    t: str
    words: str


def _line_type(name: str, body: type[Body]) -> type[EventLine]:
    return msgspec.defstruct(  # type: ignore[return-value]  # typed as a plain Struct
        "Line_" + body.__name__,
        [("b", body)],
        bases=(EventLine,),
        tag_field="t",
        tag=name,
        frozen=True,
        kw_only=True,
        omit_defaults=True,
        forbid_unknown_fields=True,
    )


_LINE_TYPES: Final = {body: _line_type(name, body) for name, body in TYPES.items()}
_UNION: Any = reduce(or_, _LINE_TYPES.values())
_decoder: msgspec.json.Decoder[EventLine] = msgspec.json.Decoder(_UNION)
_encoder = msgspec.json.Encoder()


def write_line(
    body: Body,
    *,
    hlc: str,
    at: str,
    by: str,
    seen: Sequence[int | str] = (),
    salt: str | None = None,
) -> bytes:
    """The exact bytes of a new event.

    Raises: as `write_event`.
    """
    return write_event(body, hlc=hlc, at=at, by=by, seen=seen, salt=salt)[0]


def write_event(
    body: Body,
    *,
    hlc: str,
    at: str,
    by: str,
    seen: Sequence[int | str] = (),
    salt: str | None = None,
) -> tuple[bytes, EventLine]:
    """The exact bytes of a new event, and what was read back from them.

    Raises:
        LineError: the line would leave the profile (over 64 KiB, floats in content, …).
        ValueError: a field has another shape than its type says (a caller's bug).
    """
    line = build_line(
        _LINE_TYPES[type(body)](v=1, hlc=hlc, at=at, by=by, seen=tuple(seen), salt=salt, b=body)
    )
    written = read_line(line)
    if isinstance(written, Unread):
        raise ValueError(  # noqa: TRY004  (the value is wrong, not the type)
            f"{NAMES[type(body)]}: what was built cannot be read: {written.words}"
        )
    return line, written


def read_line(line: bytes) -> EventLine | Unread:
    """Interpret one line."""
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _explain(line, str(error))
    if _encoder.encode(event) == line and not isinstance(event.b, CARRIES_CONTENT):
        return event
    try:
        read_strict(line)
    except LineError as error:
        return Unread("malformed", event.t, str(error))
    return event


def read_lines(lines: Sequence[bytes]) -> list[EventLine | Unread]:
    """Interpret many lines, in order; the same answers as `read_line` for each."""
    together = b"\n".join(lines)
    try:
        events = _decoder.decode_lines(together)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [read_line(line) for line in lines]
    proven = _encoder.encode_lines(events) == together + b"\n" and len(events) == len(lines)
    if proven and not any(isinstance(event.b, CARRIES_CONTENT) for event in events):
        return list(events)
    return [read_line(line) for line in lines]


def _explain(line: bytes, words: str) -> Unread:
    if not line:
        return Unread("lost", "?", "The line is lost; its writer says so.")
    try:
        fields = read_strict(line)
    except LineError as error:
        return Unread("malformed", "?", str(error))
    name, version = fields.get("t"), fields.get("v")
    if not isinstance(name, str) or not isinstance(version, int):
        return Unread("malformed", "?", "The line has no type name `t` or no version `v`.")
    if name not in TYPES:
        return Unread("unknown_type", name[:64], f"No event type {name[:64]!r} in this version.")
    if version != 1:
        return Unread("unknown_version", name, f"Version {version} of {name} is not known here.")
    return Unread("malformed", name, f"{name}: {words}")
