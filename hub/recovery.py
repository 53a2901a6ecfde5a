"""Recovery keys: who holds the printed one can open what a hub sealed for it, and nobody else.

A hub keeps the public half only, so backups need no secret and can run by night. Sealing is
X25519 with a key made for this one message, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 7748, 5869,
8439; `docs/decisions/0050`). Bytes in, bytes out: no files. Read next: `hub.backup`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tally.records import sealing
from tally.records.sealing import KEY_SIZE

_CHECK_SIZE: Final = 3
_LETTERS: Final = (KEY_SIZE + _CHECK_SIZE) * 8 // 5
_GROUP: Final = 7
_TEXT_MAX: Final = 1000


class RecoveryFault(Exception):
    """A recovery key cannot be read or does not open this; words for the person who typed it."""


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The private half, as 32 bytes; `repr` shows nothing of it."""

    raw: bytes

    @property
    def public(self) -> bytes:
        """What a hub keeps: 32 bytes."""
        return sealing.public_of(self.raw)

    def __str__(self) -> str:
        """For paper: 56 letters and digits of base32 in groups, the last of them a check."""
        text = base64.b32encode(self.raw + _check(self.raw)).decode("ascii")
        return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))

    def __repr__(self) -> str:
        return f"RecoveryKey(public={name_of(self.public)})"


def new_key(entropy: Callable[[int], bytes]) -> RecoveryKey:
    """A new one; it is to be printed and forgotten."""
    return RecoveryKey(entropy(KEY_SIZE))


def read_key(text: str) -> RecoveryKey:
    """From what a person typed; case, spaces and hyphens do not matter.

    Raises:
        RecoveryFault: too long, too short, a letter that cannot be, or one that was misread.
    """
    plain = "".join(text[:_TEXT_MAX].upper().replace("-", " ").split())
    if len(plain) != _LETTERS:
        raise RecoveryFault(
            f"A recovery key has {_LETTERS} letters and digits, this one has {len(plain)}. Type "
            f"it as it was printed when the hub was made; hyphens may be left out."
        )
    try:
        raw = base64.b32decode(plain)
    except binascii.Error as error:
        raise RecoveryFault(
            "A recovery key is made of the letters A to Z and the digits 2 to 7; this one has "
            "another character. Look for 0 in place of O, and 1 in place of I."
        ) from error
    key, check = raw[:KEY_SIZE], raw[KEY_SIZE:]
    if check != _check(key):
        raise RecoveryFault(
            "The recovery key's check letters do not fit: a character was misread or two were "
            "exchanged. Compare it with the print, group by group."
        )
    return RecoveryKey(key)


def name_of(public: bytes) -> str:
    """By what people tell recovery keys apart: 12 hex digits of the public half."""
    return public.hex()[:12]


def seal(plain: bytes, public: bytes, context: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """Close `plain` for the holder of a recovery key; `context` is bound to it, not hidden."""
    return sealing.seal(sealing.RECOVERY, plain, public, context, entropy(KEY_SIZE))


def unseal(sealed: bytes, key: RecoveryKey, context: bytes) -> bytes:
    """What `seal` closed.

    Raises:
        RecoveryFault: for another key, or sealed bytes or context are not what they were.
    """
    try:
        return sealing.unseal(sealing.RECOVERY, sealed, key.raw, context)
    except sealing.SealedError as error:
        raise RecoveryFault("The sealed keys do not open.") from error


def _check(raw: bytes) -> bytes:
    return sha256(sealing.RECOVERY + raw).digest()[:_CHECK_SIZE]
