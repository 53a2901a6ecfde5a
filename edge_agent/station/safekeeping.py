"""Where this station's events are beside its own disk, and which neighbours hold them; for people.

Plain values from a read-only connection, as in `looking`.
"""

import sqlite3
from typing import Any

from edge_agent.journal.identity import Identity
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.standing import (
    durability,
    held_by_neighbours,
    read_peers,
    read_witnesses,
)
from edge_agent.station.lights import Lights
from tally.records.ids import show_journal


def safekeeping(connection: sqlite3.Connection, identity: Identity, seq: int) -> dict[str, Any]:
    """The level of the newest event, own events by level, and the neighbours.

    Keys: `level` (local, peers, hub, archived), `peers`, `events` by level, `binds` by light of
    those that the hub has not acknowledged (`lights`), `witnesses`, `neighbours`.
    """
    newest = durability(connection, identity.journal, seq)
    receipt = read_receipt(connection, identity.journal)
    archived = receipt.archived_through if receipt else 0
    durable = max(archived, receipt.durable_through if receipt else 0)
    witnesses = read_witnesses(connection)
    near = held_by_neighbours(witnesses, durable, seq)
    names = dict(connection.execute("SELECT journal, name FROM known_key").fetchall())
    return {
        "level": newest.level,
        "peers": newest.peers,
        "events": {
            "archived": archived,
            "hub": durable - archived,
            "peers": near,
            "local": seq - durable - near,
        },
        "binds": Lights(connection, identity).counts() if seq > durable else {},
        "witnesses": [
            {"journal": show_journal(one.witness), "name": one.name, "seq": one.seq}
            for one in witnesses
        ],
        "neighbours": [
            {
                "journal": show_journal(journal),
                "name": names.get(journal, ""),
                "address": address,
            }
            for journal, address in read_peers(connection)
        ],
    }


def safekeeping_words(found: dict[str, Any]) -> list[str]:
    """The same in lines, for `tally station status`."""
    events = found["events"]
    lines = [
        "Kept: {archived} in a backup of the hub, {hub} at the hub, {peers} at neighbours, "
        "{local} on this disk alone".format(**events)
    ]
    if any(found["binds"].values()):
        told = ", ".join(f"{count} {light}" for light, count in found["binds"].items() if count)
        lines.append(f"Binds the hub has not acknowledged: {told}")
    lines += [
        f"  {one['name'] or one['journal']} holds this journal to {one['seq']}"
        for one in found["witnesses"]
    ]
    lines += [
        f"  neighbour {one['name'] or one['journal']} at {one['address']}"
        for one in found["neighbours"]
    ]
    return lines
