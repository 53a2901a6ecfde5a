"""The hub over HTTP: stations (TLS), integrators (plain, loopback), administration (unix socket).

Handlers read a message, ask one service of `hub.services.Hub`, write a message; whatever is refused
becomes a problem document by one table (`problems`). No business rule lives here, no SQL, no pages.
Read in this order: `problems`, `guard`, `sessions`, `stations`, `integrators`, `admin`, `serving`.
"""
