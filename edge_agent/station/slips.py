"""Loan slips: parts that are scanned here become a loan, and the own newest loan is shown in parts.

1. What is scanned is proven before it counts: by the lender's key, and by the grant that it is
   cut from (`Journal.accept_loan`). Who is signed in here does not matter: the lender's lead was.
2. Parts are kept in memory only; after a restart they are scanned again.
3. A part of another slip begins anew. What a slip is made of is `tally.records.slip`.
"""

from datetime import datetime
from typing import Final

from edge_agent.journal.faults import Untrusted
from edge_agent.journal.giving import LoanFate
from edge_agent.journal.journal import Journal
from edge_agent.journal.loans import newest_loan
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.station.outputs import Output
from edge_agent.workflow.types import Verdict
from tally.events.types import BlockLent
from tally.ledger.sqlite import SqliteLedger
from tally.master import Words
from tally.records.ids import parse_ref
from tally.records.segment import decode, encode
from tally.records.slip import LINE_BYTES_MAX, SlipError, SlipPart, join, read_part, slip_of

SHOW: Final = "CTLSLIP"
BORROWED: Final = "S-123"
NOT_TAKEN: Final = "S-124"
PART_TAKEN: Final = "S-125"
SHOWN: Final = "S-126"


def slip_for(
    view: OutgoingJournal, ledger: SqliteLedger, station: str = ""
) -> tuple[int, BlockLent, tuple[str, ...]] | None:
    """The newest own loan, to the station of this name if one is given: seq, body, parts.

    None: nothing was lent, or the event is damaged or no longer here.
    """
    loan = newest_loan(ledger, view.journal, station)
    if loan is None:
        return None
    seq = parse_ref(loan.ref).seq
    piece = view.newest_after(seq - 1, 1, LINE_BYTES_MAX)
    return None if piece is None else (seq, loan.body, slip_of(decode(piece.data)))


