"""What a new plant has tried already: the six steps of "Start here", from what really happened.

The first scan is a unit of a product that goes into no other one: parts may be made, by machines
too, before anybody builds something from them.

Three are read from the ledger; a cut link, work meanwhile and an opened trace leave no event of
their own. The first time of each is remembered in the store, so that a large ledger is not asked
again and again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import msgspec

from hub.services.office import Office
from hub.services.publishing import entities
from hub.store.port import Journal, StoreFault
from tally.master import Bom
from tally.merge.conflicts import Case

Step: TypeAlias = Literal["scanned", "cut", "offline", "clash", "decided", "traced"]
STEPS: Final[Sequence[Step]] = ("scanned", "cut", "offline", "clash", "decided", "traced")
"""In the order in which a newcomer meets them."""
_OF_LINKS: Final[Sequence[Step]] = ("cut", "offline")
SILENT_SECONDS: Final = 90.0
"""Three times the pause between two hellos: after that a station counts as silent."""


def progress(office: Office) -> Mapping[Step, bool]:
    """Which steps have been done; what the ledger shows for the first time is remembered."""
    with office.store.reading():
        noted = {step: _noted(office, step) for step in STEPS}
        done = noted | dict.fromkeys(_seen(office, noted), True)
    for step in STEPS:
        if done[step] and not noted[step]:
            note(office, step)
    return done


def _seen(office: Office, noted: Mapping[Step, bool]) -> Iterator[Step]:
    """Steps that the ledger shows and that are not remembered yet."""
    ledger = office.store.ledger
    if not noted["scanned"] and _has_made_a_whole(office):
        yield "scanned"
    if noted["clash"] and noted["decided"]:
        return
    cases = ledger.cases()
    if any(_is_clash(case) for case in cases):
        yield "clash"
    if any(case.decisions for case in cases):
        yield "decided"


def _has_made_a_whole(office: Office) -> bool:
    """Whether a unit was commissioned of a product that no published BOM has as a part."""
    boms = (bom for bom in entities(office, "bom") if isinstance(bom, Bom))
    parts = {line.part for bom in boms for line in bom.lines}
    made = office.store.ledger.products_made()
    return any(product.partition("@")[0] not in parts for product in made)


def note(office: Office, step: Step) -> None:
    """Remember the first time of a step; later times change nothing.

    A disk that takes no more must not cost the page that is being made: then it stays unremembered.
    """
    with suppress(StoreFault), office.store.transaction():
        if not _noted(office, step):
            office.store.put(_key(step), office.now().isoformat())


def note_hello(
    office: Office, row: Journal, gauges: Mapping[str, int | str], *, has_returned: bool
) -> None:
    """Tell from a hello that a link was cut, and whether work went on meanwhile.

    Call it inside the transaction, before this hello is stored as the newest.

    Args:
        office: the hub.
        row: the station's journal.
        gauges: what the hello says: `run`, `unsent` and more.
        has_returned: the program had a session and opened another one.
    """
    wanted = [step for step in _OF_LINKS if not _noted(office, step)]
    if not wanted or not (has_returned or _was_silent(office, row, gauges.get("run"))):
        return
    unsent = gauges.get("unsent")
    has_worked = isinstance(unsent, int) and unsent > 0
    for step in wanted:
        if step == "cut" or has_worked:
            office.store.put(_key(step), office.now().isoformat())


def _was_silent(office: Office, row: Journal, run: object) -> bool:
    """Whether this run was not heard for long; a program that was stopped is no cut link."""
    at, said = office.store.gauges().get(row.no, ("", "{}"))
    if not at or msgspec.json.decode(said).get("run") != run:
        return False
    silent = office.now() - dt.datetime.fromisoformat(at)
    return silent.total_seconds() > SILENT_SECONDS


def _noted(office: Office, step: Step) -> bool:
    return office.store.get(_key(step)) is not None


def _key(step: Step) -> str:
    return f"start.{step}"


def _is_clash(case: Case) -> bool:
    """One part in two units, said by two stations."""
    return case.kind == "in" and len({claim.place.journal for claim in case.claims}) > 1
