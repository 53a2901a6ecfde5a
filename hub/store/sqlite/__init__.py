"""The embedded hub's store: one SQLite file, DIR/hub.db.

`opening` makes connections and takes the lock, `schema` holds the tables and their migrations,
`store` is the port's implementation.
"""

from hub.store.sqlite.opening import open_for_reading, open_for_writing
from hub.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_for_reading", "open_for_writing"]
