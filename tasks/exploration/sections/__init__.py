"""The sections of the page, one file each: what is seen in a sentence, then the evidence.

Each has `section(charter, found)`, which is None where there is nothing to tell; `report` puts them
in order. `shapes` and `rates` are charts that several of them need.
"""
