"""The parts of `tasks/protect.py`, which is their face.

`door` is what rows pass before they are stored anywhere: it keeps out those without consent, which
`consents` knows, and puts `hashes` for names of persons. Ingestion, collection and the stage use it.
"""
