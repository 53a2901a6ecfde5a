"""What must hold, each check by name; what `docs/guarantees.md` promises is checked here.

`audit` runs all of them over the stores that a run leaves. They recompute: from the events
themselves, by brute force (`tests.support.oracle`), by replay in other orders, by the product's own
`verify`. A check that objects raises `Violation` with its name.

One module although long: it is the list of what is promised, read from top to bottom by `audit`.
"""

import sqlite3

from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.left import pruned_through
from edge_agent.journal.projecting import not_taken_in
from edge_agent.journal.pruning import broken_segment
from edge_agent.journal.tail import audit as audit_own
from edge_agent.journal.tail import check_range
from hub.services import journals
from hub.services.exporting import export
from hub.services.holes import listed
from hub.services.succeeding import successor_of
from tally.events.decoding import EventLine, read_line, read_lines
from tally.events.losses import NO_LINE
from tally.events.types import BlockLeased, BlockLent, BlockReturned, KeyRevoked, OperationCompleted
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.merge.keys import join_parts
from tally.merge.rechecks import checks_of
from tally.proof.exported import prove_export
from tally.records.chain import event_id as make_event_id
from tally.records.chain import line_hash
from tally.records.hlc import AHEAD_MS_MAX, parse_hlc
from tally.records.ids import GENESIS, parse_journal, parse_ref, ref_to, show_journal
from tally.trace.life import life
from tally.wire.challenge import ANSWERED_MAX
from tally.wire.messages import Position
from tests.simulation.pruning import own_ids, pruned_ids
from tests.support.oracle import Ev, Oracle

STATE_BYTES_MAX = 128 * 1024
ORDERS = 2
SESSIONS_MAX = 8
LIVES_MAX = 10


class Violation(AssertionError):
    """A promise was broken. `oracle` names the check."""

    def __init__(self, oracle, words):
        super().__init__(f"{oracle}: {words}")
        self.oracle = oracle
        self.words = words


def audit(world):
    """Every check, the cheap ones first."""
    runs = hub_runs(world)
    held = {event_id for _, _, _, ids, _ in runs for event_id in ids}
    every_ok_is_at_the_hub(world, held)
    receipts_match(world)
    every_fork_is_found(world, held)
    damage_is_found(world)
    holes_are_what_was_damaged(world)
    queues_are_bounded(world)
    every_chain_verifies(world)
    what_was_deleted_is_at_the_hub(world, held)
    events = events_of(runs)
    no_code_twice(world, events, held)
    codes_are_of_their_journal(world, events)
    cases_are_exact(world, events)
    nothing_is_left_out(world, events)
    any_order_gives_one_ledger(world, runs)
    equal_sets_have_equal_fingerprints(world, runs)
    books_balance(world)
    stamps_follow_the_wall(world, events)
    clocks_are_told(world, events)


# --- what there is ------------------------------------------------------------------------------


def hub_runs(world):
    """Everything that the hub holds: (journal, first, id before, ids, lines)."""
    store = world.door.hub.office.store
    return [
        (row.id, first, before, ids, lines)
        for row in store.journals()
        for first, before, ids, lines, _ in journals.runs(store, row)
    ]


def station_runs(machine, lines_of):
    """Everything that a station holds, own journal first, as `hub_runs` has it.

    `lines_of`: lines of own events that were deleted here, by id.
    """
    connection = machine.connection
    held = dict(connection.execute("SELECT id, line FROM event").fetchall())
    gone = {machine.journal.id_at(seq) for seq in machine.journal.lost}
    held.update((one, NO_LINE) for one in gone)
    lines_of = lines_of | dict.fromkeys(gone, NO_LINE)
    own = [(one, held.get(one) or lines_of[one]) for one in own_ids(connection)]
    found = [_run(machine.identity.journal, GENESIS, 1, own)]
    branches = connection.execute("SELECT branch, journal, parent, first FROM branch").fetchall()
    for branch, journal, parent, first in branches:
        rows = connection.execute(
            "SELECT id, line FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place",
            (branch << 40, (branch << 40) + (1 << 40) - 1),
        ).fetchall()
        before = GENESIS
        if parent is not None:
            (before,) = connection.execute(
                "SELECT id FROM foreign_event WHERE place = ?", (parent << 40 | first - 1,)
            ).fetchone()
        if rows:
            found.append(_run(journal, before, first, rows))
    return found


