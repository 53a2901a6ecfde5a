"""The thread that talks with the hub, and how its effects reach the station's loop."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import cast

from edge_agent.bootstrap.folder import TRUST_NAME, damaged, load_trust
from edge_agent.bootstrap.opening import agent_version
from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME
from edge_agent.settings import Settings
from edge_agent.station import messages
from edge_agent.station.core import StationCore
from edge_agent.station.inbox import Inbox
from edge_agent.sync import port
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from tally.master import Words


def make_uplink(
    directory: Path, settings: Settings, journal: Journal, core: StationCore, inbox: Inbox
) -> SyncThread:
    """The uplink of a station, not yet started.

    Raises:
        JournalFault: J-105, the certificate in `trust.json` cannot be used.
    """
    identity, trust = journal.identity, load_trust(directory)
    whom = port.Identity(
        journal=identity.journal,
        key=identity.key,
        run=journal.run,
        previous_run=journal.previous_run,
        agent=agent_version(),
        hub=trust.hub,
        receipt_key=trust.receipt_key,
    )
    path = directory / DATABASE_NAME

    def open_view() -> port.JournalView:
        # The same shapes under other names: the journal does not know the uplink.
        view = OutgoingJournal.at(path, identity, lambda: core.schemes)
        return cast("port.JournalView", view)

    addresses = settings.addresses or trust.addresses
    try:
        uplink = Uplink(addresses, trust.hub, trust.ca_pem, Link())
    except ValueError as error:
        raise damaged(directory / TRUST_NAME, error) from error
    draw: Callable[[], float] = random.SystemRandom().random
    return SyncThread(whom, open_view, Postbox(inbox), uplink, draw)


class Postbox:
    """The uplink's effects, as messages of the loop (`port.Mailbox`)."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def post(self, effect: port.Effect) -> "Future[None]":
        """Queue it; the future is done once it is on the disk."""
        message = message_of(effect)
        self._inbox.post(message)
        return message.done


def message_of(effect: port.Effect) -> messages.UplinkMessage:
    """What the loop is told for an effect of the session."""
    match effect:
        case port.SaveReceipt(receipt):
            return messages.ReceiptCame(receipt)
        case port.Ingest():
            return messages.IngestAsked(effect.data)
        case port.LinkTurned(online, said):
            return messages.LinkChanged(online, said.code, Words(said.en, said.zh))
        case port.Noticed(said, forked=forked):
            return messages.HubSaid(said.code, Words(said.en, said.zh), suspect=forked)
        case port.HubNoted(clock, end):
            return messages.HubNoted(clock.offset_ms, clock.within_ms, end)
        case port.HubAhead(have):
            return messages.HubSaid("S-102", _copied(have.seq), suspect=True)


def _copied(seq: int) -> Words:
    return Words(
        f"The hub holds events of this station up to {seq} that are not in its journal: this "
        "computer was copied, or restored from an image. No code is given out until the station is "
        "enrolled anew; other work goes on.",
        f"中心上有本工位到 {seq} 的记录,但本机日志中没有:此电脑曾被复制或从镜像恢复。"
        "重新注册之前不再发放编码,其他工作可继续。",
    )
