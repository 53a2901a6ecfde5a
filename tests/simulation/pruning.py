"""Backups that count, and stations that delete what two of them hold; by hand also what they must
not.

Its draws are its own, so that seeds without it are as they were.
"""

import datetime as dt
from dataclasses import replace

from edge_agent.journal.pruning import KEEP_DAYS_MIN, NotPrunableError, plan, prune
from tally.records.ids import EVENT_ID_SIZE

KEPT = 5
"""Events that stay, in place of a thousand: journals are short here."""


def own_ids(connection):
    """Ids of all own events in order, those of deleted ones too."""
    found = {
        first + at: ids[at * EVENT_ID_SIZE : (at + 1) * EVENT_ID_SIZE]
        for first, last, ids in connection.execute("SELECT first, last, ids FROM pruned")
        for at in range(last - first + 1)
    }
    found.update(connection.execute("SELECT seq, id FROM event").fetchall())
    return [found[seq] for seq in sorted(found)]


def pruned_ids(connection):
    """Ids of deleted own events."""
    held = {row[0] for row in connection.execute("SELECT id FROM event")}
    return set(own_ids(connection)) - held


def journal_prune(world):
    """A backup of the hub is made and noted; then people delete old events of stations.

    Now and then the hub is lost right after, and restored from one of its two newest backups.
    """
    world.backups.append(world.door.archive())
    for machine in [one for one in world.machines if one.power == "on"]:
        if world.crops.chance(0.6):
            machine.guarded(lambda one=machine: _prune(world, one))
    if len(world.backups) > 1 and world.crops.chance(0.15):
        world.count("hub lost after a prune")
        world.lose_hub(world.backups[-2 if world.crops.chance(0.7) else -1])


def _prune(world, machine):
    journal = machine.journal
    journal.cut_segment()
    later = machine.clock.now() + dt.timedelta(days=KEEP_DAYS_MIN + 1)
    found = plan(
        journal.connection, journal.identity.journal, keep_days=KEEP_DAYS_MIN, now=later, kept=KEPT
    )
    if world.crops.chance(0.4):
        _by_hand(world, machine, replace(found, through=journal.seq, events=journal.seq))
    try:
        for through in prune(journal, found, at=machine.clock.now()):
            world.count("segment pruned")
            if machine.damage is not None and machine.damage <= through:
                machine.damage = None  # the hub has the event as it was
    except NotPrunableError:
        world.count("prune refused")
    if machine.power == "on":
        machine.poke()


def _by_hand(world, machine, forced):
    """All there is, whatever the plan says: what no two backups hold must stay."""
    try:
        for _ in prune(machine.journal, forced, at=machine.clock.now()):
            world.count("everything was in two backups")
    except NotPrunableError:
        world.count("prune refused")
