"""From what a device delivered to what it names: framing left-overs, AIM and GS1, classification.

Pure. `recognise` makes a `Scan`, `Window` tells the same code read twice from two scans. What a
scan does is `edge_agent.workflow`.
"""

from edge_agent.scan.recognising import recognise
from edge_agent.scan.types import SCAN_BYTES_MAX, Entry, Scan, ScanKind, Typed, Vocabulary
from edge_agent.scan.window import Window

__all__ = [
    "SCAN_BYTES_MAX",
    "Entry",
    "Scan",
    "ScanKind",
    "Typed",
    "Vocabulary",
    "Window",
    "recognise",
]
