"""The bodies of the event types, version 1 (`format.md` 6).

Rules:
1. A body states facts as they were seen; claims are derived from it by `tally.merge.claims`.
2. Decimals are strings, times are RFC 3339 strings, codes are the bytes of the label decoded as
UTF-8 (`raw` beside a normalised value where they differ, control characters escaped as in JSON).
3. A field once published keeps name and meaning for ever. Another meaning is another version.
4. Optional fields default to None or empty and are then absent from the line.

`docs/events.md` is generated from these docstrings.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Int = Annotated[int, msgspec.Meta(ge=-(2**53 - 1), le=2**53 - 1)]
"""An integer inside the line profile (`tally.records.line`)."""

Verdict = Literal["PASS", "FAIL", "UNKNOWN"]


class Body(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of all bodies; unknown fields mean an unknown version and are never half-read."""


class Check(Body, frozen=True):
    """One poka-yoke rule as it was evaluated when the operator acted.

    `rule`: not_used, lot_released, previous_op, not_held, right_part. `subject`: the code
    judged. `basis`: where the knowledge came from, in words for people (`own journal`, `S02 to
    118`, `hub as of 09:14`). `arg`: the operation for previous_op.
    """

    rule: str
    subject: str
    verdict: Verdict
    basis: str = ""
    arg: str = ""


class JournalOpened(Body, frozen=True):
    """First event of every journal: who writes here, with which key, after which journal.

    `sealing`: X25519 key for which the hub closes what only this writer may read.
    """

    journal: str
    key: str
    plant: str
    writer: str
    role: Literal["station", "feed"]
    reason: str
    feed: str | None = None
    predecessor: str | None = None
    sealing: str | None = None


class AgentStarted(Body, frozen=True):
    """The station program started; the chain of run ids shows copies of a station."""

    run: str
    agent: str
    sqlite: str
    previous: str | None = None


class BlockStand(Body, frozen=True):
    """How far a block was used: `next`, the first counter never given out; `used`, how many."""

    block: str
    next: Int
    used: Int


class JournalCheckpointed(Body, frozen=True):
    """From here on the writer may delete its own events 2 to `through`; the hub keeps them.

    `id`: of the event at `through`; seals and the chain prove what stood before it. `epoch` and
    `archived`: what the hub's newest receipt said to be in its backups. `blocks`: how far each was
    used; `state`: SHA-256 of the step state, absent before the first.
    """

    through: Int
    id: str
    epoch: Int
    archived: Int
    blocks: tuple[BlockStand, ...] = ()
    state: str | None = None


class ClockObserved(Body, frozen=True):
    """This station's clock against the hub's, by the four stamps of a greeting (RFC 5905, 8).

    `offset_ms`: this clock less the hub's; `within_ms`: by how much that may be off either way.
    Written when the clock is wrong or another offset than was told last, and once a day.
    """

    offset_ms: Int
    within_ms: Int


class ClockJumped(Body, frozen=True):
    """The clock went another way than time did: it was set, or the computer slept.

    `by_ms`: how far it went beyond the time that passed since it was last looked at; `slept_ms`:
    how long the computer slept in between; `nonce`: random, so that two copies of a suspended
    computer differ from here on.
    """

    by_ms: Int
    nonce: str
    slept_ms: Int = 0


class OperatorSignedIn(Body, frozen=True):
    """A person scanned their badge; `name` as the station knew it."""

    badge: str
    role: str
    name: str = ""


class OperatorSignedOut(Body, frozen=True):
    """The person left, or another badge took over."""

    badge: str
    reason: str = ""


class RefusalShown(Body, frozen=True):
    """An operator was told NG, HOLD or LOCK: what was scanned, which rule, in which step."""

    code: str
    scanned: str
    unit: str | None = None
    step: str | None = None
    source: str | None = None
    raw: str | None = None
    says: dict[str, str] = {}


class ChangeoverMade(Body, frozen=True):
    """The station now follows another plan (and order)."""

    plan: str
    sha256: str
    order: str | None = None
    previous: str | None = None


