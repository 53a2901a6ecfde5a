"""A bundle taken by the station that runs: asked by a command, done by the one writer.

The command's side is `bundles`, the way between them `edge_agent.station.admin_socket`.
"""

from concurrent.futures import CancelledError
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.bootstrap.folder import load_trust
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.identity import Identity
from edge_agent.journal.journal import Journal
from edge_agent.journal.others import Ingested
from edge_agent.station.admin_socket import Answer, Operation
from edge_agent.station.clock import Clock
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import IngestAsked, KeepAsked, OwnEventGone
from edge_agent.sync.carrying import Brought, unpack
from tally.commands.bundle_files import BundleFault, opened_bundle
from tally.proof.anchors import plant_fingerprint
from tally.records.signing import PublicKey, Receipt

IMPORT: Final = "import"
IMPORT_SECONDS: Final = 3600.0
PROBLEMS_MAX: Final = 200
_STICK: Final = "stick"
PART_SECONDS: Final = 120.0
"""For the loop, that may be busy with what comes over the network."""


class _Import(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str


class _ByTheLoop:
    """What a bundle brings goes to the one writer, part by part; scans come in between."""

    def __init__(self, inbox: Inbox, journal: Journal) -> None:
        self._inbox = inbox
        self._journal = journal

    @property
    def identity(self) -> Identity:
        return self._journal.identity

    def is_of_hub(self, key: PublicKey) -> bool:
        found: list[bool] = []
        asked = KeepAsked(lambda journal: found.append(journal.is_of_hub(key)))
        self._inbox.post(asked)
        asked.done.result(timeout=PART_SECONDS)
        return found == [True]

    def ingest(self, data: bytes, *, at: datetime, by_neighbour: bool) -> Ingested:
        del at  # the loop's clock tells
        asked = IngestAsked(data, _STICK if by_neighbour else "")
        self._inbox.post(asked)
        done: Ingested = asked.done.result(timeout=PART_SECONDS)
        return done

    def save_receipt(self, receipt: Receipt) -> bool:
        newer: list[bool] = []
        asked = KeepAsked(lambda journal: newer.append(journal.save_receipt(receipt)))
        self._inbox.post(asked)
        asked.done.result(timeout=PART_SECONDS)
        return newer == [True]

    @property
    def receipt(self) -> Receipt | None:
        return self._journal.receipt

    @property
    def damaged(self) -> tuple[int, ...]:
        return self._journal.damaged

    def give_up(self, seq: int, *, at: datetime) -> bool:
        del at
        was_lost = seq in self._journal.lost
        asked = OwnEventGone(seq)
        self._inbox.post(asked)
        asked.done.result(timeout=PART_SECONDS)
        return seq in self._journal.lost and not was_lost


def importing(directory: Path, inbox: Inbox, journal: Journal, clock: Clock) -> Operation:
    """The operation by which a command lets the running station take a bundle."""

    def perform(arguments: Answer) -> Answer:
        try:
            file = Path(msgspec.convert(arguments, _Import).file)
            plant = plant_fingerprint(load_trust(directory).root)
            with opened_bundle(file, plant) as (bundle, raw):
                taking = _ByTheLoop(inbox, journal)
                brought = unpack(taking, bundle, raw, at=clock.now())
        except (BundleFault, msgspec.ValidationError) as error:
            return {"refused": str(error)}
        except JournalFault as fault:
            return {"refused": f"{fault.code}: {fault.words}"}
        except (TimeoutError, CancelledError):
            return {"refused": _NOT_ALL}
        return {"brought": msgspec.to_builtins(_short(brought))}

    return perform


def _short(brought: Brought) -> Brought:
    """So many problems as an answer may hold; who has more looks at the first of them."""
    more = len(brought.problems) - PROBLEMS_MAX
    if more <= 0:
        return brought
    problems = (*brought.problems[:PROBLEMS_MAX], f"And {more} more like these.")
    return replace(brought, problems=problems)


_NOT_ALL: Final = (
    "The station is ending, or too busy. What it took stays: import again, nothing is taken twice."
)
