"""Bytes from the other side become messages here, or an `UnreadableError` in words.

Size and depth are judged before a parser sees the bytes, so a hostile body costs no memory and no
recursion. Meaning is judged elsewhere.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tally.records.line import LineError, check_depth
from tally.wire.messages import Message
from tally.wire.protocol import JSON_BYTES_MAX, JSON_DEPTH_MAX

M = TypeVar("M", bound=Message)
_encoder = msgspec.json.Encoder()


class UnreadableError(ValueError):
    """Bytes are not the message that was expected; the text says what is wrong with them."""


def read_message(data: bytes, expected: type[M]) -> M:
    """Read one JSON message.

    Raises:
        UnreadableError: over 256 KiB, nested deeper than 16, not JSON, or other fields than
            expected.
    """
    name = expected.__name__
    if len(data) > JSON_BYTES_MAX:
        raise UnreadableError(
            f"{name}: the message has {len(data)} bytes; the limit is {JSON_BYTES_MAX}."
        )
    try:
        check_depth(data)
    except LineError as error:
        raise UnreadableError(
            f"{name}: the message is nested deeper than {JSON_DEPTH_MAX}."
        ) from error
    try:
        return msgspec.json.decode(data, type=expected)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"{name}: {error}.") from error


def write_message(message: Message) -> bytes:
    """The bytes of a message, compact JSON."""
    return _encoder.encode(message)
