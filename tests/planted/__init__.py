"""Bugs planted on purpose: does the simulation notice?

`bugs` is the list, `planting` puts one into the product as a process imports it (no file changes),
`hunting` runs seeds until an oracle objects, `page` writes the table into `docs/guarantees.md`.
Start with `python -m tests.planted --help`.
"""
