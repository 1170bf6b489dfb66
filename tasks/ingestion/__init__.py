"""The parts of `tasks/ingest.py`, which is their face.

`incoming` is the charter's source as batches of rows on their way in, `joins` and `derive` add the
columns that the charter declares, `named` checks the names that it speaks of; `landing` is one pass
from source to table, `growth` decides what of a source that grows has to pass.
"""
