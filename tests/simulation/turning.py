"""The hub gets other keys while everything runs, and whether every station follows.

TLS itself is not played: of a CA only counts here that the root key vouches for it.
"""

import datetime as dt
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from edge_agent.journal.authorities import authorities
from hub.services import authority, rotating
from tally.records.authority import name_of
from tests.simulation.oracles import Violation, has_drained

_END = "-----END CERTIFICATE-----\n"


def keys_turned(world):
    """Other signing keys or another CA; now and then since somebody else may have the old ones."""
    is_lost = world.turns.chance(0.3)
    if world.turns.chance(0.7):
        world.at_hub(lambda: world.door.turn_keys(is_lost=is_lost))
        world.count("hub's keys changed")
    else:
        world.at_hub(lambda: world.door.turn_authority(is_lost=is_lost))
        world.count("hub's CA changed")
        if is_lost:  # an older backup has a CA that nobody trusts: the page says to make another
            world.backups = [world.door.backup()] if world.backups else []
    if is_lost:
        world.count("old keys lost")


def turn_keys(door, *, is_lost):
    """What `tally hub renew --keys` does."""
    rotating.rotate(door.hub.office, door.keep, is_lost=is_lost)


def turn_authority(door, *, is_lost):
    """What `tally hub renew --ca` does, with a certificate that is the same in every run."""
    secrets = door.hub.office.secrets
    pem = _certificate(door.entropy(32))
    former = (*secrets.former, name_of(secrets.ca_certificate))
    other = replace(secrets, ca_certificate=pem, crossed=(pem,), former=former)
    authority.take_over(door.hub.office, door.keep, other, is_lost=is_lost)


def go_on(door):
    """What a hub does about its keys when it starts."""
    rotating.finish(door.hub.office, door.keep)
    authority.publish_missing(door.hub.office)


def every_station_follows(world):
    """Who has heard everything believes the hub's keys of now, and trusts its CA."""
    hub = world.door.hub
    name = name_of(hub.office.secrets.ca_certificate)
    for machine in world.machines:
        if machine.power != "on" or not has_drained(world, machine):
            continue
        if hub.receipt_key not in machine.journal.keys.receipt_keys():
            raise Violation("every_station_follows", f"{machine} does not know the receipt key")
        trusted = authorities(machine.connection, machine.trust)
        if name not in {name_of(one + _END) for one in trusted.split(_END)[:-1]}:
            raise Violation("every_station_follows", f"{machine} does not trust the hub's CA")
        if any(machine.journal.keys.end_of(feed.journal) for feed in _feeds(hub)):
            raise Violation("every_station_follows", f"{machine} holds an open feed for ended")


def _feeds(hub):
    return hub.office.secrets.feeds.values()


def _certificate(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed)  # its signatures draw nothing
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of a simulated hub")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(seed[:8], "big") + 1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2056, 1, 1, tzinfo=dt.UTC))
        .sign(key, None)
    )
    return made.public_bytes(Encoding.PEM).decode("ascii")
