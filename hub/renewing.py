"""Other keys and certificates for a hub, while it serves or not: what is written into its folder.

Which events say so: `hub.services.authority` and `hub.services.rotating`. What a hub that serves
does by itself about its certificate: `Renewal`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from hub import trust
from hub.certificates import AUTHORITY_WARNS
from hub.services import Hub, authority, rotating
from hub.services.office import Office
from tally.records.ids import show_journal

RENEW: Final = "renew"
"""An operation that a serving hub offers besides those of the services; see `renew`."""


def renew(directory: Path, hub: Hub, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the hub another CA (`Renewal.look`, or the next start, then serves under it), or other
    signing keys.

    Args:
        directory: the hub's folder.
        hub: the one that writes.
        given: `what`: `ca` or `keys`; `is_lost`: somebody else may have the old ones.

    Returns:
        Of a CA: `ca`, its name, and `retires`, the names of those that stations trust no more. Of
        keys: `keys_feed`, the feed that says so, `receipt_key`, hex, and `is_lost`.

    Raises:
        StoreFault, OSError: it cannot be written; the next start goes on from what was.
    """
    is_lost = given.get("is_lost") is True
    save = partial(_save, directory)
    if given.get("what") == "keys":
        done = rotating.rotate(hub.office, save, is_lost=is_lost)
        return {
            "keys_feed": show_journal(done.keys_feed),
            "receipt_key": done.receipt.raw.hex(),
            "is_lost": done.is_lost,
        }
    made = authority.renew(hub.office, save, is_lost=is_lost)
    return {"ca": made.name, "retires": list(made.retires)}


def finish(directory: Path, hub: Hub) -> None:
    """Take keys into use that were made before a crash."""
    rotating.finish(hub.office, partial(_save, directory))


def _save(directory: Path, secrets: trust.Secrets) -> None:
    """A backup may have been given another recovery key meanwhile, which stands in the file."""
    recovery = trust.load(directory).recovery
    trust.save_again(directory, replace(secrets, recovery=recovery))


class Renewal:
    """Renews the certificate for stations while the hub serves, and says when it cannot.

    An end that passed stops no station (`sync.md` 3.16): it is a sign of a disk or folder that
    wants a technician. Each reason is told once.
    """

    def __init__(
        self, directory: Path, office: Office, tls: ssl.SSLContext, warn: Callable[[str], None]
    ) -> None:
        self._directory = directory
        self._office = office
        self._tls = tls
        self._warn = warn
        self._told = ""

    def look(self) -> None:
        """Renew if it is time."""
        try:
            end = trust.renew(self._tls, self._directory, self._office.secrets, self._office.now())
        except (OSError, trust.TrustFault) as error:
            was = trust.certificate_end(self._directory)
            ends = f"ends on {was:%Y-%m-%d}" if was else "is missing"
            words = (
                f"The certificate for stations {ends} and cannot be renewed: {error}. Stations go "
                f"on with the old one. Look at the disk and the rights of {self._directory}."
            )
            if words != self._told:
                self._warn(words)
            self._told = words
            return
        self._told = self._of_the_authority()
        if end is not None:
            self._warn(
                f"The certificate for stations was renewed; it is good until {end:%Y-%m-%d}."
            )

    def _of_the_authority(self) -> str:
        """What somebody has to do about the CA, told once; empty while it has years."""
        end = trust.authority_end(self._office.secrets)
        if end - self._office.now() > AUTHORITY_WARNS:
            return ""
        words = (
            f"The hub's CA ends on {end:%Y-%m-%d}. No station stops for it; renew it when it "
            f"suits: tally hub renew {self._directory} --ca"
        )
        if words != self._told:
            self._warn(words)
        return words
