"""Neighbours: while the hub is away stations go round to each other, as they do all the time.

The product's exchange and desk, a whole round at a time. Answers are lost, altered, withheld or
invented; whoever shows the caller's own journal is its twin.
"""

from dataclasses import replace

from edge_agent.bootstrap.uplink import message_of
from edge_agent.journal.faults import Untrusted
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.passing_on import NeighbourReading
from edge_agent.sync.peers.desk import Desk
from edge_agent.sync.peers.exchange import PeerState, begin, next_request, on_not_stored, on_reply
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.peers.sessions import PeerSessions
from edge_agent.sync.port import Ingest, SaveReceipt, TwinSeen, Witnessed
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from tally.records.ids import show_journal
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.peers import Greeting
from tally.wire.reading import write_message
from tests.simulation.handing import ask_neighbours, lend_when_asked
from tests.support.neighbours import asked_of, reply_of

EIGHT_HOURS = 8 * 3600.0


def peers_alone(world):
    """The hub cannot be reached by anybody for a while; neighbours can."""
    if world.hub_is_away:
        return
    dice = world.visits
    world.hub_is_away = True
    world.count("hub away, neighbours near")
    is_long = dice.chance(0.5)
    length = dice.seconds(60, 600)

    def back():
        world.hub_is_away = False
        for machine in world.machines:
            machine.link_came_back()

    def go():
        if world.phase == "chaos" and world.hub_is_away:
            ask_neighbours(world)
            visit(world)
            world.after(dice.seconds(1, 8), "peers", go)

    def jump():
        if world.phase == "chaos" and world.hub_is_away:
            world.true.seconds += EIGHT_HOURS
            world.count("hub away for eight hours")

    world.after(length, "hub back", back)
    world.after(dice.seconds(1, 8), "peers", go)
    if is_long:
        world.after(length / 2, "hours go by", jump)


def go_on(world):
    """While all heals, rounds go on as ever: what one disk lost a neighbour may have."""

    def go():
        if world.phase == "heal":
            visit(world)
            world.after(5.0, "peers", go)

    world.after(5.0, "peers", go)


class Side:
    """What a machine needs to visit and be visited, from one start to the next."""

    def __init__(self, machine, dice):
        self.starts = machine.starts
        own = OutgoingJournal(lambda: machine.connection, machine.identity, tuple)
        line = machine.trust.line
        self.views = Views(own, NeighbourReading(own, machine.identity.station, line))
        sessions = PeerSessions(machine.whom, dice.bytes, b"of this start alone")
        self.desk = Desk(machine.whom, self.views, sessions, machine.clock.monotonic, 8460)
        self.states = {}


def _side(world, machine):
    found = world.sides.get(machine.number)
    if found is None or found.starts != machine.starts:
        found = world.sides[machine.number] = Side(machine, world.visits)
    return found


def visit(world):
    """Two stations at random; one goes to the other."""
    here = [one for one in world.machines if one.power == "on" and not one.link_is_cut]
    if len(here) < 2:
        return
    caller, host = world.visits.shuffled(here)[:2]
    world.trace("visit", caller, host)
    if caller.identity.journal == host.identity.journal:
        world.count("met its twin")
        _deliver(world, caller, (TwinSeen(str(host)),))
        return
    there = Neighbour(host.identity.journal, host.identity.key.public, host.name)
    if there.key not in _side(world, caller).views.others.keys_of(there.journal):
        world.count("a neighbour not known yet")
        return
    _go_round(world, caller, host, there, _bad_manners(world))


def _go_round(world, caller, host, there, spoil):
    is_honest = spoil is _honest and host.damage is None and not host.flipped
    side = _side(world, caller)
    now = caller.clock.monotonic
    state = side.states.get(there.journal, PeerState())
    if now() < state.not_before:
        return
    state = begin(state)
    while caller.power == "on" and host.power == "on":
        state, request = next_request(caller.whom, there, state, side.views, now())
        if request is None:
            break
        answered = _side(world, host).desk.answer(asked_of(request))
        _deliver(world, host, answered.effects)
        reply = spoil(request, reply_of(answered))
        if isinstance(reply, Reply):
            world.count(f"peer {request.kind} {reply.status}")
        state, effects = on_reply(caller.whom, there, state, request, reply, side.views, now())
        for effect, error in _deliver(world, caller, effects):
            if is_honest and isinstance(error, Untrusted) and error.code in {"forged", "malformed"}:
                world.fail("relays_change_nothing", f"{caller} was given by {host}: {error.words}")
            state = on_not_stored(there, state, effect, error, now())
    side.states[there.journal] = state


def _deliver(world, machine, effects):
    """Hand to the loop; (effect, fault) of what it did not store."""
    refused = []

    def deliver():
        for effect in effects:
            world.effect(machine, effect)
            message = message_of(effect, lend_when_asked(world, machine))
            machine.loop._do(message)
            while machine.loop._ingestion is not None:
                machine.loop._do(None)
            error = message.done.exception(timeout=0)
            if error is not None:
                refused.append((effect, error))
            _count(world, effect, error)

    if machine.power == "on":
        machine.guarded(deliver)
    return refused


def _count(world, effect, error):
    if isinstance(effect, Ingest):
        world.count("neighbour's piece refused" if error else "neighbour's piece taken")
    elif isinstance(effect, Witnessed):
        world.count("a neighbour signed for events")
    elif isinstance(effect, SaveReceipt):
        world.count("receipt came by a neighbour")


def _bad_manners(world):
    """What becomes of this neighbour's answers; mostly nothing."""
    dice = world.visits
    is_honest = world.phase != "chaos" or "peers_lie" not in world.kinds
    if is_honest or not dice.chance(0.3):
        return _honest
    how = dice.pick((_lost, _altered, _withheld, _invented))
    world.count(f"a neighbour {how.__name__.strip(chr(95))} answers")
    return lambda request, reply: how(world, request, reply)


def _honest(request, reply):
    return reply


def _lost(world, request, reply):
    return Unreached(say("timeout", where="peer", seconds=1)) if world.visits.chance(0.4) else reply


def _altered(world, request, reply):
    if request.kind not in {"pull", "loan"} or not reply.body:
        return reply
    bent = bytearray(reply.body)
    bent[world.visits.below(len(bent))] ^= 1 << world.visits.below(8)
    return replace(reply, body=bytes(bent))


def _withheld(world, request, reply):
    return Reply(204, "", b"") if request.kind == "pull" else reply


def _invented(world, request, reply):
    if request.kind != "hello":
        return reply
    tips = [
        m.Subscription(
            journal=show_journal(machine.identity.journal),
            name=machine.name,
            kind="station",
            seq=9999,
            id=world.visits.bytes(32).hex(),
        )
        for machine in world.machines
    ]
    said = Greeting(run="x", holdings=tuple(tips))
    return Reply(200, p.JSON_TYPE, write_message(said))
