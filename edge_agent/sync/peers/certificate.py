"""Who is behind a neighbour's door: a certificate bound to its journal (`sync.md` 3.11).

A station makes a TLS key and a certificate for it at every start, in memory only. An extension of
the certificate holds the signature of the journal's key over the TLS key, the journal and the run;
the journal's key is known from the plant's `keys` feed. No CA takes part, and no date. Whoever
checks the signature may pin the certificate: only the owner of its key completes a handshake.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tally.records.ids import JournalId, MalformedIdError, parse_journal, show_journal
from tally.records.signing import PEER, PublicKey, SigningKey
from tally.wire.protocol import hub_name

BINDING: Final = x509.ObjectIdentifier("2.25.89478168060054057643333659764821173297")
"""Of the extension; an arc made from a random UUID belongs to whoever made it (X.667)."""
DER_BYTES_MAX: Final = 8 * 1024
_BEGIN: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_END: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""No end (RFC 5280, 4.1.2.5): the key lives as long as the program that made it."""
_SIGNATURE_SIZE: Final = 64
_RUN_MAX: Final = 63
_OCTETS: Final = 0x04
_UNREADABLE: Final = (
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
)


class StrangeCertificateError(Exception):
    """The certificate proves no station; the message says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes
    der: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a certificate proves: this run of the program that writes `journal` has the TLS key."""

    journal: JournalId
    key: PublicKey
    run: str
    pem: str


def make_certificate(key: SigningKey, journal: JournalId, run: str) -> Made:
    """A new TLS key, bound to this journal and run."""
    tls = ec.generate_private_key(ec.SECP256R1())
    name = hub_name(show_journal(journal))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    spki = tls.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bound = key.sign(PEER, _message(journal, spki, run)) + run.encode("ascii")[:_RUN_MAX]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(tls.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(
            x509.UnrecognizedExtension(BINDING, bytes((_OCTETS, len(bound))) + bound),
            critical=False,
        )
        .sign(tls, hashes.SHA256())
    )
    return Made(
        made.public_bytes(serialization.Encoding.PEM),
        tls.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        made.public_bytes(serialization.Encoding.DER),
    )


def judge(der: bytes, keys_of: Callable[[JournalId], Sequence[PublicKey]]) -> Shown:
    """Who showed this certificate.

    Args:
        der: as it came; nothing in it is believed before the signature holds.
        keys_of: keys of a journal that are believed; empty for strangers.

    Raises:
        StrangeCertificateError: it is of no station, or of none that is believed.
    """
    if len(der) > DER_BYTES_MAX:
        raise StrangeCertificateError(f"it has {len(der)} bytes; the limit is {DER_BYTES_MAX}")
    try:
        found = x509.load_der_x509_certificate(der)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        value = found.extensions.get_extension_for_oid(BINDING).value
        spki = found.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        journal = _journal(names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound as error:
        raise StrangeCertificateError("it is of no station") from error
    except _UNREADABLE as error:
        raise StrangeCertificateError(f"it cannot be read: {error}") from error
    raw = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    signature, run = raw[2 : 2 + _SIGNATURE_SIZE], raw[2 + _SIGNATURE_SIZE :]
    if raw[:2] != bytes((_OCTETS, len(raw) - 2 & 0xFF)) or len(run) > _RUN_MAX:
        raise StrangeCertificateError("what binds it to a journal is in no shape")
    shown = run.decode("ascii", "replace")
    for key in keys_of(journal):
        if key.verifies(PEER, _message(journal, spki, shown), signature):
            pem = found.public_bytes(serialization.Encoding.PEM).decode("ascii")
            return Shown(journal, key, shown, pem)
    raise StrangeCertificateError(
        f"no key that this plant gave to a station of this line binds it to {show_journal(journal)}"
    )


def _message(journal: JournalId, spki: bytes, run: str) -> bytes:
    return journal + sha256(spki).digest() + run.encode()


def _journal(names: Sequence[str]) -> JournalId:
    if len(names) != 1 or names[0] != hub_name(names[0].partition(".")[0]):
        raise ValueError(f"expected one name of a station, found {len(names)}")
    try:
        return parse_journal(names[0].partition(".")[0].upper())
    except MalformedIdError as error:
        raise ValueError(str(error)) from error
