"""A window counted as the reference was: columns, cells, days; batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from tasks.monitoring.days import DAY, MOST
from tasks.monitoring.reference import Counted, Counts, part_of


class Tally:
    """Counts of the columns of a reference; memory does not grow with the rows."""

    def __init__(self, reference: Counts) -> None:
        self._columns = reference.columns
        self._counts = [np.zeros(len(one.cells.names), dtype=np.int64) for one in self._columns]
        self._days: Counter[int] = Counter()

    @property
    def rows(self) -> int:
        return self._days.total()

    @property
    def days(self) -> np.ndarray:
        """Rows of each day of the window, oldest first; of very many days, the largest ones."""
        largest = [day for day, _ in self._days.most_common(MOST)]
        return np.array([self._days[day] for day in sorted(largest)])

    def add(self, values: Mapping[str, np.ndarray], seconds: np.ndarray) -> None:
        """More rows: a column that is not among the values is missing in all of them."""
        days, rows = np.unique(np.floor(seconds / DAY).astype(np.int64), return_counts=True)
        self._days.update(dict(zip(days.tolist(), rows.tolist(), strict=True)))
        for one, counts in zip(self._columns, self._counts, strict=True):
            if one.name in values:
                counts += one.cells.count(part_of(values[one.name], one.part))
            else:
                counts[one.cells.missing] += len(seconds)

    def of(self, column: Counted) -> np.ndarray:
        """Rows per cell."""
        return self._counts[self._columns.index(column)]
