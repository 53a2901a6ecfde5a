"""The station at work: the one loop that puts scan, workflow, journal and devices together.

`core` is synchronous and without threads: input in, durable events and answers out; `loop` owns the
threads, the queue and the only clock. Read `core`, `knowledge`, `loop`, then `headless` and
`terminal`, which say what the loop did. Nothing here talks to the network.
"""
