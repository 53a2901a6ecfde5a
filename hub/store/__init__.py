"""Where the hub keeps things: `port` says what the services may ask, `sqlite` is the embedded hub.

Pieces as they arrived are the truth; everything the ledger says is made from them. No rule about
parts, codes or routes lives here. Only `hub.bootstrap` names the concrete store.
"""
