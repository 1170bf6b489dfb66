"""The parts of `tasks/collect.py`, which is their face.

`values` turns JSON into the types of the table, `rows` makes a batch of the journal one Arrow table,
`rules` judges it by suite and charter, `fold` writes it exactly once.
"""
