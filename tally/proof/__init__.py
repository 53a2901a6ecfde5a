"""Proving what a file says to someone who trusts nobody but the plant's key (`decided.md` 4, 6, 9).

Pure: takes rows, gives a report. Reads events only as far as keys need it; what events mean is
`tally.merge`. `placing` sorts the rows, `chains` judges each journal, `anchors` the keys,
`exported` the whole.
"""
