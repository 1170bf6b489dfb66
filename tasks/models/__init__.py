"""The catalogue of families, simplest first: the ladder that tuning climbs.

To add one: a file in this folder with a `Family`, its name in `charter.tuning.FamilyName`, its
place in `LADDER`, and its estimator in `tasks/graph/estimators.py`. The conformance suite in
`tests/contracts/test_models.py` picks it up.
"""