def _run(journal, before, first, rows):
    return (journal, first, before, [row[0] for row in rows], [row[1] for row in rows])


def events_of(runs):
    """The events as the oracle wants them."""
    found = {}
    for journal, first, before, ids, lines in runs:
        for seq, (event_id, line) in enumerate(zip(ids, read_lines(lines), strict=True), first):
            readable = line if isinstance(line, EventLine) else None
            found[event_id] = Ev(journal, seq, event_id, before, readable)
            before = event_id
    return list(found.values())


def running(world):
    """Machines that are on: after healing all but the ones that are gone."""
    return [machine for machine in world.machines if machine.power == "on"]


# --- the checks ---------------------------------------------------------------------------------


def every_ok_is_at_the_hub(world, held):
    """I1, I2, I7: what a screen said is in the hub after healing."""
    for event_id, (machine, step) in world.shown.items():
        if event_id not in held and event_id not in world.lost:
            raise Violation(
                "every_ok_is_at_the_hub",
                f"{machine} showed event {event_id.hex()[:16]} at step {step}; the hub lacks it",
            )
    world.count("lost with a disk before any copy left", len(world.lost - held))


def receipts_match(world):
    """I2: what a receipt acknowledges, the hub holds."""
    for machine in running(world):
        receipt = machine.journal.receipt
        if receipt is None:
            raise Violation("receipts_match", f"{machine} has no receipt after healing")
        held = world.ids_at_hub(machine.identity.journal)
        own = own_ids(machine.connection)[: receipt.durable_through]
        missing = [event_id.hex()[:16] for event_id in own if event_id not in held]
        if missing:
            raise Violation(
                "receipts_match",
                f"{machine} has a receipt through {receipt.durable_through}; the hub lacks "
                f"{len(missing)} of these events, the first {missing[0]}",
            )


def what_was_deleted_is_at_the_hub(world, held):
    """I15: pruning never removes what a restored hub would need."""
    for machine in world.machines:
        missing = pruned_ids(machine.connection) - held if machine.connection else set()
        if missing:
            raise Violation(
                "what_was_deleted_is_at_the_hub",
                f"{machine} deleted {len(missing)} events that the hub lacks",
            )


def every_fork_is_found(world, held):
    """I9, decided 1: two histories that both reached the hub are two branches there."""
    for machine in running(world):
        own = set(own_ids(machine.connection))
        at_hub = world.ids_at_hub(machine.identity.journal)
        is_forked = bool(at_hub - own)
        if is_forked and not machine.journal.is_suspect:
            raise Violation(
                "every_fork_is_found",
                f"the hub holds {len(at_hub - own)} events under the key of {machine} that are not "
                f"in its journal, and it goes on giving out codes",
            )
        if machine.journal.is_suspect:
            world.count("suspect at the end")
        if machine.journal.is_suspect and not is_forked:
            journal = machine.identity.journal
            # Somebody else goes on as this station, though this journal never forked.
            is_closed = successor_of(world.door.hub.office, journal) is not None
            is_told = is_closed or machine.core.knowledge.is_key_revoked()
            if journal not in world.torn and not is_told:
                raise Violation("every_fork_is_found", f"{machine} is suspect without a reason")
        # One branch is enough while the own history is a part of the other.
        branches = world.branches_of(machine.identity.journal)
        if is_forked and len(branches) < 2 and not own <= at_hub:
            raise Violation("every_fork_is_found", f"{machine}: one branch for two histories")


