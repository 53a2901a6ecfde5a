"""The station's half of the tally: one SQLite file, its own events and what it knows of others.

One writer: the process that holds the lock, on one connection. Everything that must be true
together is one transaction; an event is told to nobody before its commit. No screens, no network,
no clock: the time comes in. Read `store` (the file), `journal` (own events), `others` (foreign
journals), `keys` (whom to believe), `outgoing` (what the uplink reads).
"""
