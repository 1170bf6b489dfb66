"""How a loss falls with the rows: an inverse power law, fitted and followed beyond them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST = 4
"""Fewer sizes than that determine no law of three parameters."""
PACES = np.geomspace(0.05, 2.0, 256)
"""Exponents that are tried; those of real tasks lie between 0.07 and 0.5 (Hestness et al.)."""


@dataclass(frozen=True)
class Power:
    """`loss(n) = limit + drop * n ** -pace`, one law per curve; arrays of shape (curves,)."""

    limit: np.ndarray
    drop: np.ndarray
    pace: np.ndarray

    def at(self, rows: float) -> np.ndarray:
        """The loss at so many rows, in the unit in which `fit` got them; shape (curves,)."""
        return np.asarray(self.limit + self.drop * rows**-self.pace)


def fit(rows: np.ndarray, losses: np.ndarray, floor: float) -> Power:
    """Weighted least squares; `rows` has shape (sizes,), `losses` (curves, sizes).

    Larger tables weigh more, in proportion to their rank, as they are nearer to what is asked
    (Figueroa et al., Predicting sample size required for classification performance, 2012). The
    exponent is searched on a grid and the rest solved exactly, for all curves at once, so that no
    start value matters. No law falls below `floor`, the loss of a perfect model (Hestness et al.,
    Deep learning scaling is predictable, empirically, 2017, section 2).
    """
    weight = np.arange(1, len(rows) + 1) / len(rows)
    best = np.full(len(losses), np.inf)
    found = np.zeros((3, len(losses)))
    for pace in PACES:
        limit, drop = _line(rows**-pace, losses, weight, floor)
        left = losses - limit[:, None] - drop[:, None] * rows**-pace
        error = (weight * left**2).sum(axis=1)
        better = error < best
        best = np.where(better, error, best)
        found = np.where(better, np.stack([limit, drop, np.full_like(limit, pace)]), found)
    return Power(*found)


def _line(
    x: np.ndarray, losses: np.ndarray, weight: np.ndarray, floor: float
) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of each curve over x; an intercept below the floor is put there."""
    total = weight.sum()
    middle, means = (weight @ x) / total, (losses @ weight) / total
    slope = ((losses - means[:, None]) * weight) @ (x - middle) / (weight @ (x - middle) ** 2)
    start = means - slope * middle
    steep = ((losses - floor) * weight) @ x / (weight @ x**2)
    below = start < floor
    return np.where(below, floor, start), np.where(below, steep, slope)
