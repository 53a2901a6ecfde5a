"""The ordinary ways of doing the same work, written plainly: what ours is measured against."""
