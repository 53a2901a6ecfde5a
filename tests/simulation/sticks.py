"""People who carry bundles: made at one moment, taken in later, at the hub or another station.

On the way a stick is cut short, a bit of it turns, or it is used twice. The bytes are those that
`tally station journal` and `tally hub bundle` write; only the files are missing.
"""

import io

from edge_agent.journal.faults import JournalCorrupt, JournalFault
from edge_agent.sync.carrying import pack, unpack
from tally.records.bundle import BundleError, opening, parts_in, plain, read_opening


def usb_stick(world):
    """Somebody fills a stick, at a station or at the hub, and carries it somewhere."""
    machine = world.a_machine()
    if machine is None:
        return
    dice = world.hands
    from_hub = dice.chance(0.4)
    fill = _at_the_hub if from_hub else _at_a_station
    data = fill(world, machine, dice)
    if data is None:
        return
    world.count("stick filled")
    data = _worn(world, data)
    for _ in range(2 if dice.chance(0.2) else 1):
        world.after(dice.seconds(5, 900), "stick", lambda: _arrive(world, data, from_hub))


def usb_round(world):
    """A station's cable is out; somebody goes from there to the hub with a stick, and back."""
    machine = world.a_machine()
    if machine is None or machine.link_is_cut:
        return
    dice = world.walks
    machine.link_is_cut = True
    world.after(dice.seconds(120, 600), "link back", machine.plug_in)

    def go():
        if world.phase == "chaos" and machine.power == "on":
            there = _at_a_station(world, machine, dice)
            world.after(dice.seconds(1, 20), "stick", lambda: at_the_hub(there))

    def at_the_hub(there):
        if world.phase != "chaos":
            return
        world.at_hub(lambda: _take_at_hub(world, *_opened(there)))
        if machine.power != "on":
            return  # nobody there to go back to
        back = _at_the_hub(world, machine, dice)
        if back is not None:
            world.after(dice.seconds(1, 20), "stick", lambda: at_the_station(back))

    def at_the_station(back):
        if world.phase == "chaos" and machine.power == "on":
            _take_at_station(world, machine, *_opened(back))

    world.after(dice.seconds(1, 30), "stick", go)


def _at_a_station(world, machine, dice):
    with_all = dice.chance(0.4)
    made = pack(
        machine.connection,
        machine.identity,
        machine.trust,
        with_all=with_all,
        made=machine.clock.now(),
    )
    return opening(made.bundle, machine.identity.key) + b"".join(made.parts())


def _at_the_hub(world, machine, dice):
    hub = world.door.hub
    journal = machine.identity.journal
    if hub.key_of(journal) is None:
        return None
    frontier = machine.journal.others.frontier()
    tips = {j: event_id for j, (_, event_id) in frontier.items()}
    with hub.office.store.reading():
        made = hub.pack(journal, tips if dice.chance(0.7) else None)
        return opening(made.bundle, hub.office.secrets.receipt) + b"".join(made.parts())


def _worn(world, data):
    """The same bytes, or not all of them, or with one bit turned."""
    dice = world.hands
    if dice.chance(0.2):
        world.count("stick cut short")
        return data[: dice.below(len(data))]
    if dice.chance(0.15):
        at = dice.below(len(data))
        world.count("bit of a stick flipped")
        return data[:at] + bytes([data[at] ^ 1 << dice.below(8)]) + data[at + 1 :]
    return data


def _arrive(world, data, from_hub):
    """At the hub mostly what stations made, at stations mostly what the hub made."""
    if world.phase != "chaos":
        return
    try:
        bundle, file = _opened(data)
    except BundleError:
        world.count("stick refused whole")
        return
    if world.hands.chance(0.15 if from_hub else 0.7):
        world.at_hub(lambda: _take_at_hub(world, bundle, file))
        return
    machine = _station_for(world, bundle)
    if machine is not None:
        _take_at_station(world, machine, bundle, file)


def _opened(data):
    file = io.BytesIO(data)
    return read_opening(file), file


def _station_for(world, bundle):
    found = [machine for machine in world.machines if machine.power == "on"]
    meant = [machine for machine in found if machine.identity.journal == bundle.reader]
    return world.hands.pick(meant or found) if found else None


def _take_at_hub(world, bundle, file):
    hub = world.door.hub
    parts = [plain(part.segment) for part in parts_in(bundle, file) if part.segment is not None]
    for row in hub.take_parts(parts):
        if row["stored"]:
            world.count("stick brought the hub something new")
        elif row["need"] is not None:
            world.count("stick beyond a gap")
        elif row["held"]:
            world.count("stick brought what was there")


def _take_at_station(world, machine, bundle, file):
    """It is stopped for that, and starts again afterwards."""
    machine.guarded(machine.lose_power)
    try:
        journal = machine.a_journal()
        done = unpack(journal, bundle, file, at=machine.clock.now())
    except (JournalFault, JournalCorrupt):
        world.count("stick met a station that cannot write")
        return
    if done.stored:
        world.count("stick brought a station something new")
    if done.acknowledged is not None:
        world.count("receipt came by stick")
