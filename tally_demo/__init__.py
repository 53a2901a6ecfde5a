"""The demo and the outage story, played through the installed commands and real files.

Imports neither half.
"""
