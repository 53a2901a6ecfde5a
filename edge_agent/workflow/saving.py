"""The state as bytes and back: versioned JSON, written in the same transaction as the events."""

from __future__ import annotations

from typing import Final

import msgspec

from edge_agent.workflow.types import StationState

VERSION: Final = 1


class StateUnreadable(ValueError):
    """The saved state is not of a version that this program can read; the message says which."""


class _Envelope(msgspec.Struct, frozen=True):
    version: int
    state: msgspec.Raw


def dump_state(state: StationState) -> bytes:
    """Write the state; the inverse of `load_state`."""
    inner = msgspec.Raw(msgspec.json.encode(state))
    return msgspec.json.encode(_Envelope(VERSION, inner))


def load_state(saved: bytes) -> StationState:
    """Read a saved state.

    Raises:
        StateUnreadable: another version, or bytes that this package never wrote.
    """
    try:
        envelope = msgspec.json.decode(saved, type=_Envelope)
        if envelope.version != VERSION:
            raise StateUnreadable(
                f"Expected a saved state of version {VERSION}, found {envelope.version}. "
                "Start the version of the program that wrote it, or a newer one."
            )
        return msgspec.json.decode(envelope.state, type=StationState)
    except msgspec.DecodeError as error:
        raise StateUnreadable(f"The saved state cannot be read: {error}") from error
