"""Whether a probability of 30 % comes true in 30 of 100 rows."""

from __future__ import annotations

import numpy as np

from charter import Frozen

BINS = 10


class Point(Frozen):
    """One bin: what was said, what was true, with a 95 % interval (Wilson, 1927)."""

    said: float
    was: float
    low: float
    high: float
    rows: int


def reliability(truth: np.ndarray, chances: np.ndarray) -> tuple[Point, ...]:
    """Bins of equal size of the likeliest class (two classes: of the positive one)."""
    if chances.shape[1] == 2:
        said, hit = chances[:, 1], truth == 1
    else:
        said, hit = chances.max(axis=1), chances.argmax(axis=1) == truth
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return tuple(_point(said[part], hit[part]) for part in parts)


def error(points: tuple[Point, ...]) -> float:
    """Expected calibration error: mean distance of said and true, weighted by rows."""
    rows = sum(point.rows for point in points)
    return sum(point.rows * abs(point.said - point.was) for point in points) / rows


def _point(said: np.ndarray, hit: np.ndarray) -> Point:
    count, share, z = len(hit), float(hit.mean()), 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return Point(
        said=float(said.mean()), was=share, low=max(0.0, centre - float(half)),
        high=min(1.0, centre + float(half)), rows=count,
    )  # fmt: skip
