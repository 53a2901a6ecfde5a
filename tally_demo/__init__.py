"""The demo and the outage story, played through the installed commands and real files; imports neither half."""
