"""The golden journals, version 1: fixed keys, every event type, one signature that never varies.

Ed25519 is deterministic (RFC 8032), so the bytes below follow from the format alone. A change of
one byte of line, id, head, seal or row changes the files in `tests/golden`, and
`tests/unit/records/test_golden_journal.py` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from tally.events import types as t
from tally.events.decoding import write_line
from tally.records.certificate import (
    Contents,
    chain_row,
    listed,
    proven_row,
    read_contents,
    signed,
    witness_row,
)
from tally.records.chain import event_id, line_hash
from tally.records.export import b64, event_rows, head_row, receipt_row, root_row, seal_row
from tally.records.ids import GENESIS, EventId, JournalId, ref_to, show_journal
from tally.records.merkle import path as merkle_path
from tally.records.merkle import root as merkle_root
from tally.records.segment import Segment, piece_of
from tally.records.signing import (
    KEY,
    RECEIPT,
    SEAL,
    Receipt,
    SigningKey,
    key_message,
    seal_message,
    sign_head,
)
from tally.records.witness import sign_witness


def _seed(name: str) -> bytes:
    return sha256(b"tallystick golden " + name.encode()).digest()


ROOT = SigningKey(_seed("root"))
RECEIPTS = SigningKey(_seed("receipts"))
HUB = JournalId(_seed("hub")[:16])


@dataclass
class GoldenJournal:
    """A journal under construction, one line a call, stamps counting up."""

    name: str
    journal: JournalId = field(init=False)
    key: SigningKey = field(init=False)
    lines: list[bytes] = field(default_factory=list)
    ids: list[EventId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = SigningKey(_seed("key " + self.name))
        self.journal = JournalId(_seed("journal " + self.name)[:16])

    def add(self, body: t.Body, *, by: str = "BDG-1107", seen: Sequence[int | str] = ()) -> str:
        """Append an event and give the reference others use for it."""
        seq = len(self.lines) + 1
        stamp = f"{0x0198F3C2A1B4 + seq:012x}.0000"
        at = f"2026-11-20T14:31:{seq % 60:02d}.000+08:00"
        line = write_line(body, hlc=stamp, at=at, by=by, seen=seen)
        before = self.ids[-1] if self.ids else GENESIS
        self.lines.append(line)
        self.ids.append(event_id(self.journal, seq, before, line_hash(line)))
        return str(ref_to(self.journal, seq, self.ids[-1]))

    def open(self, role: str, feed: str | None = None) -> str:
        """Event 1."""
        return self.add(
            t.JournalOpened(
                journal=show_journal(self.journal),
                key=b64(self.key.public.raw),
                plant="NB1",
                writer=self.name,
                role=role,  # type: ignore[arg-type]
                reason="enrolled" if role == "station" else "hub initialised",
                feed=feed,
            ),
            by="system",
        )

    def sealed(self, first: int, last: int) -> Segment:
        """The sealed segment of a range."""
        ids = self.ids[first - 1 : last]
        before = self.ids[first - 2] if first > 1 else GENESIS
        root = merkle_root(ids)
        message = seal_message(self.journal, first, last, before=before, head=ids[-1], root=root)
        return Segment(
            self.journal,
            first,
            before,
            ids[-1],
            tuple(self.lines[first - 1 : last]),
            root=root,
            seal=self.key.sign(SEAL, message),
        )


def golden() -> tuple[GoldenJournal, GoldenJournal]:
    """Feed and station, together every event type of version 1."""
    feed, station = GoldenJournal("hub"), GoldenJournal("S03")
    feed.open("feed", feed="keys")
    for purpose, journal, key in (("feed", feed.journal, feed.key), ("receipt", HUB, RECEIPTS)):
        name = "keys" if purpose == "feed" else "receipts"
        message = key_message(journal, key.public, purpose=purpose, name=name)
        feed.add(
            t.KeyPublished(
                journal=show_journal(journal),
                key=b64(key.public.raw),
                purpose=purpose,  # type: ignore[arg-type]
                name=name,
                sig=b64(ROOT.sign(KEY, message)),
            ),
            by="system",
        )
    feed.add(
        t.StationEnrolled(
            journal=show_journal(station.journal),
            key=b64(station.key.public.raw),
            station="S03",
            line="L2",
            site="NB1",
        ),
        by="system",
    )
    grant = feed.add(
        t.BlockLeased(
            block="B-01",
            scheme="bl2@1",
            start=401,
            count=172,
            journal=show_journal(station.journal),
            station="S03",
            request="r1",
        ),
        by="system",
    )
    content = {
        "scheme": "bl2",
        "version": "1",
        "width": 6,
        "text": {"zh": "车灯"},
        "fields": [None],
    }
    plan = feed.add(
        t.MasterPublished(
            entity="scheme", id="bl2", version="1", sha256="00" * 32, content=content
        ),
        by="BDG-3001",
    )
    feed.add(
        t.OrderReleased(order="24-1187", sha256="11" * 32, content={"quantity": 120}),
        by="BDG-3001",
    )
    lot = {"lot": "BAT-18650-2547A", "part": "BAT-18650"}
    feed.add(t.LotReceived(**lot, quantity="500", supplier="B", supplier_lot="B-77"), by="BDG-3001")
    released = feed.add(t.LotReleased(**lot), by="BDG-3001")
    target = {"target": "PCB-L-2546C", "kind": "lot"}
    held = feed.add(t.HoldPlaced(**target, reason="solder voids"), by="BDG-3001")  # type: ignore[arg-type]
    feed.add(
        t.HoldReleased(**target, reason="re-inspected"),  # type: ignore[arg-type]
        by="BDG-3001",
        seen=(len(feed.lines),),
    )
    assert held.endswith(feed.ids[9].hex()[:16])
    kept = _station_events(station, grant, plan, released)
    feed.add(
        t.DecisionMade(
            case="C-AAAAA",
            key="in:PCB-L-00902",
            keep=kept,
            retires=(kept,),
            claims_seen=(kept,),
            reason="looked at both units",
        ),
        by="BDG-3001",
    )
    return feed, station


def _station_events(station: GoldenJournal, grant: str, plan: str, released: str) -> str:
    """One unit's life at S03 with every station type; gives the reference of the serial bind."""
    code, board = "BL2-2547-000401", "PCB-L-00902"
    station.open("station")
    station.add(t.AgentStarted(run="r9", agent="0.1.0", sqlite="3.40.1"), by="system")
    station.add(t.OperatorSignedIn(badge="BDG-1107", role="operator", name="ZHANG Wei 张伟"))
    station.add(
        t.ChangeoverMade(plan="final-assembly@14", sha256="22" * 32, order="24-1187"), seen=(plan,)
    )
    station.add(
        t.CodeReserved(code=code, scheme="bl2@1", block="B-01", counter=401, product="BL-2@4"),
        seen=(grant,),
    )
    station.add(t.LabelPrinted(code=code, printer="printer-1", job=code), seen=(5,))
    station.add(
        t.UnitCommissioned(
            code=code,
            product="BL-2@4",
            step="verify",
            order="24-1187",
            scheme="bl2@1",
            block="B-01",
            source="camera-1",
            raw=code + "\x1d",
        ),
        seen=(5, 6),
    )
    station.add(
        t.LotLoaded(
            part="BAT-18650",
            lot="BAT-18650-2547A",
            slot="battery",
            step="battery",
            checks=(t.Check(rule="lot_released", subject="BAT-18650-2547A", verdict="PASS"),),
        ),
        seen=(released,),
    )
    bind = station.add(
        t.ComponentBound(
            child=board,
            parent=code,
            slot="board",
            tracking="serial",
            part="PCB-L",
            step="board",
            checks=(
                t.Check(
                    rule="previous_op",
                    subject=board,
                    verdict="UNKNOWN",
                    basis="S02 to 118",
                    arg="20",
                ),
            ),
            provisional=True,
            source="serial-1",
        )
    )
    station.add(
        t.ComponentBound(
            child="BAT-18650-2547A",
            parent=code,
            slot="battery",
            tracking="lot",
            part="BAT-18650",
            step="battery",
        ),
        seen=(8,),
    )
    station.add(
        t.MeasurementTaken(
            unit=code,
            operation="30",
            step="torque",
            characteristic="torque",
            value="0.61",
            unit_of_measure="Nm",
            verdict="PASS",
            low="0.50",
            high="0.70",
        )
    )
    station.add(
        t.OperationCompleted(unit=code, operation="30", result="PASS", plan="final-assembly@14")
    )
    station.add(t.RefusalShown(code="E-102", scanned="4006381333931", says={"got": "EAN-13"}))
    station.add(
        t.ComponentUnbound(child=board, parent=code, slot="board", reason="repair"), seen=(9,)
    )
    station.add(t.ActionUndone(reason="wrong unit", what="unbind"), seen=(14,))
    box = "095211010000000870"
    station.add(t.BoxOpened(box=box, product="BL-2@4", capacity=12, order="24-1187"))
    station.add(t.ItemPacked(item=code, box=box, position=1))
    station.add(t.ItemUnpacked(item=code, box=box, reason="recount"), seen=(17,))
    station.add(t.BoxClosed(box=box, items=(code,), sha256=sha256(code.encode()).hexdigest()))
    station.add(t.LabelScrapped(code="BL2-2547-000402", reason="torn"))
    station.add(t.StepSkipped(unit=code, step="torque", what="skipped", reason="gauge away"))
    station.add(t.LotUnloaded(part="BAT-18650", lot="BAT-18650-2547A", slot="battery"))
    station.add(t.OperatorSignedOut(badge="BDG-1107", reason="shift end"))
    return bind


