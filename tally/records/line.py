"""The event line: strict profile of JSON, built once and never re-serialised (`format.md` 1).

Rules of this module:
1. `build_line` is the only writer. Its bytes are what is hashed, stored, sent and exported.
2. `read_strict` decides whether foreign bytes are inside the profile. It is slow and exact; faster
   readers (`tally.events.decoding`) may only accept what it would accept.
3. A line outside the profile may still be an authentic event. It is then kept, counted and not
read.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

LINE_BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
INTEGER_MAX: Final = 2**53 - 1

_encoder = msgspec.json.Encoder()


class LineError(ValueError):
    """Bytes are not an event line of the strict profile; the message says where and why."""


def build_line(fields: msgspec.Struct | dict[str, Any]) -> bytes:
    """The exact bytes of one event, compact UTF-8 JSON without a line break.

    Raises:
        LineError: the result would leave the profile (a float, a large integer, over 64 KiB, …).
    """
    line = _encoder.encode(fields)
    check_size(line)
    return line


def check_size(line: bytes) -> None:
    """Refuse an empty, over-long or multi-line event.

    Raises:
        LineError: with the size found and the limit.
    """
    if not line:
        raise LineError("The event line is empty.")
    if len(line) > LINE_BYTES_MAX:
        raise LineError(f"The event line has {len(line)} bytes; the limit is {LINE_BYTES_MAX}.")
    if b"\n" in line or b"\r" in line:
        raise LineError("The event line contains a line break.")


def read_strict(line: bytes) -> dict[str, Any]:
    """Parse one line by the strict profile.

    Returns:
        The object: strings, integers, booleans, null, lists and objects only.

    Raises:
        LineError: not UTF-8, not one JSON object, duplicate keys, a float or a constant such as
            NaN, an integer beyond ±(2**53-1), a lone surrogate, depth over 16, or over 64 KiB.
    """
    check_size(line)
    check_depth(line)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineError(f"The event line is not UTF-8 at byte {error.start}.") from error
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise LineError(
            f"The event line is not JSON at character {error.pos}: {error.msg}."
        ) from error
    if not isinstance(value, dict):
        raise LineError(f"The event line is not a JSON object but {type(value).__name__}.")
    _refuse_surrogates(value)
    return value


def check_depth(line: bytes) -> None:
    """Count brackets outside strings, so that a hostile depth never reaches a recursive parser.

    Raises:
        LineError: nesting beyond 16.
    """
    if line.count(b"{") + line.count(b"[") <= DEPTH_MAX:
        return
    depth = 0
    in_string = escaped = False
    for byte in line:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            if depth > DEPTH_MAX:
                raise LineError(f"The event line is nested deeper than {DEPTH_MAX}.")
        elif byte in b"}]":
            depth -= 1


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise LineError(f"The key {twice!r} stands twice in one object.")
    return found


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        raise LineError(f"The integer {text[:24]} is beyond ±(2**53-1).")
    return int(text)


def _no_float(text: str) -> Any:
    raise LineError(f"The number {text[:24]} is not an integer; decimals are written as strings.")


def _refuse_surrogates(value: object) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise LineError("A string holds half of a surrogate pair.") from error
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogates(key)
            _refuse_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)
