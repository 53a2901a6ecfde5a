"""Bytes and proofs: event lines, the hash chain, heads, seals, segments, receipts (design:
`format.md`).

Everything here takes bytes and gives bytes or frozen values. No clock, no files, no network, and no
knowledge of what an event means: that is `tally.events` and `tally.merge`.
Read in this order: `ids`, `line`, `chain`, `merkle`, `signing`, `segment`, `export`.
"""
