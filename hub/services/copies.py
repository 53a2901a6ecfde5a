"""Whether a copy of this hub serves as well: the same keys, another disk (fault 22, decision 0177).

1. A hub that begins to serve writes down a name for this run, signed by the plant root key, before
   any door is open.
2. A station tells which run it met last. One of this epoch that the root key signed and that is
   not written down here was a copy's: of the two, neither knows what the other granted.
3. From then on this hub grants no code and lets nothing be deleted, until it was restored: that
   is an epoch, hence feeds and runs, of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from hub.services import reading
from hub.services.answers import Notice, Refused
from hub.services.office import COPIED, Office
from tally.records.ids import JournalId
from tally.records.signing import HUB_RUN, hub_run_message

_RUN: Final = "hub_run:"


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a hub serves. `signature`: the plant root key's."""

    epoch: int
    name: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Copied:
    """Which station met a copy, and when this hub heard of it (RFC 3339)."""

    station: str
    at: str


def begin(office: Office) -> Run:
    """Write down that the hub begins to serve."""
    name, epoch = office.entropy(8).hex(), office.secrets.epoch
    with office.store.transaction():
        office.store.put(_key(epoch, name), office.now().isoformat(timespec="seconds"))
    message = hub_run_message(office.secrets.hub_id, epoch, name)
    return Run(epoch, name, office.secrets.root.sign(HUB_RUN, message))


def note_met(office: Office, journal: JournalId, met: Run | None) -> tuple[Notice, ...]:
    """Look at the run that a station met last; what to tell it if that was a copy's."""
    if met is None or met.epoch != office.secrets.epoch:
        return ()
    with office.store.reading():
        is_own = office.store.get(_key(met.epoch, met.name)) is not None
        if is_own or reading.is_shut_out(office, journal):
            return ()
    if not _is_signed(office, met):
        return ()
    with office.store.transaction():
        if copied(office) is None:
            row, at = office.registered(journal), office.now().isoformat(timespec="seconds")
            office.store.put(COPIED, json.dumps({"station": row.name, "at": at}))
    return (
        Notice(
            "copied",
            0,
            "Two hubs answer with the same keys: one is a copy of the other. This one gives out "
            "no codes now. Tell the plant admin; work goes on with the codes that are here.",
            "有两个中心使用相同的密钥应答:其中一个是另一个的副本。本中心现已停发编码。"
            "请通知管理员;可继续使用现有编码工作。",
        ),
    )


def copied(office: Office) -> Copied | None:
    """Whether it is known that a copy of this hub serves; inside a reading or transaction."""
    found = office.store.get(COPIED)
    return Copied(**json.loads(found)) if found else None


def check_alone(office: Office) -> None:
    """Before codes are granted.

    Raises:
        Refused: `copied`.
    """
    found = copied(office)
    if found is not None:
        raise Refused(
            "copied",
            f"Station {found.station} has met another hub with the keys of this one (told at "
            f"{found.at}): one of the two is a copy. Both could grant the same codes, so this one "
            f"grants none. Find the other and end it. Then here: tally hub backup DIR FILE, and "
            f"tally hub restore FILE into a new folder; every station follows that one.",
        )


def _is_signed(office: Office, met: Run) -> bool:
    message = hub_run_message(office.secrets.hub_id, met.epoch, met.name)
    return office.secrets.root.public.verifies(HUB_RUN, message, met.signature)


def _key(epoch: int, name: str) -> str:
    return f"{_RUN}{epoch}:{name}"
