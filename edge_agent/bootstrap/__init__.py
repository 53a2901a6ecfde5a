"""Puts a station together: settings, files, journal, devices, uplink. The only place that does.

What is made here is handed over ready; nothing else names a concrete class or reads a file of the
station's folder. One module for each thing that a command wants put together.
"""
