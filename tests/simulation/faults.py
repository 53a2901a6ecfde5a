"""What goes wrong: each kind is one row of `KINDS`, a seed gets a random subset (swarm).

`steady` kinds change how often something small happens (`World.now_and_then`); `sudden` kinds are
functions that do one thing to the world now. Nothing here looks at the oracles.
"""

from edge_agent.journal.facts import OwnFact
from tally.events.types import ComponentUnbound
from tests.simulation import plant
from tests.simulation.pruning import journal_prune
from tests.simulation.sticks import usb_round, usb_stick
from tests.simulation.turning import keys_turned
from tests.simulation.visits import peers_alone

STEADY = (
    "net_drop",
    "net_delay",
    "net_duplicate",
    "net_reorder",
    "net_swallow",
    "net_gateway",
    "people_misscan",
    "people_double",
    "people_forget",
    "people_admins",
    "label_copied",
)
POINTS = (
    "before_commit",
    "after_commit_before_print",
    "after_print_before_record",
    "after_commit_before_output",
)

AWAY_SECONDS, AWAY_HOPS = 400 * 86400.0, 8


class Image:
    """A disk as it was: its bytes, the newest own event, what was damaged in it."""

    def __init__(self, machine):
        self.bytes = machine.connection.serialize()
        self.seq = machine.journal.seq
        self.identity, self.heir = machine.identity, machine.heir
        self.damage = machine.damage
        self.flipped = machine.flipped


def net_cut(world):
    """A station's cable is out for a while."""
    machine = world.a_machine()
    if machine is not None and not machine.link_is_cut:
        machine.link_is_cut = True
        world.count("link cut")
        world.after(world.fate.seconds(30, 900), "link back", machine.plug_in)


def net_small(world):
    """Something on the way takes only small pieces for a while (413)."""
    world.door.body_max = world.fate.between(500, 1500)
    world.after(world.fate.seconds(30, 300), "bodies", world.take_any_body)


def disk_kill(world):
    """A PC loses its power: now, or at a later pass of a point of its commit path."""
    machine = world.a_machine()
    if machine is None:
        return
    if world.fate.chance(0.3):
        machine.guarded(machine.lose_power)
    else:
        point = world.fate.pick(POINTS)
        printing = [one for one in world.machines if one.power == "on" and one.prints]
        if "print" in point and printing:  # elsewhere it would wait for ever
            machine = world.odds.pick(printing)
        machine.crash_at, machine.passes_left = point, world.odds.below(2)
        machine.crash_over_code = world.odds.chance(0.3)
        if machine.crash_over_code:  # where most is at stake
            machine.crash_at = "before_commit"


def disk_lies(world):
    """A disk confirms what it has not written; with the power, the last commits are lost."""
    machine = world.a_machine()
    if machine is None:
        return
    image = Image(machine)

    def lose():
        if machine.power == "on":
            world.put_back(machine, image, "lost commits")

    world.after(world.fate.seconds(5, 60), "lose commits", lose)


def disk_full(world):
    """No page more for a while."""
    machine = world.a_machine()
    if machine is None:
        return
    (pages,) = machine.connection.execute("PRAGMA page_count").fetchone()
    machine.connection.execute(f"PRAGMA max_page_count={pages}")
    machine.is_full = True
    world.after(world.fate.seconds(10, 200), "space", lambda: make_space(machine))


def make_space(machine):
    """Somebody deletes old pictures."""
    machine.is_full = False
    machine.connection.execute("PRAGMA max_page_count=1073741823")


def disk_error(world):
    """A disk cannot confirm the next commit: nobody knows what it holds until the next start."""
    machine = world.a_machine()
    if machine is not None:
        machine.fails_next = True


def disk_full_hub(world):
    """No page more for the hub, for a while."""
    world.door.fill_up()
    world.after(world.fate.seconds(10, 120), "space at the hub", world.door.make_space)


def disk_flip_own(world):
    """One bit of an own event turns, with the power off or on."""
    machine = world.a_machine()
    if machine is None or machine.damage is not None or machine.journal.seq < 3 or machine.is_full:
        return
    seq = world.fate.between(2, machine.journal.seq)
    row = machine.connection.execute("SELECT line FROM event WHERE seq=?", (seq,)).fetchone()
    if row is None:
        return  # pruned
    (line,) = row
    at = world.fate.below(len(line))
    flipped = _flipped(line, at, world.fate.below(8))
    machine.connection.execute("DROP TRIGGER event_is_never_changed")
    machine.connection.execute("UPDATE event SET line=? WHERE seq=?", (flipped, seq))
    machine.connection.execute(
        "CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event "
        "BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END"
    )
    machine.damage = seq
    world.count("own event flipped")
    world.damaged(machine, seq)
    if world.fate.chance(0.5):
        machine.guarded(machine.lose_power)


