"""What a set of events means: claims, their ends, cases, findings, units, fingerprint.

Everything here is a function of values or of a small port (`History`, `Shelf`); nothing knows
arrival order, row numbers or SQL. Read in this order: `keys`, `claims`, `liveness`, `decisions`,
`conflicts`, `holding`, `units`, `rechecks`, `findings`, `fingerprint`. The incremental engine that
loads and saves is `tally.ledger`.
"""
