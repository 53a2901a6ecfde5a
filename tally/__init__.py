"""The half that both must agree on: events, chain, codes, claims, merge, trace.

Pure but for `tally.ledger.sqlite` and the commands: no clock, no randomness, no files, no network.
Read `tally.records` first, then `tally.events`, `tally.merge`, `tally.ledger`, `tally.trace`.
"""
