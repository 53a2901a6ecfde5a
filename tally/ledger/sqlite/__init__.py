"""The ledger on SQLite, in the caller's file and transactions; used by station and hub.

`tables` holds the SQL, `names` and `journals` the local numbers, `columns` the way from events to
rows, `absorbing` writes, `reading` answers the ports of `tally.merge`, and `ledger` puts them
together. Needs SQLite 3.40 or later.
"""

from tally.ledger.sqlite.journals import unpacked_lines
from tally.ledger.sqlite.ledger import SqliteLedger, rebuild
from tally.ledger.sqlite.tables import TABLES

__all__ = ["TABLES", "SqliteLedger", "rebuild", "unpacked_lines"]
