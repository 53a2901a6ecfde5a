"""The ledger: what a set of events means, as tables that the events can rebuild at any time.

`port` says what a ledger takes and answers; `sqlite` is the implementation that station and
embedded hub share. The meaning itself is `tally.merge`: this package only loads and saves.
"""
