"""Who this station is, and whom it trusts: the values of `identity.json` and `trust.json`.

Pure: text in, values out; the shell reads and writes the files. The private key is in the first
file alone, which is 0600.
"""

import base64
import binascii
from dataclasses import dataclass, field

import msgspec

from tally.records.ids import JournalId, MalformedIdError, parse_journal, show_journal
from tally.records.signing import PublicKey, SigningKey


class MalformedIdentityError(ValueError):
    """The file does not hold what the enrolment wrote; the words say what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One journal's writer: its id, its key, the station's name and plant."""

    journal: JournalId
    key: SigningKey
    station: str
    plant: str
    sealing: bytes | None = field(default=None, repr=False)
    """Private half of the X25519 key in its `journal.opened`; an older journal has none."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What was pinned at enrolment: the hub, its CA, the plant's root key and the feed of keys."""

    hub: JournalId
    root: PublicKey
    receipt_key: PublicKey
    keys_feed: JournalId
    ca_pem: str
    addresses: tuple[str, ...]
    line: str = ""
    site: str = ""


class _IdentityFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    journal: str
    private_key: str
    station: str
    plant: str
    sealing_key: str | None = None


class _TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hub: str
    root_key: str
    receipt_key: str
    keys_feed: str
    ca_pem: str
    addresses: tuple[str, ...]
    line: str = ""
    site: str = ""


def write_identity(identity: Identity) -> bytes:
    """The bytes of `identity.json`, private key included."""
    file = _IdentityFile(
        journal=show_journal(identity.journal),
        private_key=_b64(identity.key.raw),
        station=identity.station,
        plant=identity.plant,
        sealing_key=_b64(identity.sealing) if identity.sealing else None,
    )
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def read_identity(raw: bytes) -> Identity:
    """The inverse of `write_identity`.

    Raises:
        MalformedIdentityError: what is missing or does not fit.
    """
    try:
        file = msgspec.json.decode(raw, type=_IdentityFile)
        key = SigningKey(_unb64(file.private_key))
        sealing = _unb64(file.sealing_key) if file.sealing_key else None
        return Identity(parse_journal(file.journal), key, file.station, file.plant, sealing)
    except (msgspec.DecodeError, MalformedIdError, ValueError) as error:
        raise MalformedIdentityError(str(error)) from error


def write_trust(trust: Trust) -> bytes:
    """The bytes of `trust.json`; nothing in it is secret."""
    file = _TrustFile(
        hub=show_journal(trust.hub),
        root_key=_b64(trust.root.raw),
        receipt_key=_b64(trust.receipt_key.raw),
        keys_feed=show_journal(trust.keys_feed),
        ca_pem=trust.ca_pem,
        addresses=trust.addresses,
        line=trust.line,
        site=trust.site,
    )
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def read_trust(raw: bytes) -> Trust:
    """The inverse of `write_trust`.

    Raises:
        MalformedIdentityError: what is missing or does not fit.
    """
    try:
        file = msgspec.json.decode(raw, type=_TrustFile)
        return Trust(
            hub=parse_journal(file.hub),
            root=PublicKey(_unb64(file.root_key)),
            receipt_key=PublicKey(_unb64(file.receipt_key)),
            keys_feed=parse_journal(file.keys_feed),
            ca_pem=file.ca_pem,
            addresses=file.addresses,
            line=file.line,
            site=file.site,
        )
    except (msgspec.DecodeError, MalformedIdError, ValueError) as error:
        raise MalformedIdentityError(str(error)) from error


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"expected base64, got {text[:20]!r}") from error
    if len(raw) != 32:  # Ed25519, RFC 8032; X25519, RFC 7748
        raise ValueError(f"expected a key of 32 bytes, got {len(raw)}")
    return raw
