"""What every way of finding odd rows gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from charter.anomalies import DetectorName

Score = Callable[[np.ndarray], np.ndarray]
"""Prepared rows, shape (rows, columns), to how odd each one is, shape (rows,): larger is odder."""


@dataclass(frozen=True)
class Detector:
    """One family."""

    name: DetectorName
    fit: Callable[[np.ndarray, int], Score]
    """Of prepared rows and a seed."""
