"""Every state of a small world, not a sample of a large one."""
