"""The parts of `tasks/split.py`, which is their face.

`sides` says which rows are held out, and `assignment` says it of one table before any row is given
out; `folding` does the same inside the training rows, `sidefiles` writes both sides in one pass,
`issued` does it once for each holdout, `custody` seals the files and writes each opening down,
`labels` turns labels into positions.
"""