def disk_flip_foreign(world):
    """One bit of another journal's event turns in a station's copy of it."""
    machine = world.a_machine()
    if machine is None:
        return
    rows = machine.connection.execute("SELECT place FROM foreign_event ORDER BY place").fetchall()
    if not rows:
        return
    (place,) = world.fate.pick(rows)
    if place in machine.flipped or machine.is_full:
        return
    (line,) = machine.connection.execute(
        "SELECT line FROM foreign_event WHERE place=?", (place,)
    ).fetchone()
    if not line:
        return  # lost
    flipped = _flipped(line, world.fate.below(len(line)), world.fate.below(8))
    machine.connection.execute("UPDATE foreign_event SET line=? WHERE place=?", (flipped, place))
    machine.flipped |= {place}
    world.count("foreign event flipped")


def _flipped(line, at, bit):
    changed = bytearray(line)
    changed[at] ^= 1 << bit
    return bytes(changed)


def time_offset(world):
    """A wall clock is wrong from now on, by minutes."""
    _wrong(world, lambda clock: setattr(clock, "offset", world.fate.between(-360, 360)))


def time_jump(world):
    """A wall clock jumps by a day or by ten years, there or back."""
    jump = world.fate.pick((86400, -86400, 315_360_000, -315_360_000))
    _wrong(world, lambda clock: setattr(clock, "offset", jump))


def time_drift(world):
    """A wall clock runs too fast or too slow."""
    _wrong(world, lambda clock: setattr(clock, "drift", world.fate.pick((0.01, -0.01, 0.5))))


def time_1970(world):
    """A PC without a battery begins in 1970."""
    machine = world.a_machine()
    if machine is not None:
        machine.clock.since_1970 = world.true.seconds
        world.count("clock in 1970")
        machine.guarded(machine.lose_power)


def time_away(world):
    """A station's cable is out for 400 days, and people work there all the while.

    The days go by for everybody: fifty at a time, with some minutes of work in between.
    """
    machine = world.a_machine()
    if machine is None or machine.link_is_cut:
        return
    machine.link_is_cut = True
    world.after(world.fate.seconds(5, 60), "days go by", lambda: _days_go_by(world, machine, 0))


def _days_go_by(world, machine, hops):
    if world.phase != "chaos" or hops == AWAY_HOPS:
        if machine.power == "on" and machine.journal.unsent and hops == AWAY_HOPS:
            world.count("400 days offline")
        machine.plug_in()
        return
    world.true.seconds += AWAY_SECONDS / AWAY_HOPS
    delay = world.fate.seconds(5, 60)
    world.after(delay, "days go by", lambda: _days_go_by(world, machine, hops + 1))


def _wrong(world, do):
    machine = world.a_machine()
    if machine is not None:
        do(machine.clock)
        world.count("clock wrong")


def id_backup(world):
    """Somebody makes an image of a PC, or puts an old one back."""
    machine = world.a_machine()
    if machine is None:
        return
    if machine.number not in world.images or world.fate.chance(0.3):
        world.images[machine.number] = Image(machine)
        return
    world.put_back(machine, world.images[machine.number], "rolled back to an image")


def id_clone(world):
    """A copy of a PC's disk runs in another PC beside it."""
    machine = world.a_machine()
    if machine is None or len(world.machines) >= world.machines_max:
        return
    world.clone(machine)


def version_new_type(world):
    """A newer agent records a type of event that nobody else knows."""
    machine = world.a_machine()
    if machine is not None:
        machine.guarded(lambda: machine.journal.dream(machine.clock.now()))
        if machine.power == "on":
            world.count("event of a newer version")
            machine.poke()


def version_rework(world):
    """At a station of a later version a board is taken out of a lamp, and that is recorded."""
    known = [
        (machine, bind)
        for machine in world.machines
        if machine.power == "on"
        for bind in _live_binds(machine, world.floor.inside)
    ]
    if not known:
        return
    machine, bind = world.odds.pick(known)
    board, (lamp, slot) = bind.key[0], bind.value
    is_own = bind.place.journal == machine.identity.journal
    body = ComponentUnbound(child=board, parent=lamp, slot=slot, reason="rework")
    fact = OwnFact(body, plant.LEAD, (bind.place.seq if is_own else bind.ref,))
    machine.guarded(lambda: machine.journal.append([fact], None, at=machine.clock.now()))
    if machine.power == "on":
        world.count("unbound at rework")
        machine.poke()
    if world.floor.inside.get(board) == lamp:
        del world.floor.inside[board]
        world.floor.boards.append(board)


