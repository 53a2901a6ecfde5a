"""Another CA for the stations' door, while everything goes on (`docs/decisions/0126-…`).

The new CA is certified by the one before, so that a station that knows only that follows it; the
plant root key vouches for it in feed `keys`, where every station learns of it. First the keys are
saved, then the event is written: between the two a hub serves under the new CA, and says so at its
next start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.services import feeds, journals
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.trust import Secrets, with_another_authority
from tally.events.decoding import EventLine, read_line
from tally.events.types import AuthorityPublished
from tally.records.authority import name_of, vouched
from tally.records.export import b64

_MARKER = b'{"t":"ca.published"'


@dataclass(frozen=True, slots=True)
class Renewed:
    """Another CA: its name, and the names of those that stations do not trust any more."""

    name: str
    retires: tuple[str, ...]


def renew(office: Office, save: Callable[[Secrets], None], *, is_lost: bool) -> Renewed:
    """Give the hub another CA.

    Args:
        office: the hub's; it has the new keys afterwards.
        save: puts them in the place of the old ones, durably.
        is_lost: somebody else may have the old key: stations stop trusting it once they hear.
    """
    secrets = with_another_authority(office.secrets, office.entropy, office.now())
    return take_over(office, save, secrets, is_lost=is_lost)


def take_over(
    office: Office, save: Callable[[Secrets], None], secrets: Secrets, *, is_lost: bool
) -> Renewed:
    """Let the hub have the CA of these keys from now on; see `renew`."""
    save(secrets)
    office.secrets = secrets
    with office.store.transaction():
        older = {*secrets.former, *_published(office)}
        return _publish(office, tuple(sorted(older)) if is_lost else ())


def publish_missing(office: Office) -> Renewed | None:
    """Say in feed `keys` which CA the hub has, if a crash came between; None if that is said."""
    if not office.secrets.crossed:
        return None  # the first one is in every token
    with office.store.transaction():
        if name_of(office.secrets.ca_certificate) in _published(office):
            return None
        return _publish(office, ())


def _publish(office: Office, retires: tuple[str, ...]) -> Renewed:
    secrets = office.secrets
    word = vouched(secrets.root, secrets.ca_certificate, retires, secrets.server_name)
    body = AuthorityPublished(
        certificate=word.pem, name=secrets.server_name, sig=b64(word.signature), retires=retires
    )
    feeds.append(office, "keys", [Entry(body)])
    return Renewed(name_of(secrets.ca_certificate), retires)


def _published(office: Office) -> frozenset[str]:
    return frozenset(name_of(body.certificate) for body in _bodies(office))


def _bodies(office: Office) -> Iterator[AuthorityPublished]:
    for feed in office.store.journals():
        if (feed.role, feed.name) == ("feed", "keys"):
            for _, _, _, lines, _ in journals.runs(office.store, feed):
                for line in lines:
                    event = read_line(line) if line.startswith(_MARKER) else None
                    if isinstance(event, EventLine) and isinstance(event.b, AuthorityPublished):
                        yield event.b
