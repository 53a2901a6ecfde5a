"""Master data: products, BOMs, routings, station plans, schemes, orders, lots, people, places.

Pure: bytes and tables come in, frozen entities and problems in words go out; nothing is looked up
anywhere else. Read `reading`, then `plans` and `entities`, then `documents`.
"""