def damage_is_found(world):
    """I9: every flipped bit is found, in foreign lines by their chain; in own ones by the start.

    An own event of which anybody had a copy is what it was again; any other is lost, and so it is
    called at the hub: nothing else is.
    """
    for machine in running(world):
        if machine.damage is not None and machine.damage_stands():
            if machine.damage not in machine.journal.lost:
                raise Violation(
                    "damage_is_found", f"{machine} runs on with event {machine.damage} changed"
                )
            world.count("event lost")
        expected, found = machine.flipped, set(_broken_places(machine))
        if found != expected:
            raise Violation(
                "damage_is_found",
                f"{machine}: foreign events changed {sorted(expected)}, found {sorted(found)}",
            )


def holes_are_what_was_damaged(world):
    """P2: the hub names as lost only what a bit was turned in, and what is behind it counts."""
    office = world.door.hub.office
    found = {finding.ref for finding in office.store.ledger.findings() if _says_lost(finding)}
    for row in office.store.journals():
        holes = listed(office.store, row)
        wrong = [seq for seq, event_id in holes if event_id not in world.flipped]
        if wrong:
            raise Violation(
                "holes_are_what_was_damaged",
                f"{world.name_of(row.id)}: nothing ever happened to events {wrong}",
            )
        if holes and not any(parse_ref(ref).journal == row.id for ref in found):
            raise Violation(
                "holes_are_what_was_damaged", f"{world.name_of(row.id)}: no finding says {holes}"
            )
        world.count("hole at the hub", len(holes))


def _says_lost(finding):
    return finding.code == "event-lost"


def _broken_places(machine):
    branches = machine.connection.execute("SELECT branch, journal, parent, first FROM branch")
    for branch, journal, parent, first in branches.fetchall():
        before = GENESIS
        if parent is not None:
            place = parent << 40 | first - 1
            (before,) = machine.connection.execute(
                "SELECT id FROM foreign_event WHERE place = ?", (place,)
            ).fetchone()
        rows = machine.connection.execute(
            "SELECT place, id, line FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place",
            (branch << 40, (branch << 40) + (1 << 40) - 1),
        ).fetchall()
        for seq, (place, event_id, line) in enumerate(rows, first):
            is_gone = line == NO_LINE
            if not is_gone and make_event_id(journal, seq, before, line_hash(line)) != event_id:
                yield place
            before = event_id


def queues_are_bounded(world):
    """I10: nothing grows without an end."""
    sizes = {
        "answered challenges": (
            len(world.door.sessions._challenges._answered),
            ANSWERED_MAX * len(world.machines),
        ),
        "bearers": (len(world.door.sessions._bearers), SESSIONS_MAX * len(world.machines)),
    }
    for machine in running(world):
        sizes[f"{machine} state"] = (len(machine.journal.state or b""), STATE_BYTES_MAX)
        sizes[f"{machine} unsent"] = (machine.journal.unsent, 0)
        sizes[f"{machine} told"] = (len(machine.sync.told), 200)
        sizes[f"{machine} asked"] = (len(machine.sync.asked), 200)
    for what, (size, most) in sizes.items():
        if size > most:
            raise Violation("queues_are_bounded", f"{what}: {size}, expected at most {most}")


def every_chain_verifies(world):
    """I9: the own chain of every station, and the whole export by the product's `verify`."""
    for machine in running(world):
        try:
            first = pruned_through(machine.connection) + 1
            check_range(machine.connection, machine.identity, 1, 1)
            damage = audit_own(
                machine.connection, machine.identity, machine.journal.seq, start=max(1, first)
            )
            if damage.ids or set(damage.lines) - set(machine.journal.lost):
                raise Violation("every_chain_verifies", f"{machine}: {damage}")
            broken = broken_segment(
                machine.connection, machine.identity.journal, machine.identity.key.public
            )
            if broken:
                raise Violation("every_chain_verifies", f"{machine}: deleted {broken}")
        except JournalCorrupt as fault:
            raise Violation("every_chain_verifies", f"{machine}: {fault}") from fault
    office = world.door.hub.office
    report = prove_export(export(office), plant=office.secrets.fingerprint)
    if report.problems:
        raise Violation("every_chain_verifies", report.problems[0].words)
    if report.unanchored:
        raise Violation("every_chain_verifies", f"not anchored: {report.unanchored}")
    tails = [p.journal for p in report.journals if p.completeness == "tail unknown"]
    if tails:
        raise Violation("every_chain_verifies", f"no receipt for {tails}")


