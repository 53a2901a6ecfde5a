"""From what a device delivered to what it names: framing left-overs, AIM and GS1, classification.

Pure. `recognise` makes a `Scan`, `Window` tells the same code read twice from two scans. What a
scan does is `edge_agent.workflow`.
"""
