"""Builders and strategies that several tests share. Nothing here imitates our own code."""
