"""The stock of codes: the same figures as the audit, however often and early it looked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.services.stocktaking import PACE_EVENTS_MIN, UNEXPLAINED_MAX, Stock, schemes
from tally.events import types as t
from tally.records.ids import show_journal
from tests.support.hub_floor import Clock, a_hub, demo_files, enrolled

FIGURES = (
    "granted",
    "unused",
    "in_flight",
    "commissioned",
    "scrapped",
    "returned",
    "lent",
    "written_off",
    "unexplained",
)


class Bench:
    """A hub, a station with a block of lamps' codes and one of pre-printed boards."""

    def __init__(self):
        self.clock = Clock()
        self.hub = a_hub(self.clock)
        self.hub.publish(demo_files())
        self.station = enrolled(self.hub, "S03")
        self.sent = self.station.seq
        self.lamps = self.lease("bl2@1", 30)
        self.boards = self.lease("pcb-l@1", 30)
        self.neighbour = enrolled(self.hub, "S02")
        self.given = 0

    def lease(self, scheme, count):
        request = f"{scheme} {self.station.name}"
        return self.hub.lease(self.station.id, request, scheme, count).block

    def lamp(self, number):
        return f"BL2-2647-{self.lamps.start + number:06d}"

    def board(self, number):
        return f"PCB-L-{self.boards.start + number:05d}"

    def send(self):
        if self.station.seq > self.sent:
            self.hub.ingest(self.station.id, self.station.piece(self.sent + 1))
            self.sent = self.station.seq


def reserve(bench, number):
    counter = bench.lamps.start + number
    bench.station.add(t.CodeReserved(bench.lamp(number), "bl2@1", bench.lamps.block, counter))


def commission(bench, number):
    bench.station.add(t.UnitCommissioned(bench.lamp(number), "BL-2@4", block=bench.lamps.block))


def preprinted(bench, number):
    bench.station.add(t.UnitCommissioned(bench.board(number), "PCB-L@2", block=bench.boards.block))


def scrap(bench, number):
    bench.station.add(t.LabelScrapped(bench.lamp(number), "smeared"))


def give(bench, how, first, count):
    """The end of the lamps' block goes away: from the `first`-th code of it on."""
    bench.given += count if first == 30 - bench.given else 0
    block, start = bench.lamps.block, bench.lamps.start + first - 1
    if how == "returned":
        bench.station.add(t.BlockReturned(block, "bl2@1", start, count, "order done"))
    else:
        neighbour = show_journal(bench.neighbour.id)
        bench.station.add(t.BlockLent(block, "bl2@1", start, count, neighbour, "S02"))


def take(bench, number, ends):
    """One code as a station takes it: reserved, then used, scrapped, or still on its way."""
    if ends in {"returned", "lent"}:
        give(bench, ends, 30 - bench.given, 1)
        return
    if ends.endswith(" all the same"):  # a copy of the station uses what this one gives away
        give(bench, ends.split()[0], number + 1, 2)
        return
    if ends != "jumped":
        reserve(bench, number)
    if ends == "used":
        commission(bench, number)
    elif ends == "scrapped":
        scrap(bench, number)
    elif ends == "preprinted":
        preprinted(bench, number)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                (
                    "used",
                    "waiting",
                    "scrapped",
                    "jumped",
                    "preprinted",
                    "returned",
                    "lent",
                    "returned all the same",
                    "lent all the same",
                )
            ),
            max_size=10,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_was_kept_up_to_date_equals_what_the_audit_counts(turns):
    bench, stock = Bench(), Stock()
    number = 0
    for turn in turns:
        for ends in turn:
            take(bench, number, ends)
            number += 1
        bench.send()
        stock.blocks(bench.hub.office)
    found = {row["block"]: row for row in stock.blocks(bench.hub.office)}
    for row in bench.hub.show("balance"):
        assert {key: found[row["block"]][key] for key in FIGURES} == {k: row[k] for k in FIGURES}
        assert min(row[key] for key in FIGURES) >= 0, "each code counts once"


def test_a_block_that_becomes_known_after_its_events_is_counted_all_the_same():
    bench, stock = Bench(), Stock()
    start = bench.boards.start + 30
    bench.station.add(t.UnitCommissioned(f"PCB-L-{start:05d}", "PCB-L@2", block="late"))
    bench.station.add(t.CodeReserved(f"PCB-L-{start + 1:05d}", "pcb-l@1", "later", start + 1))
    commission(bench, 0)
    bench.send()
    stock.blocks(bench.hub.office)
    bench.hub.lease(bench.station.id, "late", "pcb-l@1", 1, start=start, block="late")
    bench.hub.lease(bench.station.id, "later", "pcb-l@1", 1, start=start + 1, block="later")
    found = {row["block"]: row for row in stock.blocks(bench.hub.office)}
    assert found["late"]["commissioned"] == found["later"]["in_flight"] == 1
    assert found[bench.lamps.block]["commissioned"] == 1