class StepSkipped(Body, frozen=True):
    """A lead let the station go on without a step, or parked a unit; `what`: skipped, parked,
    resumed.
    """

    unit: str
    step: str
    what: Literal["skipped", "parked", "resumed"]
    reason: str


class DrillStarted(Body, frozen=True):
    """A drill began: the station's own link is cut for `seconds` and practice codes are scanned.

    `drill` names it in all its events. Nothing of a drill is about the plant's things.
    """

    drill: str
    seconds: Int


class DrillScanned(Body, frozen=True):
    """A practice code was scanned in a drill, number `number` of it; it names no thing."""

    drill: str
    number: Int
    code: str


class DrillEnded(Body, frozen=True):
    """What a drill showed: practice codes answered, how many of them the hub lacks or has twice.

    `drained_ms`: from the return of the link until the hub had acknowledged everything; absent
    when it had not within the time given.
    """

    drill: str
    passed: bool
    scanned: Int
    lost: Int
    twice: Int
    drained_ms: Int | None = None


class EventMended(Body, frozen=True):
    """An own event was damaged on the station's disk and was put back from a copy.

    `seq` and `id` name it; `found`: SHA-256 of the damaged line, which is not kept.
    """

    seq: Int
    id: str
    found: str


class EventLost(Body, frozen=True):
    """An own event was damaged on the station's disk, and neither hub nor neighbour has a copy.

    `seq` and `id` name it, `before` is the id of the event before it; `found`: SHA-256 of the
    damaged line; `reason`: who was asked, for people. The chain goes on over this hole, which is
    closed if a copy turns up later.
    """

    seq: Int
    id: str
    before: str
    found: str
    reason: str


MachinePart = Literal["machine", "network", "disk", "file"]


class MachineFact(Body, frozen=True):
    """One thing by which a computer is told from another; what it is cannot be told from it.

    `name`: machine (the system's id), network (an adapter's address), disk (the file system of the
    journal), file (the journal's file on it). `hash`: the first 16 hex digits of SHA-256 over
    `tally/machine/1`, a zero byte, journal id, name, a zero byte and the value.
    """

    name: MachinePart
    hash: str


class MachineChanged(Body, frozen=True):
    """At a start the computer was not the one that the station knew: a part of it, or all of it.

    `changed`: of what nothing is as before. `before`: what was confirmed last, `now`: what there
    is.
    """

    changed: tuple[MachinePart, ...]
    before: tuple[MachineFact, ...]
    now: tuple[MachineFact, ...]


class MachineConfirmed(Body, frozen=True):
    """Somebody said that the computer as it is now is the right one, and why it is another."""

    now: tuple[MachineFact, ...]
    reason: str


class CodeReserved(Body, frozen=True):
    """A code was taken from a block, durably, before a byte goes to the printer."""

    code: str
    scheme: str
    block: str
    counter: Int
    product: str = ""


class BlockReturned(Body, frozen=True):
    """The end of a block was given back unused; its codes are given out by nobody any more.

    `start` and `count`: the counters, up to the block's last one.
    """

    block: str
    scheme: str
    start: Int
    count: Int
    reason: str
    period: str | None = None


class BlockLent(Body, frozen=True):
    """The end of a block goes to a neighbour, durably here before the neighbour may use it.

    `journal` and `station`: the borrower. `seen` names the grant. What is borrowed is not lent on.
    """

    block: str
    scheme: str
    start: Int
    count: Int
    journal: str
    station: str
    period: str | None = None


class BlockBorrowed(Body, frozen=True):
    """A neighbour's loan was taken; `seen` names the loan, `block` is its name here."""

    block: str
    scheme: str
    start: Int
    count: Int
    journal: str
    station: str
    period: str | None = None


class LabelPrinted(Body, frozen=True):
    """The printer reported the label out; `copy` counts from 1, more are reprints with a reason."""

    code: str
    printer: str
    job: str
    copy: Int = 1
    reason: str = ""


class LabelScrapped(Body, frozen=True):
    """An encoded label was made unusable before it was commissioned (Open-SCS LabelScrapped)."""

    code: str
    reason: str


