"""The parts of `tasks/forget.py`, which is their face.

`person` gathers what is known of somebody, `rows` takes it out of the tables, `papers` out of folders,
bundles and releases, `search` looks through every byte for what is left.
"""