def no_code_twice(world, events, held):
    """I4, decided 1: never from one history; every double after a fork is a case and held."""
    oracle = Oracle(events)
    takings = {}
    for ev in events:
        if ev.t == "code.reserved":
            takings.setdefault(ev.b.code, []).append(ev)
    cases = {case.key: case for case in world.door.hub.office.store.ledger.cases()}
    for code, taken in takings.items():
        if len(taken) < 2:
            continue
        world.count("code taken twice after a fork")
        if len({ev.journal for ev in taken}) > 1 and not _was_lent_before_a_fork(events, taken):
            raise Violation("no_code_twice", f"{code} was given out by two journals")
        for one in taken:
            if any(other.id in {e.id for e in oracle.chain_before(one)} for other in taken):
                raise Violation("no_code_twice", f"{code} was given out twice in one history")
        doubts = [oracle.doubt(one) for one in taken]
        if doubts.count("") < 2:  # one label at most is anybody's word that counts
            world.count("code taken twice under a key taken back")
            held_for = world.door.hub.office.store.ledger.reasons_to_hold(code)
            if "open" in doubts and "untrusted" not in {one.code for one in held_for}:
                raise Violation("no_code_twice", f"{code} is in doubt and is not held")
            continue
        case = cases.get(f"code:{code}")
        if case is None:
            raise Violation("no_code_twice", f"{code} was given out twice; there is no case")
        if case.status != "decided" and code not in case.held:
            raise Violation("no_code_twice", f"{code} was given out twice and is not held")
    _labels_are_explained(world, held)


def _was_lent_before_a_fork(events, taken):
    """Whether one of two journals lent the code to the other, and then forgot it: it was copied."""
    journals = {ev.journal for ev in taken}
    lenders = {
        ev.journal
        for ev in events
        if ev.t == "block.lent"
        and {ev.journal, parse_journal(ev.b.journal)} == journals
        and ev.b.scheme == taken[0].b.scheme
        and ev.b.start <= taken[0].b.counter < ev.b.start + ev.b.count
    }
    befores = [(ev.journal, ev.before) for ev in events if ev.journal in lenders]
    return len(befores) > len(set(befores))


def codes_are_of_their_journal(world, events):
    """Model 4, decided 27: a finding for each code of nobody's or another's block, and no other.

    By brute force: granted or lent by a grantee to the journal, and not given away by it. What a
    key signed that was taken back is another check's. In one history nobody uses what it gave away.
    """
    oracle = Oracle(events)
    bodies = [(show_journal(ev.journal), ev.b) for ev in events if ev.line is not None]
    granted = {(b.journal, _range(b)) for _, b in bodies if isinstance(b, BlockLeased)}
    lent = {(j, b.journal, _range(b)) for j, b in bodies if isinstance(b, BlockLent)}
    away = {(j, _range(b)) for j, b in bodies if isinstance(b, BlockLent | BlockReturned)}
    owned = granted | {
        (to, part) for j, to, part in lent if any(g == j and _holds(r, part) for g, r in granted)
    }
    revoked = {b.journal for _, b in bodies if isinstance(b, KeyRevoked)}
    reserved = [
        ev for ev in events if ev.t == "code.reserved" and show_journal(ev.journal) not in revoked
    ]
    expected = set()
    for ev in reserved:
        journal, at = show_journal(ev.journal), (ev.b.scheme, ev.b.counter, ev.b.counter + 1)
        is_own = any(j == journal and _holds(part, at) for j, part in owned)
        is_away = any(j == journal and _holds(part, at) for j, part in away)
        world.count("a code was used though it was given away", is_own and is_away)
        if is_own and is_away and _gave_away_before(oracle, ev, at):
            raise Violation(
                "codes_are_of_their_journal", f"{ev.b.code} was used after it was given"
            )
        world.count("a loan was used", is_own and not is_away and "+" in ev.b.block)
        if not is_own or is_away:
            expected.add((ev.b.code, str(ref_to(ev.journal, ev.seq, ev.id))))
    judged = {str(ref_to(ev.journal, ev.seq, ev.id)) for ev in reserved}
    findings = world.door.hub.office.store.ledger.findings()
    found = {(f.subject, f.ref) for f in findings if f.code == "outside-block"}
    found = {one for one in found if one[1] in judged}
    if found != expected:
        odd = sorted(found ^ expected)[:3]
        raise Violation("codes_are_of_their_journal", f"findings differ: {odd}")


