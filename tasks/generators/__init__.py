"""The catalogue of generators: rows that are made from the rows that a model is fitted on.

To add one: a file in this folder with a `Generator`, its name in `charter.tuning.GeneratorName`,
and its place in `CATALOGUE`. The conformance suite in `tests/contracts/test_generators.py` picks it
up. Nothing here may see a row that judges: neither of a fold's test side nor of the holdout.
"""

from __future__ import annotations

from tasks.generators.base import Generator
from tasks.generators.copula import Copula
from tasks.generators.interpolate import Interpolate
from tasks.generators.oversample import Oversample

CATALOGUE: tuple[Generator, ...] = (Oversample(), Interpolate(), Copula())
"""Simplest first."""


def generator(name: str) -> Generator:
    """The member of the catalogue with this name."""
    return next(member for member in CATALOGUE if member.name == name)
