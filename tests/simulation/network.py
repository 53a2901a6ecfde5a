"""The wires between stations and hub: what is lost, late, doubled, out of order, or answered in
vain.

A request that is late arrives all the same, after its sender gave up: that is how pieces overtake
each other.
"""

from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from tally.wire import messages as m
from tally.wire.reading import read_message
from tests.simulation.door import PowerCut

GATEWAY = (200, 302, 404, 500, 502, 504)
"""What something between station and hub answers in the hub's place, never in its words."""


class Network:
    """Carries requests to the door and replies back."""

    def __init__(self, world):
        self._world = world

    def send(self, machine, request):
        """Let a request go; the machine hears of it in any case, if only that nothing came."""
        world = self._world
        dice, after = world.net, world.after
        if machine.link_is_cut or world.hub_is_away:
            world.count("no link")
            after(0.5, "no link", lambda: machine.heard(request, _nothing("link"), 0))
            return
        patience = request.seconds
        if world.now_and_then("net_drop", 0.1):
            self._nothing_comes(machine, request, patience)
            return
        if world.now_and_then("net_gateway", 0.1):
            reply = Reply(world.odds.pick(GATEWAY), "text/html", b"<h1>Gateway</h1>", seconds=0.1)
            after(0.1, "gateway", lambda: machine.heard(request, reply, 0))
            return
        delay = dice.seconds(0.005, 0.2)
        if world.now_and_then("net_delay", 0.1):
            delay = dice.seconds(1.0, 2 * patience)
            self._nothing_comes(machine, request, patience)
        after(delay, "arrive", lambda: self._arrive(machine, request, patience))
        if world.now_and_then("net_duplicate", 0.1):
            again = delay + dice.seconds(0.0, 1.0)
            after(again, "arrive again", lambda: self._arrive(machine, request, patience))
        if world.now_and_then("net_reorder", 0.1):
            much_later = delay + dice.seconds(5.0, 300.0)
            after(much_later, "arrive late", lambda: self._arrive(machine, request, patience))

    def _nothing_comes(self, machine, request, seconds):
        self._world.after(seconds, "timeout", lambda: self._give_up(machine, request))

    def _arrive(self, machine, request, patience):
        world = self._world
        door = world.door
        try:
            with door.armed():
                reply = door.answer(request)
        except PowerCut:
            world.hub_crashed()
            self._nothing_comes(machine, request, patience)
            return
        journal = machine.identity.journal
        branches = len(world.branches_of(journal))
        world.count(f"{request.kind} {reply.status}")
        if request.kind == "fresh" and reply.status == 200:
            taken = read_message(reply.body, m.Taken)
            if taken.need is not None and taken.stored:
                world.count("newest arrived before backlog")
        world.trace("answer", machine, request.kind, reply.status)
        if machine.link_is_cut or world.now_and_then("net_swallow", 0.1):
            self._nothing_comes(machine, request, patience)
            return
        delay = world.net.seconds(0.005, 0.2)
        world.after(delay, "reply", lambda: machine.heard(request, reply, branches))

    def _give_up(self, machine, request):
        if machine.requests_waiting is request:
            machine.heard(request, _nothing("timeout"), 0)


def _nothing(why):
    if why == "timeout":
        return Unreached(say("timeout", asked="request", seconds=20, where="hub"), True)
    return Unreached(say("link_cut"))