class UnitCommissioned(Body, frozen=True):
    """A code now belongs to a physical unit (CBV commissioning); recorded at read-back of its
    label.
    """

    code: str
    product: str
    step: str = ""
    order: str | None = None
    lot: str | None = None
    scheme: str | None = None
    block: str | None = None
    source: str | None = None
    raw: str | None = None


class LotReceived(Body, frozen=True):
    """A lot of a bought or own part arrived."""

    lot: str
    part: str
    quantity: str = ""
    supplier: str = ""
    supplier_lot: str = ""


class LotReleased(Body, frozen=True):
    """Quality released a lot for use."""

    lot: str
    part: str


class LotLoaded(Body, frozen=True):
    """A lot was put on a station; every unit binds from it until it is unloaded or replaced."""

    part: str
    lot: str
    slot: str
    step: str
    checks: tuple[Check, ...] = ()
    source: str | None = None
    raw: str | None = None


class LotUnloaded(Body, frozen=True):
    """The lot was taken off the station."""

    part: str
    lot: str
    slot: str
    reason: str = ""


class ComponentBound(Body, frozen=True):
    """A part went into a unit: a serial part into a slot, or material of a lot (CBV assembling).

    `ns`: namespace of a child that none of the plant's schemes made (its part number); absent
    for own codes. `provisional`: some check was UNKNOWN and the plan let the operator go on.
    """

    child: str
    parent: str
    slot: str
    tracking: Literal["serial", "lot"]
    part: str
    step: str
    quantity: str = "1"
    ns: str | None = None
    checks: tuple[Check, ...] = ()
    provisional: bool = False
    source: str | None = None
    raw: str | None = None


class ComponentUnbound(Body, frozen=True):
    """A part came out of a unit (CBV disassembling); `seen` names the bind if the station knew
    it.
    """

    child: str
    parent: str
    slot: str
    reason: str
    ns: str | None = None


class MeasurementTaken(Body, frozen=True):
    """A value was measured; `attempt` counts operations, `trial` the tries within one."""

    unit: str
    operation: str
    step: str
    characteristic: str
    value: str
    unit_of_measure: str
    verdict: Literal["PASS", "FAIL"]
    low: str | None = None
    high: str | None = None
    attempt: Int = 1
    trial: Int = 1
    source: str | None = None


class OperationCompleted(Body, frozen=True):
    """An operation on a unit ended with a result.

    `checks`: the rules that were evaluated when the unit came to the station. `provisional`: some
    of them were UNKNOWN and the plan let the operator go on.
    """

    unit: str
    operation: str
    result: Literal["PASS", "FAIL"]
    attempt: Int = 1
    plan: str = ""
    defects: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    provisional: bool = False


class BoxOpened(Body, frozen=True):
    """A container got its identity and takes items; `scheme` and `block` where its code was
    issued here.
    """

    box: str
    product: str
    capacity: Int
    order: str | None = None


class ItemPacked(Body, frozen=True):
    """An item went into a container (CBV packing)."""

    item: str
    box: str
    position: Int
    checks: tuple[Check, ...] = ()
    provisional: bool = False
    source: str | None = None
    raw: str | None = None


class ItemUnpacked(Body, frozen=True):
    """An item came out of a container (CBV unpacking); `seen` names the pack if the station
    knew it.
    """

    item: str
    box: str
    reason: str


class BoxClosed(Body, frozen=True):
    """A container is complete; `sha256` over its sorted items, one a line."""

    box: str
    items: tuple[str, ...]
    sha256: str


class HoldPlaced(Body, frozen=True):
    """A unit, lot or container must not move on."""

    target: str
    kind: Literal["unit", "lot", "box"]
    reason: str


class HoldReleased(Body, frozen=True):
    """A hold was lifted; `seen` names the hold."""

    target: str
    kind: Literal["unit", "lot", "box"]
    reason: str


class ActionUndone(Body, frozen=True):
    """The operator took back own events, named in `seen`; `what` in words for the history."""

    reason: str
    what: str = ""


