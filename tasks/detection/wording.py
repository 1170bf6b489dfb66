"""Odd rows in words: which of their values are beyond what is usual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.finding.columns import Column, plain, texts
from tasks.pages.figures import interval, number

MIDDLE = (0.01, 0.99)
"""Between these quantiles of the rows that are not odd a number is usual; a value of a category
that a smaller share of them has than the first is not."""
MOST = 3
"""Values that describe a row."""
NOTHING = "no single value: how they go together"


@dataclass(frozen=True)
class Usual:
    """What is usual in one column."""

    column: Column
    label: str
    low: float = 0.0
    high: float = 0.0
    levels: frozenset[str] = frozenset()
    """The usual values of a category."""

    @property
    def said(self) -> str:
        if self.column.levels:
            return ", ".join(name for name in self.column.levels if name in self.levels)
        return interval(self.low, self.high)

    def beyond(self, values: pa.ChunkedArray) -> np.ndarray:
        """How far each value is beyond it, in standard deviations, shape (rows,); 0: usual or missing.
        An unusual value of a category is one away."""
        if self.column.levels:
            return np.array([float(one not in self.levels) for one in texts(values)])
        raw = plain(values)
        raw = np.where(np.isfinite(raw), raw, self.low)
        return np.asarray(np.maximum(self.low - raw, raw - self.high).clip(0) / self.column.spread)

    def word(self, value: object) -> str:
        """The value beside what is usual."""
        said = number(value) if isinstance(value, int | float) else str(value)
        return f"{self.label} {said} (usual: {self.said})"


def usual(
    columns: tuple[Column, ...], table: pa.Table, odd: np.ndarray, labels: dict[str, str]
) -> tuple[Usual, ...]:
    """Of each column, read off the rows that `odd` (bool) does not name; `labels` are the words for
    columns."""
    others = table.filter(pa.array(~odd))
    return tuple(
        _usual(column, labels.get(column.name, column.name), others.column(column.name))
        for column in columns
    )


def _usual(column: Column, label: str, values: pa.ChunkedArray) -> Usual:
    if column.levels:
        found, counts = np.unique(texts(values), return_counts=True)
        often = counts >= MIDDLE[0] * len(values)
        return Usual(column, label, levels=frozenset(found[often].tolist()))
    raw = plain(values)
    low, high = np.quantile(raw[np.isfinite(raw)], MIDDLE) if np.isfinite(raw).any() else (0, 0)
    return Usual(column, label, float(low), float(high))


def reasons(known: tuple[Usual, ...], table: pa.Table) -> Iterator[str]:
    """What is odd about each row, the farthest value first."""
    apart = np.column_stack([one.beyond(table.column(one.column.name)) for one in known])
    for at, row in enumerate(apart):
        order = [int(place) for place in np.argsort(-row, kind="stable")[:MOST] if row[place] > 0]
        said = [known[place].word(table.column(known[place].column.name)[at].as_py()) for place in order]  # fmt: skip
        yield "; ".join(said) or NOTHING
