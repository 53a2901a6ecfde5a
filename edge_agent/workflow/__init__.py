"""The plan as a table-driven machine: (state, input, knowledge, now) to (state, effects, answer).

Pure. Read `types`, `knowledge`, then `machine`; the poka-yoke rules are `rules`. Texts for people
are in `edge_agent.wording`; files, devices and the clock belong to `edge_agent.station`.
"""
