"""Rows that are odd for certain: real ones, changed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.finding.columns import Preparation

MIDDLE = (0.005, 0.995)
"""A far value is as far from the real one as these quantiles are from each other."""


def far(preparation: Preparation, rows: np.ndarray, seed: int) -> np.ndarray | None:
    """Prepared rows, each with one number far up or down; None where no column is one."""
    numbers = [at for at, many in _numbers(preparation, rows) if many]
    if not numbers:
        return None
    rng = np.random.default_rng(seed)
    low, high = np.quantile(rows, MIDDLE, axis=0)
    width = np.where(high > low, high - low, np.ptp(rows, axis=0))
    moved = rows.copy()
    every, column = np.arange(len(rows)), rng.choice(numbers, len(rows))
    moved[every, column] += rng.choice([-1, 1], len(rows)) * width[column]
    return moved


def shuffled(preparation: Preparation, rows: np.ndarray, seed: int) -> np.ndarray:
    """Prepared rows whose columns come from different ones: each value is usual, together they are
    not, where columns go together at all."""
    rng = np.random.default_rng(seed)
    mixed = rows.copy()
    for start, stop in preparation.places:
        mixed[:, start:stop] = rows[rng.permutation(len(rows)), start:stop]
    return mixed


def _numbers(preparation: Preparation, rows: np.ndarray) -> Iterator[tuple[int, bool]]:
    """Where each column that is no category stands, and whether it has more values than a flag."""
    for column, (start, _) in zip(preparation.columns, preparation.places, strict=True):
        if not column.levels:
            yield start, len(np.unique(rows[:, start])) > 2