def golden_export() -> list[bytes]:
    """All rows of the golden export, in their order."""
    feed, station = golden()
    rows = [root_row(ROOT.public)]
    for made in (feed, station):
        rows += event_rows(made.journal, 1, made.ids, made.lines)
    rows.append(seal_row(station.sealed(1, 10)))
    for made in (feed, station):
        rows.append(head_row(sign_head(made.key, made.journal, len(made.ids), made.ids[-1])))
    last = len(station.ids)
    receipt = Receipt(HUB, 1, station.journal, last, station.ids[-1], last, 0)
    signed = RECEIPTS.sign(RECEIPT, receipt.message())
    rows.append(
        receipt_row(Receipt(HUB, 1, station.journal, last, station.ids[-1], last, 0, signed))
    )
    return rows


def golden_certificate() -> list[bytes]:
    """All rows of the golden certificate, in their order: one unit under a seal and a head."""
    feed, station = golden()
    sealed, tail = station.sealed(1, 10), range(11, len(station.ids) + 1)
    under = [seal_row(sealed)]
    for made, first in ((feed, 1), (station, tail[0])):
        last = len(made.ids)
        head = sign_head(made.key, made.journal, last, made.ids[-1])
        before = made.ids[first - 2] if first > 1 else GENESIS
        under.append(chain_row(piece_of(head, before, tuple(made.lines[first - 1 :]))))
    events = [_certified(feed, seq, None) for seq in (2, 3, 4)]
    ids = station.ids[:10]
    events += [_certified(station, seq, merkle_path(ids, seq - 1)) for seq in (5, 6, 7, 9, 10)]
    events += [_certified(station, seq, None) for seq in (11, 12, 14, 15, 17, 18)]
    receipt = golden_export()[-1]
    rows = [*under, *events, receipt]
    contents = Contents(
        certificate="1",
        code="BL2-2547-000401",
        plant="NB1",
        root=b64(ROOT.public.raw),
        hub=show_journal(HUB),
        epoch=1,
        made_at="2026-11-20T15:00:00+08:00",
        gaps=0,
        pending=1,
        unread=0,
        cases=("C-AAAAA",),
        rows=listed(rows),
        sig="",
    )
    return [signed(contents, RECEIPTS), *rows]


