"""What every way of finding groups gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from charter.clusters import ClusteringName

Assign = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Found:
    """Groups, and which one any row belongs to."""

    groups: int
    assign: Assign
    """Prepared rows, shape (rows, columns), to group numbers from 0, shape (rows,)."""


@dataclass(frozen=True)
class Clustering:
    """One family. Its `setting` is what the search varies: the number of groups, or what decides it."""

    name: ClusteringName
    settings: Callable[[int, int, int], Iterable[int]]
    """Of rows, fewest and most groups: what is tried."""
    counts_rows: bool
    """Whether the setting is a number of rows, less in a draw of fewer."""
    fit: Callable[[np.ndarray, int, int], Found | None]
    """Of prepared rows, a setting and a seed; None where there are no groups."""


def counts(rows: int, least: int, most: int) -> Iterable[int]:
    """The settings of a family that is told how many groups there are."""
    return range(least, min(most, rows - 1) + 1)
