"""The ledger: what a set of events means, kept as tables that can be rebuilt from the events at any time.

`port` says what a ledger takes and answers; `sqlite` is the implementation that station and
embedded hub share. The meaning itself is `tally.merge`: this package only loads and saves.
"""
