"""The writing operations by name: JSON in, JSON out, over the admin socket or without a server.

`hub.api.admin` offers each as `POST /<operation>` on DIR/admin.sock; `hub.cli` calls `perform`
itself when no hub runs. A refusal is the exception `Refused` on both ways. Arguments:

- `enroll-token`: station, addresses (list of host:port) → token
- `import`: files (list of {name, content: base64}), dry_run → changes, events, dry_run
- `grant`: scheme, station, count, start?, block?, period? (YYYY-MM-DD), request → block, at
- `decide`: case, keep, by, reason, claims_seen, supersedes → case, key, keep, retires, at,
  status
- `go-on-without`: stations → awaited, who still has to report after a restore
- `archived`: epoch, journals (list of [journal, seq, event id] that a backup was proven to hold) →
  journals, how many are covered further than before
- `take-parts`: parts (list of base64 pieces and segments that a bundle brought) → parts, a row each
- `revoke`: station, since (an event, `next` or `all`), by, reason → journal, station, trusted,
  events, blocks, at
- `trust`: journal, through (an event, `all` or `none`), by, reason, seen, supersedes → keep, at,
  status
- `foresee`: case, keep, reason?, claims_seen, supersedes → what `decide` would append and change
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from hub.services import revoking
from hub.services.answers import Position, Refused
from hub.services.archiving import Covered, note_backup
from hub.services.hub import Hub
from hub.services.previewing import UNWRITTEN, Answer
from tally.records.ids import (
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
_Asked = TypeVar("_Asked", bound=msgspec.Struct)


class _TokenAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    station: str
    addresses: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    content: str


class _ImportAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: tuple[_File, ...]
    dry_run: bool = False


class _GrantAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scheme: str
    station: str
    count: int
    request: str
    start: int | None = None
    block: str | None = None
    period: dt.date | None = None


class _DecideAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: str
    keep: str
    by: str
    reason: str
    claims_seen: tuple[str, ...]
    supersedes: tuple[str, ...]


class _RevokeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    station: str
    since: str
    by: str
    reason: str


class _TrustAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    journal: str
    through: str
    by: str
    reason: str
    seen: tuple[str, ...]
    supersedes: tuple[str, ...]


class _ForeseeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: str
    keep: str
    claims_seen: tuple[str, ...]
    supersedes: tuple[str, ...]
    reason: str = UNWRITTEN


class _PartsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parts: tuple[bytes, ...]
    """Base64 in JSON."""


class _ArchivedAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    epoch: int
    journals: tuple[tuple[str, int, str], ...]


class _WithoutAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stations: tuple[str, ...]


OPERATIONS: Final = (
    "enroll-token",
    "import",
    "grant",
    "decide",
    "foresee",
    "go-on-without",
    "archived",
    "take-parts",
    "revoke",
    "trust",
)


def perform(hub: Hub, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do one of `OPERATIONS`.

    Raises:
        Refused: by the service, or `malformed` for arguments of another shape.
    """
    match operation:
        case "enroll-token":
            asked = _read(arguments, _TokenAsked)
            return {"token": hub.open_token(asked.station, asked.addresses)}
        case "import":
            return _import(hub, _read(arguments, _ImportAsked))
        case "grant":
            return _grant(hub, _read(arguments, _GrantAsked))
        case "go-on-without":
            return {"awaited": hub.go_on_without(_read(arguments, _WithoutAsked).stations)}
        case "archived":
            return _archived(hub, _read(arguments, _ArchivedAsked))
        case "take-parts":
            return {"parts": hub.take_parts(_read(arguments, _PartsAsked).parts)}
        case "decide":
            return _decide(hub, _read(arguments, _DecideAsked))
        case "revoke":
            return _revoke(hub, _read(arguments, _RevokeAsked))
        case "trust":
            return _trust(hub, _read(arguments, _TrustAsked))
        case "foresee":
            wanted = _read(arguments, _ForeseeAsked)
            return hub.foresee(
                Answer(
                    wanted.case, wanted.keep, wanted.claims_seen, wanted.supersedes, wanted.reason
                )
            )
        case _:
            known = ", ".join(OPERATIONS)
            raise Refused("malformed", f"No operation {operation[:40]!r}; there are: {known}.")


def _read(arguments: Mapping[str, Any], shape: type[_Asked]) -> _Asked:
    try:
        return msgspec.convert(dict(arguments), shape)
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"The arguments have another shape: {error}.") from error


def _import(hub: Hub, asked: _ImportAsked) -> dict[str, Any]:
    files = []
    for file in asked.files:
        try:
            content = base64.b64decode(file.content, validate=True)
        except ValueError as error:
            raise Refused("malformed", f"{file.name}: expected base64, {error}.") from error
        files.append((file.name, content))
    done = hub.publish(files, dry_run=asked.dry_run)
    changes = [dataclasses.asdict(change) for change in done.changes]
    return {"changes": changes, "events": done.events, "dry_run": done.dry_run}


def _grant(hub: Hub, asked: _GrantAsked) -> dict[str, Any]:
    granted = hub.lease(
        hub.journal_of(asked.station),
        asked.request,
        asked.scheme,
        asked.count,
        start=asked.start,
        period=asked.period,
        block=asked.block,
    )
    block: dict[str, Any] = msgspec.to_builtins(granted.block)
    return {"block": block, "at": _at(granted.at), "repeated": granted.repeated}


def _archived(hub: Hub, asked: _ArchivedAsked) -> dict[str, Any]:
    try:
        covered = [
            Covered(parse_journal(journal), seq, parse_event_id(event))
            for journal, seq, event in asked.journals
            if seq
        ]
    except MalformedIdError as error:
        raise Refused("malformed", f"The arguments name no event: {error}") from error
    return {"journals": note_backup(hub.office, asked.epoch, covered)}


def _decide(hub: Hub, asked: _DecideAsked) -> dict[str, Any]:
    decided = hub.decide(
        asked.case,
        keep=asked.keep,
        by=asked.by,
        reason=asked.reason,
        claims_seen=asked.claims_seen,
        supersedes=asked.supersedes,
    )
    made: dict[str, Any] = msgspec.to_builtins(decided.decision)
    return made | {"at": _at(decided.at), "status": decided.status}


def _revoke(hub: Hub, asked: _RevokeAsked) -> dict[str, Any]:
    done = revoking.revoke(
        hub.office, asked.station, since=asked.since, by=asked.by, reason=asked.reason
    )
    body: dict[str, Any] = msgspec.to_builtins(done.body)
    return (
        {"trusted": ""} | body | {"events": done.events, "blocks": done.blocks, "at": _at(done.at)}
    )


def _trust(hub: Hub, asked: _TrustAsked) -> dict[str, Any]:
    done = revoking.judge(
        hub.office,
        revoking.journal_named(asked.journal),
        through=asked.through,
        by=asked.by,
        reason=asked.reason,
        seen=asked.seen,
        supersedes=asked.supersedes,
    )
    return {"keep": done.decision.keep, "at": _at(done.at), "status": done.status}


def _at(at: Position) -> dict[str, Any]:
    journal: JournalId = at.journal
    return {
        "journal": show_journal(journal),
        "seq": at.seq,
        "event_id": at.event_id.hex(),
        "ref": str(at.ref),
    }
