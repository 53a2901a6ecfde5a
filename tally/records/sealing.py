"""Closing bytes for the holder of one X25519 key (`decided.md` 13, `docs/decisions/0127-…`).

X25519 with a key made for this one message, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 7748, 5869,
8439), each purpose under a domain string of its own. It hides and protects; it does not say who
closed it: that is the business of signatures. No randomness here: the caller brings it.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE: Final = 32
RECOVERY: Final = b"tally/recovery/1\0"
GRANT: Final = b"tally/grant/1\0"


class SealedError(ValueError):
    """It does not open: another key, or the bytes or their context are not what they were."""


def public_of(private: bytes) -> bytes:
    """The public half of 32 private bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(domain: bytes, plain: bytes, public: bytes, context: bytes, passing: bytes) -> bytes:
    """Close `plain` for the holder of the private half.

    Args:
        domain: what this is, one of those above.
        plain: what is hidden.
        public: the holder's public half, 32 bytes.
        context: bound to it, not hidden.
        passing: 32 random bytes, never used for another message.
    """
    own = X25519PrivateKey.from_private_bytes(passing)
    sent = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(public))
    # The nonce may be constant: the key is derived for this message alone.
    return sent + _cipher(domain, shared, sent, public).encrypt(bytes(12), plain, context)


def unseal(domain: bytes, sealed: bytes, private: bytes, context: bytes) -> bytes:
    """What `seal` closed.

    Raises:
        SealedError: it does not open.
    """
    sent, closed = sealed[:KEY_SIZE], sealed[KEY_SIZE:]
    try:
        own = X25519PrivateKey.from_private_bytes(private)
        shared = own.exchange(X25519PublicKey.from_public_bytes(sent))
        public = own.public_key().public_bytes_raw()
        return _cipher(domain, shared, sent, public).decrypt(bytes(12), closed, context)
    except (InvalidTag, ValueError) as error:
        raise SealedError("it was closed for another key, or changed") from error


def _cipher(domain: bytes, shared: bytes, sent: bytes, public: bytes) -> ChaCha20Poly1305:
    derive = HKDF(hashes.SHA256(), KEY_SIZE, salt=sent + public, info=domain)
    return ChaCha20Poly1305(derive.derive(shared))