def _gave_away_before(oracle, ev, at):
    """Whether its own history shows that these codes were no longer its own to use."""
    return any(
        one.t in {"block.lent", "block.returned"} and _holds(_range(one.b), at)
        for one in oracle.chain_before(ev)
    )


def _range(body):
    return body.scheme, body.start, body.start + body.count


def _holds(whole, part):
    return whole[0] == part[0] and whole[1] <= part[1] and part[2] <= whole[2]


def _labels_are_explained(world, held):
    """At the printer: a label without a reservation before it does not exist."""
    by_code = {}
    for code, _, reserved, machine in world.labels:
        if reserved is None:
            raise Violation("no_code_twice", f"{machine} printed {code} without a reservation")
        if reserved not in held and reserved not in world.lost:
            raise Violation("no_code_twice", f"{machine} printed {code}; its event is nowhere")
        by_code.setdefault(code, set()).add(reserved)
    twice = {code: ids for code, ids in by_code.items() if len(ids) > 1}
    world.count("two labels of one code", len(twice))
    world.count(
        "two labels of one code, one lost with a disk",
        sum(len(ids & held) < len(ids) for ids in twice.values()),
    )


def cases_are_exact(world, events):
    """I8: the cases are the contradictions in what was recorded, by brute force."""
    ledger = world.door.hub.office.store.ledger
    oracle = Oracle(events)
    found = {
        (view.kind, join_parts(view.key), view.value_name, view.place.id)
        for view in ledger.every_claim()
        if view.is_live
    }
    expected = oracle.live_claims()
    if found != expected:
        only = sorted(map(str, found - expected))[:2], sorted(map(str, expected - found))[:2]
        raise Violation(
            "cases_are_exact", f"live claims: only at the hub {only[0]}, lacks {only[1]}"
        )
    cases = {case.key: case.status for case in ledger.cases()}
    if cases != oracle.cases():
        odd = sorted(set(cases.items()) ^ set(oracle.cases().items()))[:4]
        raise Violation("cases_are_exact", f"cases differ: {odd}")
    _doubts_are_found(world, oracle, ledger)
    for case in ledger.cases():
        world.count(f"case {case.kind} {case.status}")
        if case.status == "contested":
            world.count("a case contested")
        if case.status == "open" and any(one.is_effective for one in case.decisions):
            world.count("late claim after a decision")


def _doubts_are_found(world, oracle, ledger):
    """Fault 23: a journal is found doubtful exactly when some event of it is, by brute force."""
    doubts = {ev.journal: set() for ev in oracle.events}
    for ev in oracle.events:
        doubts[ev.journal].add(oracle.doubt(ev))
    expected = {journal for journal, found in doubts.items() if "open" in found}
    found = {
        parse_ref(one.evidence[0]).journal for one in ledger.findings() if one.code == "untrusted"
    }
    if found != expected:
        names = sorted(map(world.name_of, found ^ expected))
        raise Violation("cases_are_exact", f"wrongly or not found untrusted: {names}")
    world.count("journal untrusted and open", len(expected))
    world.count("untrusted events excluded", sum("excluded" in found for found in doubts.values()))


