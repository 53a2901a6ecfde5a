"""What station and hub say to each other: messages both ways, limits, protocol versions.

Here live frozen message types and the strict reading of their bytes. No sockets, no clock: the
station's side is `edge_agent.sync`, the hub's `hub.api`. Events themselves travel as pieces and
segments (`tally.records.segment`). Read in this order: `protocol`, `messages`, `reading`,
`session`, `peers`.
"""
