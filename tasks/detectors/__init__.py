"""Ways of finding odd rows: one file each, this catalogue, one suite in `tests/contracts/`."""

from tasks.detectors.base import Detector, Score
from tasks.detectors.distance import DISTANCE
from tasks.detectors.isolation_forest import ISOLATION_FOREST
from tasks.detectors.neighbours import NEAREST

DETECTORS: tuple[Detector, ...] = (DISTANCE, ISOLATION_FOREST, NEAREST)
"""Simplest first: of two that are as good, the first is taken."""

__all__ = ["DETECTORS", "Detector", "Score"]
