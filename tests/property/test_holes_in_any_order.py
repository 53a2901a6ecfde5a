"""Lost events: whatever comes first, twice or in pieces, hub and ledgers say the same."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.services import journals
from hub.services.checking import check as check_stored
from hub.services.rebuilding import check
from tally.events import types as t
from tally.events.decoding import read_lines
from tally.events.losses import NO_LINE
from tally.ledger.port import Batch
from tests.support.building import Writing, board, bound, lamp
from tests.support.hub_floor import a_hub, enrolled
from tests.support.ledgers import a_ledger

WORK = 12
LOSABLE = range(2, WORK + 1)


def lost_of(writer, seqs):
    """A writer with events, and behind them the word that these are lost; work goes on after."""
    while writer.seq < WORK:
        writer.add(bound(board(writer.seq), lamp(writer.seq)))
    for seq in seqs:
        before = writer.ids[seq - 2].hex()
        gone = t.EventLost(seq, writer.ids[seq - 1].hex(), before, "00" * 32, "nobody has it")
        writer.add(gone, by="system")
    writer.add(bound(board(90), lamp(90)))
    return writer


def parts_of(writer, seqs):
    """As the station sends them: a run of whole events, or what stands in a lost one's place."""
    parts, first = [], 2
    for at, seq in enumerate(seqs):
        parts += [(first, seq - 1)] if first < seq else []
        parts.append((WORK + 1 + at,) * 2)
        first = seq + 1
    return [*parts, (first, writer.seq)]


@settings(max_examples=40)
@given(st.sets(st.sampled_from(LOSABLE), min_size=1, max_size=5), st.data())
def test_a_hub_says_the_same_whatever_of_a_journal_with_holes_came_first(lost, data):
    seqs = sorted(lost)
    hub = a_hub()
    station = lost_of(enrolled(hub), seqs)
    parts = parts_of(station, seqs)
    order = data.draw(st.permutations(parts)) + data.draw(st.lists(st.sampled_from(parts)))
    found = data.draw(st.lists(st.sampled_from(seqs), unique=True))
    for seq in found:
        order.insert(data.draw(st.integers(0, len(order))), (seq, seq))
    for part in order:
        taken = hub.ingest(station.id, station.piece(*part))
        assert taken.durable_through <= station.seq
    _, *again = parts  # what was refused for too many gaps comes once more, as it would
    for part in (*parts, *((seq, seq) for seq in found), *again):
        hub.ingest(station.id, station.piece(*part))
    missing = [seq for seq in seqs if seq not in found]
    store = hub.office.store
    standing = hub.standing(station.id)
    assert standing.durable_through == station.seq
    assert standing.apart == ()
    assert [seq for seq, _ in standing.holes] == missing
    runs = journals.runs(store, store.find_journal(station.id))
    held = [line for _, _, _, lines, _ in runs for line in lines]
    assert held == [NO_LINE if at in missing else line for at, line in enumerate(station.lines, 1)]
    assert check(hub.office).differences == ()
    assert check_stored(store)[-1].seq == station.seq
    assert len(hub.show("findings")) == len(missing)


def batches_of(writer, missing, dice):
    """The events in batches of any size; a lost one is a batch with no line."""
    found, first = [], 1
    while first <= writer.seq:
        last = min(writer.seq, first + dice.randrange(4))
        lines = [
            NO_LINE if at in missing else writer.lines[at - 1] for at in range(first, last + 1)
        ]
        whole = writer.batch(first, last)
        found.append(Batch(writer.id, first, whole.before, whole.ids, read_lines(lines)))
        first = last + 1
    return found


@settings(max_examples=60)
@given(
    st.sets(st.sampled_from(LOSABLE), min_size=1, max_size=5),
    st.sets(st.sampled_from(LOSABLE)),
    st.integers(0, 2**32),
)
def test_a_ledger_is_a_function_of_the_set_also_where_lines_are_lost_and_found(lost, found, seed):
    dice = random.Random(seed)
    seqs = sorted(lost)
    writer = lost_of(Writing("S03"), seqs)
    missing = [seq for seq in seqs if seq not in found]
    ledger = a_ledger()
    steps = [(ledger.absorb, batch) for batch in batches_of(writer, seqs, dice)]
    dice.shuffle(steps)
    for seq in set(seqs) & found:
        at = max(i for i, (_, batch) in enumerate(steps) if seq in _range(batch)) + 1
        steps.insert(dice.randint(at, len(steps)), (ledger.fill, writer.batch(seq, seq)))
    for take, batch in steps:
        take(batch)
    other = a_ledger()
    for batch in batches_of(writer, missing, dice):
        other.absorb(batch)
    assert ledger.fingerprint() == other.fingerprint()
    assert ledger.findings() == other.findings()
    assert len(ledger.findings()) == len(missing)
    assert ledger.uninterpreted() == 0


def _range(batch):
    return range(batch.first, batch.first + len(batch.ids))
