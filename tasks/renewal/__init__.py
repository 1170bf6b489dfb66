"""The parts of `tasks/renew.py`, which is their face.

`candidates` brings the facts that decide about each row into DuckDB, `choice` settles which rows
stay and in which order.
"""
