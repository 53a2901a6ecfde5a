"""The thread that talks with the hub, and how its effects reach the station's loop."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import cast

from edge_agent.bootstrap.folder import TRUST_NAME, damaged, load_trust
from edge_agent.bootstrap.opening import agent_version
from edge_agent.journal.authorities import authorities
from edge_agent.journal.faults import JournalCorrupt, JournalFault
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.journal.wishes import choose
from edge_agent.settings import Settings
from edge_agent.station import messages
from edge_agent.station.core import StationCore
from edge_agent.station.inbox import Inbox
from edge_agent.sync import port
from edge_agent.sync.peers.addresses import AddressBook
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from tally.master import Words

Lend = Callable[[Journal, port.LoanAsked], object]


def make_uplink(
    directory: Path, settings: Settings, journal: Journal, core: StationCore, inbox: Inbox
) -> SyncThread:
    """The uplink of a station, not yet started.

    Raises:
        JournalFault: J-105, the certificate in `trust.json` cannot be used.
    """

    def view() -> port.JournalView:
        return open_view(directory, journal.identity, lambda: core.schemes)

    draw: Callable[[], float] = random.SystemRandom().random
    wire = open_wire(directory, settings)
    trust = load_trust(directory)

    def pinned() -> str:
        return authorities_of(directory, trust)

    return SyncThread(whom(journal, trust), view, Postbox(inbox), wire, draw, pinned)


def whom(journal: Journal, trust: Trust) -> port.Identity:
    """Who this start of the station is, and which hub it believes."""
    return port.Identity(
        journal=journal.identity.journal,
        key=journal.identity.key,
        run=journal.run,
        previous_run=journal.previous_run,
        agent=agent_version(),
        hub=trust.hub,
        root=trust.root,
        receipt_key=trust.receipt_key,
    )


def open_view(
    directory: Path, identity: Identity, schemes: Callable[[], Sequence[str]]
) -> port.JournalView:
    """The journal as the uplink reads it, for one thread."""
    # The same shapes under other names: the journal does not know the uplink.
    view = OutgoingJournal.at(directory / DATABASE_NAME, identity, schemes)
    return cast("port.JournalView", view)


def open_wire(directory: Path, settings: Settings) -> Uplink:
    """A connection to the hub of the enrolment, not yet opened.

    Raises:
        JournalFault: J-105, the certificate in `trust.json` cannot be used.
    """
    trust = load_trust(directory)
    try:
        wire = Uplink(settings.addresses or trust.addresses, trust.hub, trust.ca_pem, Link())
    except ValueError as error:
        raise damaged(directory / TRUST_NAME, error) from error
    with contextlib.suppress(ValueError):  # what the enrolment pinned is there in any case
        wire.trust(authorities_of(directory, trust))
    return wire


def authorities_of(directory: Path, trust: Trust) -> str:
    """The CAs of its hub that a station trusts now, PEM; an unreadable journal adds none."""
    try:
        connection = open_reader(directory / DATABASE_NAME)
    except (JournalFault, JournalCorrupt):
        return trust.ca_pem
    try:
        return authorities(connection, trust)
    except sqlite3.Error:
        return trust.ca_pem
    finally:
        connection.close()


class Postbox:
    """The uplink's effects, as messages of the loop (`port.Mailbox`).

    `book` hears at once where the hub says that neighbours are; `lend` is what the one writer does
    for a neighbour that asks for codes.
    """

    def __init__(
        self,
        inbox: Inbox,
        book: AddressBook | None = None,
        lend: Lend | None = None,
    ) -> None:
        self._inbox = inbox
        self._book = book
        self._lend = lend

    def post(self, effect: port.Effect) -> "Future[None]":
        """Queue it; the future is done once it is on the disk."""
        if isinstance(effect, port.PeersTold) and self._book is not None:
            self._book.told(effect.peers)
        message = message_of(effect, self._lend)
        self._inbox.post(message)
        return message.done


def message_of(effect: port.Effect, lend: Lend | None = None) -> messages.UplinkMessage:
    """What the loop is told for an effect of the session."""
    match effect:
        case port.LoanAsked():
            return messages.KeepAsked(lambda journal: lend(journal, effect) if lend else None)
        case port.SaveReceipt() | port.OwnEventLost():
            return _of_own_events(effect)
        case port.Ingest():
            return messages.IngestAsked(effect.data, effect.neighbour)
        case port.LinkTurned(online, said):
            return messages.LinkChanged(online, said.code, Words(said.en, said.zh))
        case port.Noticed(said, forked=forked, closed=closed):
            words = Words(said.en, said.zh)
            return messages.HubSaid(said.code, words, suspect=forked or closed, forked=forked)
        case port.Succeeded(journal):
            return messages.SuccessorKnown(journal)
        case port.HubNoted(clock, end):
            return messages.HubNoted(clock.offset_ms, clock.within_ms, end)
        case port.HubAhead() | port.OwnEndSeen() | port.TwinSeen():
            return _copy_seen(effect)
        case port.NeighboursAsked():
            return messages.NeighboursAsked()
        case _:
            return messages.KeepAsked(_keeping(effect))


def _of_own_events(
    effect: port.SaveReceipt | port.OwnEventLost,
) -> messages.ReceiptCame | messages.OwnEventGone:
    if isinstance(effect, port.SaveReceipt):
        return messages.ReceiptCame(effect.receipt)
    return messages.OwnEventGone(effect.seq)


def _keeping(
    effect: port.Kept | port.OwnUnproven | port.LenderChosen,
) -> Callable[[Journal], object]:
    """What is kept beside the events, and what is looked at in them."""
    match effect:
        case port.OwnUnproven(first, last):
            return lambda journal: journal.look_again(first, last)
        case port.LenderChosen(wish, lender):
            return lambda journal: choose(journal, wish, lender)
        case port.KeepReceipt(receipt):
            return lambda journal: journal.keep_receipt_of_neighbour(receipt)
        case port.Witnessed(witness, name, dropped):
            return lambda journal: journal.standing.witnessed(witness, name, dropped)
        case port.HubHolds(holder, seq):
            return lambda journal: journal.standing.hub_holds(holder, seq)
        case port.HubMet(epoch, run, sig):
            return lambda journal: journal.standing.met_hub(epoch, run, sig)
        case port.PeersTold(peers):
            return lambda journal: journal.standing.found_peers(peers)


def _copy_seen(effect: port.HubAhead | port.OwnEndSeen | port.TwinSeen) -> messages.HubSaid:
    if isinstance(effect, port.HubAhead):
        return messages.HubSaid("S-102", _copied("The hub", "中心", effect.have.seq), suspect=True)
    if isinstance(effect, port.OwnEndSeen):
        who = _copied(f"Neighbour {effect.name}", f"相邻工位 {effect.name} ", effect.seq)
        return messages.HubSaid("S-102", who, suspect=True)
    return messages.HubSaid("S-106", _twin(effect.address), suspect=True)


def _copied(who: str, zh: str, seq: int) -> Words:
    return Words(
        f"{who} holds events of this station up to {seq} that are not in its journal: this "
        "computer was copied, or restored from an image. No code is given out until it has a "
        "journal and codes of its own, for which it asks the hub; other work goes on.",
        f"{zh}上有本工位到 {seq} 的记录,但本机日志中没有:此电脑曾被复制或从镜像恢复。"
        "在它取得自己的日志和编码之前(已向中心申请)不发放编码,其他工作可继续。",
    )


def _twin(address: str) -> Words:
    return Words(
        f"Another computer at {address} answers with this station's own key: one of the two was "
        "copied from the other. No code is given out until the station is enrolled anew; other "
        "work goes on.",
        f"{address} 上的另一台电脑使用本工位的密钥应答:两台电脑之一是另一台的副本。"
        "重新注册之前不再发放编码,其他工作可继续。",
    )