class Slips:
    """One station's: which parts were read, which part is shown."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._parts: dict[int, SlipPart] = {}
        self._next = 0
        self._done = ""

    def take(self, text: str, at: datetime) -> Output | None:
        """What is said to a scanned text that is about slips; None: it is not.

        Raises:
            JournalFault: nothing was kept.
        """
        if text == SHOW:
            return self._show()
        was_shown, self._next = self._next, 0
        if was_shown and text == "CTLNO":
            return _said(Verdict.READY, SHOWN, _PUT_AWAY)
        part = read_part(text)
        return None if part is None else self._read(part, at)

    # --- the borrower's side --------------------------------------------------------------------

    def _read(self, part: SlipPart, at: datetime) -> Output:
        if part.mark == self._done:  # a scanner that reads the last part twice
            return _said(Verdict.READY, NOT_TAKEN, _FATES[LoanFate.HERE])
        first = next(iter(self._parts.values()), part)
        if (first.mark, first.count) != (part.mark, part.count):
            self._parts.clear()
        self._parts[part.number] = part
        missing = [n for n in range(1, part.count + 1) if n not in self._parts]
        if missing:
            wanted = ", ".join(map(str, missing))
            words = Words(
                f"Part {part.number} of {part.count} of a loan slip is here. Scan part {wanted}.",
                f"借码单第 {part.number} 部分(共 {part.count} 部分)已读。请扫第 {wanted} 部分。",
            )
            return _said(Verdict.WAIT, PART_TAKEN, words)
        parts, self._parts = self._parts, {}
        return self._accept(parts, at)

    def _accept(self, parts: dict[int, SlipPart], at: datetime) -> Output:
        try:
            piece = join(parts)
            fate, loan = self._journal.accept_loan(encode(piece), at=at)
        except SlipError as error:
            return _said(Verdict.NG, NOT_TAKEN, _damaged(error))
        except Untrusted as fault:
            words = _UNKNOWN_LENDER if fault.code == "unknown_journal" else _FORGED
            return _said(Verdict.NG, NOT_TAKEN, words)
        if fate in {LoanFate.TAKEN, LoanFate.HERE}:
            self._done = next(iter(parts.values())).mark
        if fate is not LoanFate.TAKEN or loan is None:
            verdict = Verdict.READY if fate is LoanFate.HERE else Verdict.NG
            station = loan.station if loan else ""
            said = _FATES[fate]
            words = Words(said.en.format(station=station), said.zh.format(station=station))
            return _said(verdict, NOT_TAKEN, words)
        lender = self._journal.keys.name_of(piece.journal)
        words = Words(
            f"{loan.count} codes of {loan.scheme} are borrowed from {lender}. Go on printing.",
            f"已向 {lender} 借入 {loan.count} 个 {loan.scheme} 编码。可继续打印。",
        )
        return Output(
            Verdict.OK, BORROWED, None, None, words=words, events=(self._journal.event_id,)
        )

    # --- the lender's side ----------------------------------------------------------------------

    def _show(self) -> Output:
        """The next part of the newest own loan; after the last one the first again."""
        view = OutgoingJournal(lambda: self._journal.connection, self._journal.identity, tuple)
        found = slip_for(view, self._journal.ledger)
        if found is None:
            return _said(Verdict.NG, NOT_TAKEN, _NOTHING_LENT)
        _, loan, parts = found
        at, self._next = self._next % len(parts), self._next % len(parts) + 1
        words = Words(
            f"{loan.count} codes of block {loan.block} for {loan.station}: part {at + 1} of "
            f"{len(parts)}. Let {loan.station} scan it. CTLSLIP: next part. CTLNO: done.",
            f"借给 {loan.station} 的号段 {loan.block} 的 {loan.count} 个编码:第 {at + 1} 部分,"
            f"共 {len(parts)} 部分。请在 {loan.station} 扫描。CTLSLIP:下一部分。CTLNO:结束。",
        )
        return Output(Verdict.READY, SHOWN, None, None, words=words, slip=parts[at])


def _said(verdict: Verdict, code: str, words: Words) -> Output:
    return Output(verdict, code, None, None, words=words)


def _damaged(error: SlipError) -> Words:
    return Words(
        f"The loan slip cannot be used: {error}. Nothing was saved. Scan all of its parts again.",
        "借码单无法使用:读取有误。未保存。请重新扫描所有部分。",
    )


_UNKNOWN_LENDER: Final = Words(
    "The loan slip is of a station that this one never heard of. Nothing was saved. Bring the loan "
    "by stick: tally station slip DIR --out FILE.tlyb at the lender.",
    "借码单来自本工位不认识的工位。未保存。请用 U 盘带来:在出借工位运行 "
    "tally station slip DIR --out FILE.tlyb。",
)
_FORGED: Final = Words(
    "The loan slip is not signed by the station it names. Nothing was saved. Show it to the plant "
    "admin.",
    "借码单不是由其所称的工位签名。未保存。请交给工厂管理员。",
)
_PUT_AWAY: Final = Words(
    "The loan slip is put away. CTLSLIP shows it again.", "借码单已收起。CTLSLIP 可再次显示。"
)
_NOTHING_LENT: Final = Words(
    "This station has lent nothing that could be shown. Lend first: CTLLEND.",
    "本工位没有可显示的出借记录。请先出借:CTLLEND。",
)
_FATES: Final[dict[LoanFate, Words]] = {
    LoanFate.HERE: Words(
        "The codes of this loan slip are here already. Nothing to do.",
        "此借码单的编码已在本工位,无需操作。",
    ),
    LoanFate.FOREIGN: Words(
        "This loan slip is for {station}, or for a journal before this one. Nothing was saved. "
        "Scan it there.",
        "此借码单是给 {station} 的,或给本工位以前的日志。未保存。请在那里扫描。",
    ),
    LoanFate.UNGRANTED: Words(
        "This station does not know of the block that the loan slip is cut from. Nothing was "
        "saved. Bring the loan by stick: tally station slip DIR --out FILE.tlyb at the lender.",
        "本工位不知道借码单所属的号段。未保存。请用 U 盘带来:在出借工位运行 "
        "tally station slip DIR --out FILE.tlyb。",
    ),
    LoanFate.REFUSED: Words(
        "The loan slip is not taken: this computer or the lender was copied, or a key was taken "
        "back. Call the plant admin.",
        "未接受借码单:本机或出借工位曾被复制,或密钥已被收回。请叫工厂管理员。",
    ),
    LoanFate.NONE: Words(
        "The slip holds no loan of codes. Nothing was saved.",
        "此单不含编码借出。未保存。",
    ),
}
