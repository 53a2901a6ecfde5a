"""What a power cut at any moment may leave on the disk, and what the product makes of it."""