def test_what_was_borrowed_is_a_block_of_the_borrower_and_lent_in_the_lenders_books():
    bench, stock = Bench(), Stock()
    stock.blocks(bench.hub.office)
    give(bench, "lent", 21, 10)
    bench.send()
    first = bench.lamps.start + 20
    name, sent = f"{bench.lamps.block}+{first}", bench.neighbour.seq
    lender = show_journal(bench.station.id)
    bench.neighbour.add(t.BlockBorrowed(name, "bl2@1", first, 10, lender, "S03"))
    bench.neighbour.add(t.CodeReserved(bench.lamp(20), "bl2@1", name, first))
    bench.hub.ingest(bench.neighbour.id, bench.neighbour.piece(sent + 1))
    found = {row["block"]: row for row in stock.blocks(bench.hub.office)}
    assert (found[bench.lamps.block]["lent"], found[bench.lamps.block]["unused"]) == (10, 20)
    assert (found[name]["station"], found[name]["granted"], found[name]["in_flight"]) == (
        "S02",
        10,
        1,
    )
    for row in bench.hub.show("balance"):
        assert {key: found[row["block"]][key] for key in FIGURES} == {k: row[k] for k in FIGURES}
        assert row["unexplained"] == 0


@pytest.mark.parametrize(("start", "count"), [(-1, 5), (0, 0), (0, -4), (25, 2**50)])
def test_nonsense_about_giving_and_borrowing_moves_no_book(start, count):
    bench, stock = Bench(), Stock()
    block, lender = bench.lamps.block, show_journal(bench.station.id)
    first = bench.lamps.start + start
    bench.station.add(t.BlockReturned(block, "bl2@1", first, count, "?"))
    bench.station.add(t.BlockLent("B-99", "bl2@1", first, count, lender, "S03"))
    if count < 1:
        bench.station.add(t.BlockBorrowed("?", "bl2@1", first, count, lender, "S03"))
    bench.send()
    rows = {row["block"]: row for row in stock.blocks(bench.hub.office)}
    assert (rows[block]["unused"], rows[block]["returned"], len(rows)) == (30, 0, 2)
    for row in bench.hub.show("balance"):
        assert {key: rows[row["block"]][key] for key in FIGURES} == {k: row[k] for k in FIGURES}


def test_numbers_that_were_jumped_over_are_named():
    bench = Bench()
    for number in (0, 3):
        reserve(bench, number)
    bench.send()
    [row] = [one for one in Stock().blocks(bench.hub.office) if one["scheme"] == "bl2@1"]
    assert (row["unexplained"], row["missing"]) == (2, [bench.lamp(1), bench.lamp(2)])
    assert (row["first"], row["last"]) == (bench.lamp(0), bench.lamp(29))


def test_a_block_of_a_hundred_million_codes_taken_at_both_ends_costs_little():
    bench, stock = Bench(), Stock()
    block = bench.hub.lease(bench.station.id, "many", "sscc@1", 10**8).block
    scheme = next(one for one in bench.hub.schemes() if one["scheme"] == "sscc@1")
    assert scheme["granted"] == 10**8
    for counter in (block.start, block.start + 10**8 - 1):
        bench.station.add(t.CodeReserved(f"box {counter}", "sscc@1", block.block, counter))
    bench.send()
    row = next(one for one in stock.blocks(bench.hub.office) if one["scheme"] == "sscc@1")
    assert (row["unused"], row["in_flight"], row["unexplained"]) == (0, 2, 10**8 - 2)
    assert len(row["missing"]) == UNEXPLAINED_MAX


def test_how_long_codes_last_is_said_once_the_pace_is_known():
    bench, stock = Bench(), Stock()
    for number in range(PACE_EVENTS_MIN):
        bench.station.clock_ms = int(bench.clock.now.timestamp() * 1000) - 60_000 * (25 - number)
        commission(bench, number)
    bench.send()
    bench.clock.forward(minutes=5)
    row = stock.blocks(bench.hub.office)[0]
    assert (row["scheme"], row["unused"]) == ("bl2@1", 10)
    assert row["pace"] == pytest.approx(40, rel=0.02)
    assert row["lasts"] == pytest.approx(10 / row["pace"])
    bench.clock.forward(hours=2)
    assert {row["lasts"] for row in stock.blocks(bench.hub.office)} == {None}


def test_blocks_of_a_pc_that_was_replaced_come_last_and_say_so():
    bench = Bench()
    enrolled(bench.hub, "S03", salt="another PC")
    assert all(row["is_former"] for row in Stock().blocks(bench.hub.office))


def test_every_scheme_is_shown_with_an_example_and_its_capacity():
    bench = Bench()
    found = {row["scheme"]: row for row in schemes(bench.hub.office)}
    assert found["bl2@1"]["example"] == "BL2-2647-000000"
    assert (found["bl2@1"]["capacity"], found["bl2@1"]["granted"]) == (10**6, 30)
