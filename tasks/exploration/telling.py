"""Whether it tells something about the target that a value is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from tasks.exploration.relations import Relation
from tasks.exploration.tallies import MISSING, Array
from tasks.exploration.target import Truth

ROWS = 20
"""Fewest rows with and without a value that can be compared."""


@dataclass(frozen=True)
class Telling:
    """The target where one column is missing, and where it is not."""

    column: str
    of: str
    """`late = true`, or `Mean price`."""
    rows: int
    """Rows with a known target in which the column is missing."""
    missing: float
    present: float
    low: float
    high: float
    """95 % interval of the difference, widened for the number of columns compared (Bonferroni)."""

    @property
    def clear(self) -> bool:
        """Whether the difference is beyond chance."""
        return self.low > 0 or self.high < 0

    @property
    def difference(self) -> float:
        return self.missing - self.present


def telling(truth: Truth, related: Sequence[Relation], mean: float = 0.0) -> list[Telling]:
    """Every column with enough gaps; clear differences first, then the largest.

    Shares: Newcombe's interval of a difference (1998, method 10); means: the normal one. Of several
    classes the one that differs most stands for the column. `mean` is that of a target that is a
    number, since the tallies hold distances from it.
    """
    able = [(relation, *sides) for relation in related if (sides := _sides(truth, relation))]
    tests = len(able) * (len(truth.classes) if len(truth.classes) > 2 else 1)
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, tests))
    found = [
        _classes(truth, relation.column, gone, here, z)
        if truth.classes
        else _means(truth, relation.column, gone, here, z, mean)
        for relation, gone, here in able
    ]
    return sorted(found, key=lambda told: (not told.clear, -abs(told.difference), told.column))


def _sides(truth: Truth, relation: Relation) -> tuple[Array, Array] | None:
    """The tallies without and with a value."""
    if not relation.content.missing or relation.tally.levels[-1] != MISSING:
        return None
    total = relation.tally.total
    gone, here = total[-1], total[:-1].sum(axis=0)
    return (gone, here) if min(_rows(truth, gone), _rows(truth, here)) >= ROWS else None


def _rows(truth: Truth, tally: Array) -> float:
    return float(tally.sum() if truth.classes else tally[0])


def _classes(truth: Truth, column: str, gone: Array, here: Array, z: float) -> Telling:
    shown = [1] if len(truth.classes) == 2 else range(len(truth.classes))
    shares, others = gone / gone.sum(), here / here.sum()
    at = max(shown, key=lambda at: abs(shares[at] - others[at]))
    p, q = float(shares[at]), float(others[at])
    a, b = wilson(p, float(gone.sum()), z), wilson(q, float(here.sum()), z)
    low = p - q - sqrt((p - a[0]) ** 2 + (b[1] - q) ** 2)
    high = p - q + sqrt((a[1] - p) ** 2 + (q - b[0]) ** 2)
    name = f"{truth.field.name} = {truth.classes[at]}"
    return Telling(column, name, int(gone.sum()), p, q, low, high)


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share (1927)."""
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def _means(truth: Truth, column: str, gone: Array, here: Array, z: float, mean: float) -> Telling:
    (first, one), (second, two) = _mean(gone), _mean(here)
    moved, half = first - second, z * sqrt(one + two)
    name, rows = f"Mean {truth.field.name}", int(gone[0])
    return Telling(column, name, rows, first + mean, second + mean, moved - half, moved + half)


def _mean(tally: Array) -> tuple[float, float]:
    """The mean, and its variance."""
    n, total, squares = (float(value) for value in tally)
    mean = total / n
    return mean, max(squares / n - mean**2, 0.0) / n