def _live_binds(machine, boards):
    """What a station knows of these boards; only of those in two places, if there are any."""
    claims = [machine.journal.ledger.claims("in", board) for board in sorted(boards)]
    live = [[claim for claim in found if claim.is_live] for found in claims]
    contested = [found for found in live if len(found) > 1]
    return [claim for found in contested or live for claim in found]


def hub_crash(world):
    """The hub loses its power in the middle of its next commit, or between two."""
    if world.fate.chance(0.5):
        world.door.crash_next = True
    else:
        world.door.restart()
        world.count("hub crashed")


def hub_restore(world):
    """The hub is put back to its last backup, if its own feeds wrote nothing since.

    A restored hub whose feeds had grown opens new feeds (`decided.md` 11), which a later step
    builds.
    """
    backup = world.backup
    # Put back without `tally hub restore`, it may lack what stations deleted: nobody may do that.
    is_allowed = backup is not None and "journal_prune" not in world.kinds
    if not is_allowed or backup[1] != world.feed_tips() or world.fate.chance(0.3):
        world.backup = (world.door.image(), world.feed_tips(), world.true.seconds)
        return
    world.restore_hub(backup[0])


def hub_lost(world):
    """The hub's machine is lost, whatever its feeds wrote since the backup; it is restored."""
    if not world.backups or world.mood.chance(0.3):
        is_noted = "journal_prune" in world.kinds
        world.backups.append(world.door.archive() if is_noted else world.door.backup())
        return
    # Of those that count the newest may be lost as well; older ones lack what stations deleted.
    kept = world.backups[-2:] if "journal_prune" in world.kinds else world.backups
    world.lose_hub(world.mood.pick(kept))


def lot_held(world):
    """Quality puts a lot on hold, or lets it go again."""
    world.turn_lot(plant.LOTS[1], "BAT-18650")


def shift_closed(world):
    """A segment is sealed before it is full."""
    machine = world.a_machine()
    if machine is not None:
        machine.guarded(machine.journal.cut_segment)
        world.count("segment sealed")


def id_revoke(world):
    """A PC was in strange hands: the plant takes its key back, from some event on.

    Later a technician enrols it anew, and somebody decides what counts of the rest.
    """
    machine = world.a_machine()
    if machine is None or world.door.hub.key_of(machine.identity.journal) is None:
        return
    journal = machine.identity.journal
    most = max((branch.tip_seq for branch in world.branches_of(journal)), default=0)
    since = world.locks.pick(("next", "next", "all", *map(str, range(max(2, most - 20), most + 1))))
    world.take_key_back(machine, since)


SUDDEN = {
    fault.__name__: fault
    for fault in (
        net_cut,
        net_small,
        disk_kill,
        disk_lies,
        disk_full,
        disk_error,
        disk_full_hub,
        disk_flip_own,
        disk_flip_foreign,
        time_away,
        time_offset,
        time_jump,
        time_drift,
        time_1970,
        id_backup,
        id_clone,
        version_new_type,
        version_rework,
        hub_crash,
        hub_restore,
        hub_lost,
        lot_held,
        shift_closed,
        usb_stick,
        usb_round,
        id_revoke,
        peers_alone,
        journal_prune,
        keys_turned,
    )
}
LATER = ("net_gateway", "version_rework")
"""Kinds that came later, chosen by draws of their own: so old seeds stay as they were."""
LATEST = ("disk_error", "disk_full_hub", "time_away", "hub_lost")
"""Kinds that came after those, in the same way."""
CARRIED = ("usb_stick",)
"""And after those."""
WALKED = ("usb_round", "label_copied")
"""And after those."""
REVOKED = ("id_revoke",)
"""And after those."""
TRADED = ("codes_lent", "codes_returned")
"""And after those."""
VISITED = ("peers_alone", "peers_lie")
"""And after those."""
PRUNED = ("journal_prune",)
"""And after those."""
SUCCEEDED = ("id_heir",)
"""And after those: stations go on by themselves after a copy or restore, cut short now and then."""
ASKED = ("codes_asked",)
"""And after those: a lead asks the neighbours for codes, while they go round."""
TURNED = ("keys_turned",)
"""And after those."""
_OWN_DRAWS = LATER + LATEST + CARRIED + WALKED + REVOKED + TRADED + VISITED + PRUNED + SUCCEEDED
_OWN_DRAWS += ASKED + TURNED
KINDS = tuple(kind for kind in (*STEADY, *SUDDEN) if kind not in _OWN_DRAWS)
"""All others, in the order in which a seed chooses among them."""