class StationEnrolled(Body, frozen=True):
    """Feed `keys`: this journal is written by this station with this key."""

    journal: str
    key: str
    station: str
    line: str = ""
    site: str = ""


class KeyPublished(Body, frozen=True):
    """Feed `keys`: the plant root key vouches for a key of the hub.

    `sig`: over journal ‖ key ‖ purpose ‖ NUL ‖ name, under the domain `tally/key/1`.
    """

    journal: str
    key: str
    purpose: Literal["feed", "receipt", "ca"]
    name: str
    sig: str


class KeyRetired(Body, frozen=True):
    """Feed `keys`: the plant root key says that a key of the hub is out of use.

    `last`: reference of the last event of a feed; what its key signs after that is nobody's. Of a
    receipt key it is empty: no receipt under it is taken any more. `sig`: over journal ‖ key ‖
    purpose ‖ NUL ‖ name ‖ NUL ‖ last, under the domain `tally/retired/1`.
    """

    journal: str
    key: str
    purpose: Literal["feed", "receipt"]
    name: str
    sig: str
    last: str = ""


class AuthorityPublished(Body, frozen=True):
    """Feed `keys`: the plant root key vouches for another CA of the hub's stations' door.

    `certificate`: PEM; `name`: the server name that it certifies; `retires`: names of earlier CAs
    that stations stop trusting (`tally.records.authority`). `sig`: over all of these, under the
    domain `tally/ca/1`.
    """

    certificate: str
    name: str
    sig: str
    retires: tuple[str, ...] = ()


class KeyRevoked(Body, frozen=True):
    """Feed `keys`: the key of a station's journal is taken back; what it signed later may be a
    stranger's.

    `trusted`: reference of the last event that counts; empty when none does. Everything else of
    the journal is kept as it came and makes no claim until a decision lets it
    (`docs/decisions/0125-…`).
    """

    journal: str
    station: str
    reason: str
    trusted: str = ""


class JournalForked(Body, frozen=True):
    """Feed `keys`: a station's journal has two histories: its computer was copied or restored.

    `after`: seq of the last event that they can share; the true one where the past of both is here.
    `tips`: references of the newest event of each, as known when this was written; the histories
    themselves prove it.
    """

    journal: str
    station: str
    after: Int
    tips: tuple[str, ...]


class JournalClosed(Body, frozen=True):
    """Feed `keys`: another journal goes on in the place of this one, which gets no more codes.

    Events that still come of it are kept and count like any other. `reason`: succeeded (the writer
    said so with its key) or enrolled (a person let a computer take the station's place).
    """

    journal: str
    station: str
    successor: str
    reason: Literal["succeeded", "enrolled"]


class BlockLeased(Body, frozen=True):
    """Feed `leases`: a range of codes now belongs to one journal (Open-SCS allocation)."""

    block: str
    scheme: str
    start: Int
    count: Int
    journal: str
    station: str
    request: str
    period: str | None = None


class BlockWrittenOff(Body, frozen=True):
    """What was not used of a block never will be, because nobody can prove it unused.

    In feed `leases`, or in the journal that holds the block. `journal`: whom it was leased to.
    """

    block: str
    journal: str
    reason: str


class MasterPublished(Body, frozen=True):
    """Feed `master`: one immutable version of one piece of master data, with its content."""

    entity: str
    id: str
    version: str
    sha256: str
    content: dict[str, Any]


class OrderReleased(Body, frozen=True):
    """Feed `orders`: a work order may be produced."""

    order: str
    sha256: str
    content: dict[str, Any]


class DecisionMade(Body, frozen=True):
    """Feed `decisions`: an admin settled a case, with all its effects in one event
    (`decided.md` 20).

    `keep`: reference of the event whose claim stays, or `none`. `retires`: references whose
    claims end; without any, all stay held, or what was superseded is taken back. `claims_seen`:
    the events the person saw on the key; `supersedes`: earlier decisions on the key that this one
    replaces. The merge reads nothing from elsewhere.
    """

    case: str
    key: str
    keep: str
    retires: tuple[str, ...]
    claims_seen: tuple[str, ...]
    reason: str
    supersedes: tuple[str, ...] = ()
