"""By what a ledger was made, kept beside its tables: one made by other rules is made anew.

The ruleset, how the tables are written, and every type of event with its fields. A ledger that
could not take an event is tried again by every other version of the program.
"""

from __future__ import annotations

from hashlib import sha256
from importlib import metadata
from typing import Final

from tally.events.registry import TYPES
from tally.ledger.sqlite.tables import WRITTEN_BY
from tally.merge.fingerprint import RULESET


def _types() -> str:
    """Short hash of what can be read: a type or a field more makes other events readable."""
    known = sorted((name, body.__struct_fields__) for name, body in TYPES.items())
    return sha256(repr(known).encode()).hexdigest()[:16]


MADE_BY: Final = f"{RULESET} {WRITTEN_BY} {_types()}"


def program() -> str:
    """The version of this program."""
    return metadata.version("tallystick")
