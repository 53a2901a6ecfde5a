"""Ed25519 signatures, each with a domain string of its own (`format.md` 3, `decided.md` 13).

A signature made for one purpose can never be taken for another: the purpose is signed with the
message. Keys are values here; where they are kept is the shell's concern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tally.records.ids import EventId, JournalId

HEAD: Final = b"tally/head/1\0"
SEAL: Final = b"tally/seal/1\0"
RECEIPT: Final = b"tally/receipt/1\0"
KEY: Final = b"tally/key/1\0"
SESSION: Final = b"tally/session/1\0"
BUNDLE: Final = b"tally/bundle/1\0"
CA: Final = b"tally/ca/1\0"
CERTIFICATE: Final = b"tally/certificate/1\0"
SUCCESSION: Final = b"tally/succession/1\0"
PEER: Final = b"tally/peer/1\0"
WITNESS: Final = b"tally/witness/1\0"
RETIRED: Final = b"tally/retired/1\0"
HUB_RUN: Final = b"tally/hub-run/1\0"
RECEIPTS: Final = "receipt"
"""Purpose and name of the key that signs receipts, as the plant root key vouches for it."""


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key, 32 raw bytes (RFC 8032)."""

    raw: bytes

    def verifies(self, domain: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over domain ‖ message; never raises for bad bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, domain + message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """An Ed25519 private key. Its bytes leave it only through `raw`, for the 0600 file of the
    shell.
    """

    __slots__ = ("_key", "public")

    def __init__(self, raw: bytes) -> None:
        """Take 32 random bytes (RFC 8032 seed), made by the caller."""
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    @property
    def raw(self) -> bytes:
        """The 32 secret bytes."""
        return self._key.private_bytes_raw()

    def sign(self, domain: bytes, message: bytes) -> bytes:
        """64 signature bytes over domain ‖ message."""
        return self._key.sign(domain + message)

    def __repr__(self) -> str:
        """Without the secret."""
        return f"SigningKey(public={self.public.raw.hex()[:16]}…)"


def head_message(journal: JournalId, seq: int, event_id: EventId) -> bytes:
    """What a head signs: this journal stands at this event."""
    return journal + _u64(seq) + event_id


def seal_message(
    journal: JournalId, first: int, last: int, *, before: EventId, head: EventId, root: bytes
) -> bytes:
    """What a seal signs: this journal's events `first` to `last`, whole and closed."""
    return journal + _u64(first) + _u64(last) + before + head + root


def key_message(journal: JournalId, public: PublicKey, *, purpose: str, name: str) -> bytes:
    """What the plant root key signs to say what a key of the hub is for.

    Args:
        journal: the feed that the key writes, or the hub itself for other purposes.
        public: the key.
        purpose: `feed`, `receipt` or `ca`; signed, so that no sort of key passes for another.
        name: the feed's name as people know it.
    """
    return journal + public.raw + purpose.encode() + b"\0" + name.encode()


def retired_message(
    journal: JournalId, public: PublicKey, *, purpose: str, name: str, last: str
) -> bytes:
    """What the plant root key signs to say that a key of the hub is out of use.

    Args:
        journal, public, purpose, name: as for `key_message`.
        last: reference of the last event that a feed's key signed; empty for other purposes.
    """
    return key_message(journal, public, purpose=purpose, name=name) + b"\0" + last.encode()


def hub_run_message(hub: JournalId, epoch: int, run: str) -> bytes:
    """What the plant root key signs for each time that the hub begins to serve."""
    return hub + _u64(epoch) + run.encode()


def succession_message(hub: JournalId, predecessor: JournalId, first: EventId) -> bytes:
    """What a journal's key signs to name the journal that goes on in its place, at this hub.

    `first`: id of the successor's event 1, which holds its id, its key and its predecessor.
    """
    return hub + predecessor + first


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed position of a journal; covers all events before it."""

    journal: JournalId
    seq: int
    event_id: EventId
    signature: bytes

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the journal's key made this head."""
        return key.verifies(
            HEAD, head_message(self.journal, self.seq, self.event_id), self.signature
        )


def sign_head(key: SigningKey, journal: JournalId, seq: int, event_id: EventId) -> Head:
    """Sign the position a commit reached."""
    return Head(journal, seq, event_id, key.sign(HEAD, head_message(journal, seq, event_id)))


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub's signed acknowledgement of one journal up to one event.

    `durable_through` and `archived_through` are seqs: on disk at the hub, and inside a verified
    backup.
    """

    hub: JournalId
    epoch: int
    journal: JournalId
    seq: int
    event_id: EventId
    durable_through: int
    archived_through: int
    signature: bytes = b""

    def message(self) -> bytes:
        """The signed bytes without their domain."""
        return (
            self.hub
            + _u64(self.epoch)
            + self.journal
            + _u64(self.seq)
            + self.event_id
            + _u64(self.durable_through)
            + _u64(self.archived_through)
        )

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the hub's receipt key made this receipt."""
        return key.verifies(RECEIPT, self.message(), self.signature)
