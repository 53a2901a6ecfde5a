"""The station's half: scan, workflow, journal, station loop, sync. Never imports the hub."""
