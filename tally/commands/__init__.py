"""Commands that need no half: verify, ledger, codes.

They read files and print; the rules live in `tally`.
"""
