"""Makes the pictures of the README and the docs from the running demo: `make pictures`."""
