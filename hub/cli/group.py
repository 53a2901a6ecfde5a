"""The group `tally hub` with its commands in the order of a hub's life."""

from __future__ import annotations

import click

from hub.cli import carrying, keeping, looking, proving, running, trusting, writing


@click.group(epilog='Example: tally hub init /var/lib/tally-hub --plant "Ningbo lamps" --site NB1')
def hub() -> None:
    """Run and ask the hub of a plant."""


for command in (
    running.init,
    running.serve,
    writing.admin_link,
    writing.enroll_token,
    writing.import_files,
    writing.grant,
    *looking.TABLE_COMMANDS,
    writing.decide,
    trusting.revoke,
    trusting.trust,
    trusting.renew,
    looking.trace,
    looking.fingerprint,
    looking.unread,
    looking.rebuild,
    keeping.backup,
    keeping.restore,
    keeping.returns,
    looking.export,
    carrying.bundle,
    proving.certify,
):
    hub.add_command(command)
