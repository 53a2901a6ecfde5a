"""The zones of the Run screen, each a pure function from snapshot and view to rows.

Top to bottom: `head` (where am I, what unit), `steps`, `asking` (what to scan), `verdict`,
`history` (last scans), `tray` (practice codes), `foot` (status, keys). `edge_agent.ui.layout`
shares the rows among them.
"""