def nothing_is_left_out(world, events):
    """I7: what could not be read is counted exactly; every ledger took everything else."""
    told = world.door.hub.fingerprint()
    store = world.door.hub.office.store
    unread = sum(ev.line is None for ev in events)
    unread -= sum(len(listed(store, row)) for row in store.journals())
    if (told["uninterpreted"], told["unprojected"]) != (unread, 0):
        raise Violation(
            "nothing_is_left_out",
            f"{unread} events are of a newer version, the hub counts {told['uninterpreted']}; "
            f"unprojected {told['unprojected']}",
        )
    for machine in running(world):
        count, first = not_taken_in(machine.connection)
        if count:
            raise Violation("nothing_is_left_out", f"{machine.name} could not take {first[0]}")
    world.count("unknown events kept", unread)


def any_order_gives_one_ledger(world, runs):
    """I3, I5: replayed in other orders and cuts, some twice as far as a store would trim them."""
    kept = summary(world.door.hub.office.store.ledger)
    dice = world.setting.another()
    for _ in range(ORDERS):
        made = summary(ledger_of(shuffled(runs, dice)))
        if made != kept:
            raise Violation("any_order_gives_one_ledger", _difference(kept, made))


def shuffled(runs, dice):
    """The same events in other batches and another order."""
    batches = []
    for journal, first, before, ids, lines in runs:
        events, at = read_lines(lines), 0
        while at < len(ids):
            end = min(len(ids), at + dice.between(1, 40))
            batches.append(Batch(journal, first + at, before, ids[at:end], events[at:end]))
            before, at = ids[end - 1], end
    return dice.shuffled(batches)


def batches_of(runs):
    """Runs as batches, in their order."""
    return [
        Batch(journal, first, before, ids, read_lines(lines))
        for journal, first, before, ids, lines in runs
    ]


def ledger_of(batches):
    """A new ledger of exactly these."""
    ledger = SqliteLedger(sqlite3.connect(":memory:", isolation_level=None))
    ledger.create()
    for batch in batches:
        ledger.absorb(batch)
    return ledger


def summary(ledger):
    """Everything of a ledger that must not depend on the order of arrival."""
    return {
        "fingerprint": ledger.fingerprint().hex64,
        "cases": ledger.cases(),
        "findings": ledger.findings(),
        "rechecks": ledger.rechecks(),
        "unread": ledger.uninterpreted(),
    }


def _difference(kept, made):
    return "; ".join(
        f"{what}: kept {str(kept[what])[:200]}, replayed {str(made[what])[:200]}"
        for what in kept
        if kept[what] != made[what]
    )


def equal_sets_have_equal_fingerprints(world, runs):
    """I5: what a station's ledger kept up event by event is what its events mean.

    Where a station holds what the hub holds, the two are equal.
    """
    at_hub = {one for _, _, _, ids, lines in runs for one in zip(ids, lines, strict=True)}
    hub_says = world.door.hub.office.store.ledger.fingerprint().hex64
    lines_of = {
        one: line for _, _, _, ids, lines in runs for one, line in zip(ids, lines, strict=True)
    }
    for machine in running(world):
        if machine.flipped:
            continue  # its copy of another journal is damaged, and found to be
        own = station_runs(machine, lines_of)
        says = machine.journal.ledger.fingerprint().hex64
        if {one for _, _, _, ids, lines in own for one in zip(ids, lines, strict=True)} == at_hub:
            world.count("station equal to the hub")
            means = hub_says
        else:
            world.count("station with fewer events than the hub")
            means = ledger_of(batches_of(own)).fingerprint().hex64
        if says != means:
            raise Violation(
                "equal_sets_have_equal_fingerprints",
                f"{machine} says {says[:12]}, its events mean {means[:12]}",
            )


def books_balance(world):
    """Model 4: every code of a block is accounted for, but for those whose event is lost."""
    store = world.door.hub.office.store
    lost = {}
    for row in store.journals():
        lost[row.name] = lost.get(row.name, 0) + len(listed(store, row))
    for row in world.door.hub.show("balance"):
        if not 0 <= row["unexplained"] <= lost.get(row["station"], 0):
            raise Violation("books_balance", f"block {row['block']}: {row}")