def golden_witnessed() -> list[bytes]:
    """The golden certificate with heads and witnesses: S01 at a seal, S02 at the newest event."""
    feed, station = golden()
    neighbours = [GoldenJournal(name) for name in ("S01", "S02")]
    for one in neighbours:
        feed.add(
            t.StationEnrolled(
                journal=show_journal(one.journal),
                key=b64(one.key.public.raw),
                station=one.name,
                line="L2",
                site="NB1",
            ),
            by="system",
        )
    [first, *rows] = golden_certificate()
    last = len(feed.ids)
    head = sign_head(feed.key, feed.journal, last, feed.ids[-1])
    rows[1] = chain_row(piece_of(head, GENESIS, tuple(feed.lines)))
    rows[6:6] = [_certified(feed, last - 1, None), _certified(feed, last, None)]
    end = len(station.ids)
    rows.append(head_row(sign_head(station.key, station.journal, end, station.ids[-1])))
    at = (station.journal, 10, station.ids[9])
    s01, s02 = neighbours
    rows.append(
        witness_row(sign_witness(s01.key, s01.journal, *at), merkle_path(station.ids[:10], 9))
    )
    at = (station.journal, end, station.ids[-1])
    rows.append(witness_row(sign_witness(s02.key, s02.journal, *at), None))
    contents = msgspec.structs.replace(read_contents(first), rows=listed(rows))
    return [signed(contents, RECEIPTS), *rows]


def _certified(made: GoldenJournal, seq: int, way: list[bytes] | None) -> bytes:
    before = made.ids[seq - 2] if seq > 1 else GENESIS
    at = (made.journal, seq, made.ids[seq - 1], made.lines[seq - 1])
    return proven_row(*at, before=before, path=way)
