"""The groups of people: the values of sensitive columns, and their intersections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Frozen
from charter.fairness import JOINED
from serving.values import text

MISSING = "missing"
VALUES = 20
"""Most values of a number that are groups of their own; more of them are cut into quarters."""
QUARTERS = 4


class Axis(Frozen):
    """One sensitive column as the training rows have it."""

    column: str
    edges: tuple[float, ...] = ()
    """For numbers of many values: where each of up to four groups begins in the training rows, and
    the largest value, so that groups stay the same."""

    def values(self, table: pa.Table) -> np.ndarray:
        """The group of each row as a text, shape (rows,); `missing` where there is no value."""
        if self.column not in table.column_names:
            return np.full(table.num_rows, MISSING, dtype=object)
        column = table[self.column]
        if not self.edges:
            words = ["" if v is None else text(v) for v in column.to_pylist()]
            return np.array([word or MISSING for word in words], dtype=object)
        numbers = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        places = np.clip(np.searchsorted(self.edges, numbers, "right") - 1, 0, len(self.edges) - 2)
        names = np.array(
            [
                f"{low:g} to {high:g}" if low < high else f"{low:g}"
                for low, high in zip(self.edges, self.edges[1:], strict=False)
            ],
            dtype=object,
        )
        return np.where(np.isnan(numbers), MISSING, names[places])


@dataclass(frozen=True)
class Groups:
    """The groups of one column or intersection, and each row's place among them."""

    name: str
    """The column, or the columns of an intersection, as in `sex & race`."""
    values: tuple[str, ...]
    codes: np.ndarray
    """int64, shape (rows,)."""

    def only(self, rows: np.ndarray) -> Groups:
        """The same groups on some rows (a mask or positions)."""
        return Groups(self.name, self.values, self.codes[rows])


def axes(charter: Charter, table: pa.Table) -> tuple[Axis, ...]:
    """The sensitive columns as these rows have them."""
    return tuple(_axis(name, table[name]) for name in charter.fairness.sensitive)


def _axis(name: str, column: pa.ChunkedArray) -> Axis:
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if not numeric or pc.count_distinct(column).as_py() <= VALUES:
        return Axis(column=name)
    numbers = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return Axis(column=name, edges=_edges(numbers[np.isfinite(numbers)]))


def _edges(numbers: np.ndarray) -> tuple[float, ...]:
    """Groups as equal as the values let them be: one value that half of the rows have is a group of
    its own, and the others are shared out among the groups that are left."""
    values, counts = np.unique(numbers, return_counts=True)
    begins = [0]
    for groups in range(QUARTERS, 1, -1):
        within = np.cumsum(counts[begins[-1] :])
        begin = begins[-1] + max(1, int(np.searchsorted(within, within[-1] / groups, "right")))
        if begin == len(values):
            break
        begins.append(begin)
    return (*values[begins].tolist(), float(values[-1]))


def groups(charter: Charter, axes: Iterable[Axis], table: pa.Table) -> list[Groups]:
    """Every sensitive column and intersection of the charter, single columns first."""
    words = {axis.column: axis.values(table) for axis in axes}
    return [_groups(name, words) for name in charter.fairness.names]


def _groups(name: str, words: dict[str, np.ndarray]) -> Groups:
    columns = name.split(JOINED) if name not in words else [name]
    joined = words[columns[0]]
    for column in columns[1:]:
        joined = joined + JOINED + words[column]
    values, codes = np.unique(joined.astype(str), return_inverse=True)
    return Groups(name, tuple(map(str, values)), codes.astype(np.int64))