def stamps_follow_the_wall(world, events):
    """Promise 11: no stamp runs more than ten minutes ahead of the wall clock of its writer."""
    walls = {}
    for machine in world.machines:
        latest_ms = int(machine.clock.latest.timestamp() * 1000)
        for journal in machine.journals():
            walls[journal] = max(latest_ms, walls.get(journal, 0))
    for ev in events:
        if ev.line is None or ev.journal not in walls:
            continue
        ahead_ms = parse_hlc(ev.line.hlc).ms - walls[ev.journal]
        if ahead_ms > AHEAD_MS_MAX:
            raise Violation(
                "stamps_follow_the_wall",
                f"event {ev.seq} of {world.name_of(ev.journal)} is stamped {ahead_ms / 1000:.0f} s "
                f"later than its wall clock ever showed",
            )


def clocks_are_told(world, events):
    """Faults 40 and 42: how often stations told of their clocks, and lives that rest on clocks."""
    for ev in events:
        if ev.t in {"clock.observed", "clock.jumped"}:
            world.count(ev.t)
    graph = world.door.hub.office.store.ledger.graph
    codes = sorted({ev.b.child for ev in events if ev.t == "component.bound"})
    for code in codes[:LIVES_MAX]:
        moments = life(graph, code).moments
        world.count("order not provable", sum(not one.timed.is_order_proven for one in moments))


def checks_are_true(machine, line):
    """Model 5: a check says PASS only where the station holds what passes it.

    A result carries the checks that were made when its unit was identified: what passed then may
    have been taken back since.
    """
    event = read_line(line)
    for check in checks_of(event.b) if isinstance(event, EventLine) else ():
        if (check.rule, check.verdict) == ("previous_op", "PASS"):
            result = machine.journal.ledger.unit(check.subject).result(check.arg)
            if result == "PASS":
                continue
            if isinstance(event.b, OperationCompleted) and _has_passed_once(machine, check):
                machine.world.count("a pass was taken back under a test")
                continue
            raise Violation(
                "checks_are_true",
                f"{machine} let {check.subject} pass {check.arg}; it knows of {result}",
            )


def _has_passed_once(machine, check):
    if pruned_through(machine.connection):
        return True  # it may have been deleted; only its ledger says so now
    lines = "SELECT line FROM event UNION ALL SELECT line FROM foreign_event"
    for (line,) in machine.connection.execute(lines):
        if line.startswith(b'{"t":"operation.completed"') and check.subject.encode() in line:
            found = read_line(line).b
            if (found.unit, found.operation, found.result) == (check.subject, check.arg, "PASS"):
                return True
    return False


# --- liveness -----------------------------------------------------------------------------------


def has_drained(world, machine):
    """Whether a station has nothing to send, holds all that it pulls and heard of its twins."""
    is_quiet = machine.settled and not machine.journal.unsent and not lagging(world, machine)
    return is_quiet and not has_an_unheard_twin(world, machine)


def has_an_unheard_twin(world, machine):
    """Whether the hub holds events under the station's key that the station does not know of."""
    if machine.journal.is_suspect:
        return False
    own = set(own_ids(machine.connection))
    return bool(world.ids_at_hub(machine.identity.journal) - own)


def lagging(world, machine):
    """Journals of which a station lacks an end that the hub holds."""
    subscribed = world.door.hub.subscriptions(machine.identity.journal)
    return [
        item.journal
        for item in subscribed
        if any(machine.view.ways_to(item.journal, Position(*tip)) for tip in item.branch_tips)
    ]


def all_drained(world):
    """I11: after the faults stop, every queue empties within a bound."""
    for machine in world.machines:
        if machine.power == "off":
            raise Violation("all_drained", f"{machine} did not start again")
    for machine in running(world):
        if not has_drained(world, machine):
            behind = [world.name_of(journal) for journal in lagging(world, machine)]
            raise Violation(
                "all_drained",
                f"{machine}: {machine.journal.unsent} unsent, behind in {behind}, "
                f"online {machine.sync.online}, said {machine.sync.said}",
            )
        if machine.journal.others.forks():
            world.count("both histories of a neighbour held")


def event_at(machine, seq):
    """For looking into a failure."""
    row = machine.connection.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
    return read_line(row[0]) if row else None
