"""Benchmarks against the limit and a peer in the same run: `tally bench`. Ratios, never gates."""
