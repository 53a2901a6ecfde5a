"""Keys and certificates: what makes this hub this hub, and where it is kept.

One file, DIR/secrets.json, mode 0600, holds every private key (`decided.md` 10). The plant root key
vouches for the hub's feed keys, its receipt key and its CA; the events that say so are written by
`hub.services.feeds`. TLS: a CA of its own, one server certificate for `<hub id>.tally.internal`,
checked by that name whatever the address, so that a hub that moved still matches (`decided.md` 12).
No knowledge of events or of the store.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from hub import certificates
from tally.records.authority import name_of
from tally.records.ids import JOURNAL_ID_SIZE, JournalId, parse_journal, show_journal
from tally.records.signing import PublicKey, SigningKey
from tally.wire.protocol import FEED_ORDER, hub_name

Clock: TypeAlias = Callable[[], dt.datetime]
"""Gives the time with its zone."""
Entropy: TypeAlias = Callable[[int], bytes]
"""Gives that many random bytes."""

FEEDS: Final = FEED_ORDER
"""The hub's feeds."""

SECRETS_FILE: Final = "secrets.json"
ADDRESS: Final = (
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):"
    r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9][0-9]|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
)
"""host:port, as stations reach the hub; a port is 1 to 65535."""
SERVER_FILE: Final = "server.pem"
SECRETS_BYTES_MAX: Final = 256 * 1024

CROSSED_MAX: Final = 8
"""Changes of the CA over which a station may have been away."""
_RENEW_BEFORE: Final = dt.timedelta(days=180)


class TrustFault(Exception):
    """The keys of this folder cannot be used; the message says what a technician has to do."""


