"""What the uplink takes from the journal, as values: pieces and seals ready to send, codes left."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CutPiece:
    """Own events ready to send: the bytes of `tally.records.segment.encode`.

    `is_sealed`: a whole sealed segment, whose seal need not follow.
    """

    first: int
    last: int
    data: bytes
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class CutSeal:
    """The header line of an own sealed segment, up to and without its line break."""

    last: int
    header: bytes


@dataclass(frozen=True, slots=True)
class Runway:
    """Codes of one scheme that the current plan takes from blocks.

    `left`: codes not yet reserved, over all blocks; `granted`: size of all blocks with codes left;
    `grants`: how many blocks of the scheme this journal was ever granted; `block_size`: codes in
    the newest of them.
    """

    scheme: str
    left: int
    granted: int
    grants: int
    block_size: int
