"""The station's way to the hub: sends its journal, pulls the others, asks for codes, enrols.

`session` decides (pure: state and reply in, request and effects out), `uplink` speaks HTTPS,
`thread` runs both beside the station's loop. Nothing here writes the journal: what arrives is
handed to the loop, the only writer (`port`). Read in this order: `port`, `session`, `uplink`,
`thread`, `enrolling`.
"""
