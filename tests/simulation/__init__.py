"""tallysim: stations, a hub, people and a factory from one seed, in virtual time.

It drives the product's own cores (`StationCore`, `Journal`, `edge_agent.sync.session`, `Hub`) over
SQLite in memory and checks what `docs/guarantees.md` promises. Nothing of the product is written a
second time here, except the brute-force oracle of `tests.support.oracle`, on purpose.

Read: `world` (one run), `machines` and `door` (the two halves), `people`, `faults`, `oracles`;
`running` (many seeds), `shrinking`, `guard`. Start with `python -m tests.simulation --help`.
"""
