"""The operator's screen: draws the station's snapshot, and turns keys and bursts into its inputs.

Textual lives here and nowhere else. Nothing here judges a scan, opens the journal or knows a clock
of its own; what is shown was decided and committed by `edge_agent.station`.
"""
