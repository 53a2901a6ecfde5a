"""Scanners on a serial port or a USB port that acts as one: `framing` (pure), `device`."""