@dataclass(frozen=True, slots=True)
class FeedKey:
    """The journal id and key of one feed."""

    journal: JournalId
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Coming:
    """Signing keys that are to take the place of those in use (`hub.services.rotating`).

    `is_lost`: somebody else may have the ones in use.
    """

    receipt: SigningKey
    feeds: Mapping[str, FeedKey]
    is_lost: bool


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything private of one hub; never logged, never sent, `repr` shows no key."""

    hub_id: JournalId
    epoch: int
    plant: str
    site: str
    root: SigningKey
    receipt: SigningKey
    feeds: Mapping[str, FeedKey]
    ca_key: str
    ca_certificate: str
    schemes: Mapping[str, str]
    recovery: bytes = b""
    """Public half of the recovery key for which backups seal these keys; empty without one."""
    crossed: tuple[str, ...] = ()
    """The CA as the one before it certified it, then that one by its predecessor, …: PEM."""
    former: tuple[str, ...] = ()
    """Names of all CAs before (`tally.records.authority`)."""
    coming: Coming | None = None
    """Other signing keys, from when they are made until the events say so."""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Secrets(hub={show_journal(self.hub_id)})"

    @property
    def server_name(self) -> str:
        """The name that the server certificate carries and that stations check."""
        return hub_name(show_journal(self.hub_id))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the plant root key, hex: the plant's name for strangers."""
        return sha256(self.root.public.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What one printed line carries to a station that joins."""

    addresses: tuple[str, ...]
    hub: JournalId
    ca: str
    plant: str
    station: str
    secret: str = field(repr=False)
    after: str = ""
    """Reference of the newest event that is known of the station's journal before."""

    def __str__(self) -> str:
        """One line: base64url, without padding, of JSON with these field names."""
        fields = {
            "addresses": list(self.addresses),
            "hub": show_journal(self.hub),
            "ca": self.ca,
            "plant": self.plant,
            "station": self.station,
            "secret": self.secret,
        }
        if self.after:
            fields["after"] = self.after
        plain = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(plain).decode("ascii").rstrip("=")


def new_secrets(
    *, plant: str, site: str, clock: Clock, entropy: Entropy, recovery: bytes = b""
) -> Secrets:
    """Make the keys of a new hub, its CA included; `recovery`: see `Secrets`."""
    hub_id = JournalId(entropy(JOURNAL_ID_SIZE))
    ca_key = certificates.new_key(entropy(48))
    return Secrets(
        hub_id=hub_id,
        epoch=1,
        plant=plant,
        site=site,
        root=SigningKey(entropy(32)),
        receipt=SigningKey(entropy(32)),
        feeds=_new_feeds(entropy),
        ca_key=certificates.key_pem(ca_key),
        ca_certificate=certificates.authority(hub_id, ca_key, clock()),
        schemes={},
        recovery=recovery,
    )


def renewed(secrets: Secrets, entropy: Entropy, now: dt.datetime) -> Secrets:
    """The keys of a hub that is restored now: a later epoch, and other signing keys for it.

    The receipt key of the backup may be out of use since, because somebody else had it. What the
    hub wrote into its old feeds after the backup is not known to it, so it must never write there
    again (`decided.md` 11). Nor is it known how often it was restored since: the epoch
    is the minute, as 202611201319, so that an older backup still gives a later one.
    """
    minute = int(now.astimezone(dt.UTC).strftime("%Y%m%d%H%M"))
    return replace(
        secrets,
        epoch=max(secrets.epoch + 1, minute),
        feeds=_new_feeds(entropy),
        receipt=SigningKey(entropy(32)),
        coming=None,
    )


def with_keys_to_come(secrets: Secrets, entropy: Entropy, *, is_lost: bool) -> Secrets:
    """The same keys in use, and others beside them that nobody knows yet.

    Of those that were made before and not taken, the latest are kept.
    """
    is_lost = is_lost or (secrets.coming is not None and secrets.coming.is_lost)
    coming = Coming(SigningKey(entropy(32)), _new_feeds(entropy), is_lost)
    return replace(secrets, coming=coming)


def with_keys_that_came(secrets: Secrets) -> Secrets:
    """The keys that were to come in use."""
    coming = secrets.coming
    assert coming is not None, "no keys are to come"
    return replace(secrets, receipt=coming.receipt, feeds=coming.feeds, coming=None)


def with_another_authority(secrets: Secrets, entropy: Entropy, now: dt.datetime) -> Secrets:
    """The same keys with another CA, which the one until now certifies for whoever was away."""
    key = certificates.new_key(entropy(48))
    pem = certificates.authority(secrets.hub_id, key, now)
    older = certificates.read_key(secrets.ca_key)
    way = certificates.crossed(secrets.hub_id, pem, older, now)
    return replace(
        secrets,
        ca_key=certificates.key_pem(key),
        ca_certificate=pem,
        crossed=(way, *secrets.crossed)[:CROSSED_MAX],
        former=(*secrets.former, name_of(secrets.ca_certificate)),
    )


def save(directory: Path, secrets: Secrets) -> None:
    """Write DIR/secrets.json, mode 0600, never over an existing file."""
    _write_private(directory / SECRETS_FILE, write(secrets), os.O_EXCL)


def save_again(directory: Path, secrets: Secrets) -> None:
    """The same in place of the file that is there, whole or not at all."""
    _write_private(directory / SECRETS_FILE, write(secrets), os.O_TRUNC)


def write(secrets: Secrets) -> str:
    """The text of DIR/secrets.json."""
    fields = {
        "hub": show_journal(secrets.hub_id),
        "epoch": secrets.epoch,
        "plant": secrets.plant,
        "site": secrets.site,
        "root": secrets.root.raw.hex(),
        "receipt": secrets.receipt.raw.hex(),
        "feeds": _feeds_text(secrets.feeds),
        "ca_key": secrets.ca_key,
        "ca_certificate": secrets.ca_certificate,
        "schemes": dict(secrets.schemes),
        "recovery": secrets.recovery.hex(),
        "crossed": list(secrets.crossed),
        "former": list(secrets.former),
    }
    if secrets.coming is not None:
        fields["coming"] = {
            "receipt": secrets.coming.receipt.raw.hex(),
            "feeds": _feeds_text(secrets.coming.feeds),
            "is_lost": secrets.coming.is_lost,
        }
    return json.dumps(fields, indent=1)


def read(raw: bytes) -> Secrets:
    """From the bytes of DIR/secrets.json.

    Raises:
        TrustFault: they are not what `write` gives.
    """
    try:
        return _read(json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TrustFault(f"the keys are damaged ({type(error).__name__}: {error})") from error


def load(directory: Path) -> Secrets:
    """Read DIR/secrets.json.

    Raises:
        TrustFault: missing, readable by others, or not what `save` wrote.
    """
    path = directory / SECRETS_FILE
    try:
        mode = path.stat().st_mode
        raw = path.read_bytes()[: SECRETS_BYTES_MAX + 1]
    except OSError as error:
        raise TrustFault(
            f"{path} cannot be read ({error.strerror}): {directory} is not a hub's folder, or "
            f"belongs to another account. Make a hub with: tally hub init {directory}"
        ) from error
    if mode & 0o077:
        raise TrustFault(
            f"{path} has mode {mode & 0o777:03o}, expected 600: others here can read the hub's "
            f"keys. Run: chmod 600 {path}"
        )
    try:
        return read(raw)
    except TrustFault as fault:
        raise TrustFault(
            f"{path} cannot be used: {fault}. Restore it from a backup of this hub; a new one "
            f"would be another hub."
        ) from fault


def server_certificate(directory: Path, secrets: Secrets, now: dt.datetime) -> Path:
    """The file with the server's key and certificate, made anew if missing or near its end."""
    path = directory / SERVER_FILE
    if not _is_usable(path, secrets, now):
        key = certificates.new_key(os.urandom(48))
        try:
            ca_key = certificates.read_key(secrets.ca_key)
        except (TypeError, ValueError) as error:
            raise TrustFault(f"{directory / SECRETS_FILE}: {error}.") from error
        own = certificates.server(secrets.server_name, secrets.ca_certificate, ca_key, key, now)
        # The CA's cross-signatures go along: they lead whoever knows an older one to this one.
        chain = "".join((certificates.key_pem(key), own, *secrets.crossed))
        _write_private(path, chain, os.O_TRUNC)
    return path


def tls_context(directory: Path, secrets: Secrets, now: dt.datetime) -> ssl.SSLContext:
    """The server side of TLS 1.2 and later; no client certificates (`sync.md` 3.16)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        path = server_certificate(directory, secrets, now)
    except OSError:
        path = directory / SERVER_FILE
        if not _is_ours(path, secrets):
            raise
        # A full disk is no reason to serve nobody: an old end stops no station.
    context.load_cert_chain(path)
    return context


def renew(
    context: ssl.SSLContext, directory: Path, secrets: Secrets, now: dt.datetime
) -> dt.datetime | None:
    """Give a serving context another certificate half a year before the end of its own.

    Connections that are open go on; the next ones get the new one. No station has to do anything:
    they check the CA and the name (`sync.md` 3.16).

    Returns:
        The new end; None while nothing is due.

    Raises:
        OSError: it cannot be written; the old one serves on.
    """
    if _is_usable(directory / SERVER_FILE, secrets, now):
        return None
    path = server_certificate(directory, secrets, now)
    context.load_cert_chain(path)
    return certificates.end_of(path.read_bytes())


def certificate_end(directory: Path) -> dt.datetime | None:
    """When the server's certificate ends; None if there is none that can be read."""
    try:
        return certificates.end_of((directory / SERVER_FILE).read_bytes())
    except (OSError, ValueError):
        return None


def authority_end(secrets: Secrets) -> dt.datetime:
    """When the hub's CA ends."""
    return certificates.end_of(secrets.ca_certificate.encode())


def make_token(
    secrets: Secrets, *, station: str, addresses: Sequence[str], secret: str, after: str = ""
) -> Token:
    """The token of one station; the caller keeps the hash of `secret`. `after`: see `Token`."""
    return Token(
        addresses=tuple(addresses),
        hub=secrets.hub_id,
        ca=secrets.ca_certificate,
        plant=secrets.fingerprint,
        station=station,
        secret=secret,
        after=after,
    )


def authority_key(secrets: Secrets) -> PublicKey:
    """SHA-256 of the CA's public key (SPKI, DER): 32 bytes that the root key can vouch for."""
    return PublicKey(sha256(certificates.spki(secrets.ca_certificate)).digest())


def _read(fields: dict[str, Any]) -> Secrets:
    return Secrets(
        hub_id=parse_journal(fields["hub"]),
        epoch=int(fields["epoch"]),
        plant=str(fields["plant"]),
        site=str(fields["site"]),
        root=SigningKey(bytes.fromhex(fields["root"])),
        receipt=SigningKey(bytes.fromhex(fields["receipt"])),
        feeds=_read_feeds(fields["feeds"]),
        ca_key=str(fields["ca_key"]),
        ca_certificate=str(fields["ca_certificate"]),
        schemes={str(k): str(v) for k, v in fields["schemes"].items()},
        recovery=bytes.fromhex(fields.get("recovery", "")),
        crossed=tuple(map(str, fields.get("crossed", ()))),
        former=tuple(map(str, fields.get("former", ()))),
        coming=_read_coming(fields["coming"]) if "coming" in fields else None,
    )


def _read_coming(fields: dict[str, Any]) -> Coming:
    receipt = SigningKey(bytes.fromhex(fields["receipt"]))
    return Coming(receipt, _read_feeds(fields["feeds"]), fields["is_lost"] is True)


def _read_feeds(fields: dict[str, Any]) -> dict[str, FeedKey]:
    return {
        name: FeedKey(
            parse_journal(fields[name]["journal"]),
            SigningKey(bytes.fromhex(fields[name]["key"])),
        )
        for name in FEEDS
    }


def _feeds_text(feeds: Mapping[str, FeedKey]) -> dict[str, dict[str, str]]:
    return {
        name: {"journal": show_journal(feed.journal), "key": feed.key.raw.hex()}
        for name, feed in feeds.items()
    }


def _new_feeds(entropy: Entropy) -> dict[str, FeedKey]:
    return {
        name: FeedKey(JournalId(entropy(JOURNAL_ID_SIZE)), SigningKey(entropy(32)))
        for name in FEEDS
    }


def _write_private(path: Path, text: str, how: int) -> None:
    """Write beside and rename, so that a crash leaves the old file or the new one, never half."""
    if how & os.O_EXCL and path.exists():
        raise FileExistsError(f"{path} exists already and is never overwritten.")
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the new name, too, is on the disk
    finally:
        os.close(folder)


def _is_usable(path: Path, secrets: Secrets, now: dt.datetime) -> bool:
    end = certificate_end(path.parent)
    return end is not None and _is_ours(path, secrets) and end - now > _RENEW_BEFORE


def _is_ours(path: Path, secrets: Secrets) -> bool:
    try:
        raw = path.read_bytes()
    except OSError:
        return False
    return certificates.is_issued_by(raw, secrets.ca_certificate)
