"""Stations of one line help each other, with or without the hub (`sync.md` 3.11).

Each station has a small door on which its neighbours read, and goes round to theirs: what it lacks
of others' journals it takes, proven, through the loop. `exchange` decides what to ask and `desk`
what to answer (both pure); `door` and `rounds` are the threads around them; `certificate` says who
is there, `addresses` where to look, `multicast` brings hints. Read in this order: `port`,
`exchange`, `desk`.
"""
