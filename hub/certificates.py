"""The hub's own certificates (X.509): its CA, the server certificate, and a CA's cross-signature.

One CA of P-256, one server certificate for `<hub id>.tally.internal` (`decided.md` 12). Every CA of
a hub has the same name, so that one signed by the one before is *self-issued* (RFC 5280 6.1): it
counts for no path length, and whoever trusts only the older CA follows it to the newer one.
Times are advisory (`sync.md` 3.16). Keys and files are `hub.trust`.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tally.records.ids import JournalId, show_journal

CA_LIFE: Final = dt.timedelta(days=30 * 365)
AUTHORITY_WARNS: Final = dt.timedelta(days=2 * 365)
"""Before the end of the CA, the hub says so."""
_SERVER_LIFE: Final = dt.timedelta(days=2 * 365)
_BACKDATED: Final = dt.timedelta(days=5 * 365)
"""A station whose clock is years behind must still be able to connect: time proves nothing here."""
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the base point of P-256 (SEC 2, 2.4.2)."""


def new_key(random: bytes) -> ec.EllipticCurvePrivateKey:
    """A key of P-256 from 48 random bytes of the caller's.

    From the caller's bytes, so that a simulation's keys are the same in every run: FIPS 186-5
    A.2.1, with 128 more bits than the order, so that no value is likelier than another.
    """
    number = int.from_bytes(random, "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def read_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """The inverse of `key_pem`.

    Raises:
        TypeError: another kind of key. ValueError: none.
    """
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the CA's key is not an elliptic-curve key, expected P-256")
    return key


def authority(hub: JournalId, key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> str:
    """A CA's own certificate, PEM."""
    return _pem(_authority(hub, key.public_key(), key, now))


def crossed(
    hub: JournalId, pem: str, older_key: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> str:
    """The CA of `pem` as the one before it certifies it, PEM."""
    public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError("a CA of this hub has a key of P-256")
    return _pem(_authority(hub, public, older_key, now))


def server(
    name: str,
    authority_pem: str,
    ca_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> str:
    """The server's certificate for one name, PEM."""
    issuer = x509.load_pem_x509_certificate(authority_pem.encode()).subject
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = _builder(_name(name), issuer, key.public_key(), now, _SERVER_LIFE)
    return _pem(
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(serves, critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(_subject_id(key.public_key()), critical=False)
        .add_extension(_issuer_id(ca_key), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def end_of(pem: bytes) -> dt.datetime:
    """When the first certificate of these bytes ends.

    Raises:
        ValueError: there is none that can be read.
    """
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def is_issued_by(pem: bytes, authority_pem: str) -> bool:
    """Whether the first certificate of these bytes is directly from this CA."""
    issuer = x509.load_pem_x509_certificate(authority_pem.encode())
    try:
        x509.load_pem_x509_certificate(pem).verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001  (damaged or another CA's: every reason has the same answer)
        return False
    return True


def spki(pem: str) -> bytes:
    """The public key of a certificate: SubjectPublicKeyInfo, DER."""
    return (
        x509.load_pem_x509_certificate(pem.encode())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """The private key, PEM, PKCS 8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def _authority(
    hub: JournalId,
    public: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> x509.Certificate:
    name = _name(f"Tallystick hub {show_journal(hub)[:8]} CA")
    return (
        _builder(name, name, public, now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_subject_id(public), critical=False)
        .add_extension(_issuer_id(by), critical=False)
        .sign(by, hashes.SHA256())
    )


def _subject_id(public: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(public)


def _issuer_id(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
