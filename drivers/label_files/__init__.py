"""A label printer that prints into picture files: `template` (pure), `drawing`, `printer`."""
