"""A hub's CA as the plant root key vouches for it: what is signed, and how a CA is named.

The certificate itself is opaque here: its text is what is signed. Who trusts which is judged by
`trusted`, a function of everything that was said, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tally.records.signing import CA, PublicKey, SigningKey

PEM_CHARACTERS_MAX: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that the hub has from some day on.

    `pem`: its certificate; `retires`: names of earlier ones that nobody must trust any more.
    """

    pem: str
    retires: tuple[str, ...]
    signature: bytes

    def is_rooted(self, root: PublicKey, hub: str) -> bool:
        """Whether the plant root key signed it for the hub of this name."""
        return root.verifies(CA, _message(self.pem, self.retires, hub), self.signature)


def vouched(root: SigningKey, pem: str, retires: Iterable[str], hub: str) -> Authority:
    """The root's word for a CA of the hub with this name."""
    names = tuple(sorted(retires))
    return Authority(pem, names, root.sign(CA, _message(pem, names, hub)))


def name_of(pem: str) -> str:
    """A CA's name: SHA-256 over its PEM without white space, hex."""
    return sha256("".join(pem.split()).encode()).hexdigest()


def trusted(pinned: str, known: Iterable[Authority]) -> tuple[str, ...]:
    """The certificates to trust: pinned or vouched for, and retired by nobody; by name.

    Args:
        pinned: from the enrolment.
        known: everything that the root key signed, in any order.
    """
    all_known = tuple(known)
    retired = {name for one in all_known for name in one.retires}
    found = {name_of(pem): pem for pem in (pinned, *(one.pem for one in all_known))}
    return tuple(found[name] for name in sorted(found) if name not in retired)


def _message(pem: str, retires: tuple[str, ...], hub: str) -> bytes:
    parts = [hub.encode(), pem.encode(), *(name.encode() for name in retires)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
