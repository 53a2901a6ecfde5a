"""Event types: what happened, as frozen values with a name and a version (`format.md` 6).

`types` holds one struct per type, `envelope` the fields that every line carries, `decoding` the
way from bytes to values, `registry` the table of all types. Nothing here decides what an event
means for the genealogy: `tally.merge`.
"""
