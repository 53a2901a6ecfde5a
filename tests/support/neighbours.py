"""Stations side by side without sockets: the product's exchange and desk, journals in memory."""

from urllib.parse import parse_qsl, urlsplit

from edge_agent.bootstrap.uplink import message_of
from edge_agent.journal.faults import JournalFault, Untrusted
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.passing_on import NeighbourReading
from edge_agent.station.handing import lend_to_neighbour
from edge_agent.station.messages import IngestAsked, KeepAsked, OwnEventGone, ReceiptCame
from edge_agent.sync import port
from edge_agent.sync.peers.desk import Asked, Desk
from edge_agent.sync.peers.exchange import PeerState, begin, next_request, on_not_stored, on_reply
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.peers.sessions import PeerSessions
from edge_agent.sync.turn import Reply
from edge_agent.workflow.knowledge import PersonFact
from tests.support.own_journal import seeded
from tests.support.stations import NOON


def asked_of(request, *, bearer=None):
    """A request as the door reads it."""
    parts = urlsplit(request.path)
    query = dict(parse_qsl(parts.query))
    return Asked(request.method, parts.path, query, bearer or request.bearer, "1", request.body)


def reply_of(answered):
    """An answer as the uplink reads it."""
    return Reply(int(answered.status), answered.content_type, answered.body, seconds=0.01)


class Standing:
    """A station that can visit and be visited. `now` is moved by the test."""

    def __init__(self, bench, journal):
        self.bench, self.journal, self.now = bench, journal, 0.0
        identity = bench.identity
        self.whom = port.Identity(
            journal=identity.journal,
            key=identity.key,
            run=journal.run,
            previous_run=journal.previous_run,
            agent="test",
            hub=bench.trust.hub,
            root=bench.trust.root,
            receipt_key=bench.trust.receipt_key,
        )
        own = OutgoingJournal(lambda: journal.connection, identity, tuple)
        others = NeighbourReading(own, identity.station, bench.trust.line)
        self.views = Views(own, others)
        nonces = iter(range(10_000))
        sessions = PeerSessions(
            self.whom, lambda size: seeded(f"{journal.run} {next(nonces)}", size), b"secret"
        )
        self.desk = Desk(self.whom, self.views, sessions, lambda: self.now, 8460)
        self.states = {}
        self.effects = []
        self.refused = []

    @property
    def as_neighbour(self):
        """How others know it."""
        identity = self.bench.identity
        return Neighbour(identity.journal, identity.key.public, identity.station)

    def visit(self, host, spoil=lambda request, reply: reply, *, asks_own_only=False):
        """One round at a neighbour; the requests that were made.

        `spoil`: makes of a reply what a bad neighbour would have sent.
        """
        whom, there = self.whom, host.as_neighbour
        state = begin(self.states.get(there.journal, PeerState()), asks_own_only=asks_own_only)
        made = []
        while True:
            state, request = next_request(whom, there, state, self.views, self.now, 8460)
            if request is None:
                break
            made.append(request)
            answered = host.desk.answer(asked_of(request))
            for effect in answered.effects:
                host.take(effect)
            reply = spoil(request, reply_of(answered))
            state, effects = on_reply(whom, there, state, request, reply, self.views, self.now)
            for effect in effects:
                error = self.take(effect)
                if error is not None:
                    state = on_not_stored(there, state, effect, error, self.now)
        self.states[there.journal] = state
        return made

    def lend(self, journal, asked):
        """What the loop does for a neighbour that asks for codes; one badge is a lead's."""
        known = {"BDG-2004": PersonFact("BDG-2004", "LIU", ("lead",), "zh")}
        return lend_to_neighbour(journal, known.get, asked, at=NOON)

    def take(self, effect):
        """What the loop does with an effect; the fault, if it was not stored."""
        self.effects.append(effect)
        message = message_of(effect, self.lend)
        try:
            match message:
                case IngestAsked(data, neighbour):
                    steps = self.journal.ingest_in_steps(
                        data, at=NOON, by_neighbour=bool(neighbour)
                    )
                    for _ in steps:
                        pass
                case KeepAsked(keep):
                    keep(self.journal)
                case OwnEventGone(seq):
                    self.journal.give_up(seq, at=NOON)
                case ReceiptCame(receipt):
                    self.journal.save_receipt(receipt)
        except (Untrusted, JournalFault) as fault:
            self.refused.append(fault)
            return fault
        return None
