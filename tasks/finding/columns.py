"""By what rows are alike: the columns, and rows as numbers of about the same weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Refusal
from charter.evaluation import ByGroup, ByValue
from charter.sought import Sought
from tasks.nearest import suggestion
from tasks.protection.found import decided

LEVELS = 20
"""Most values of a text that is a category."""
WIDE = 50
"""Numbers per row above which principal components stand for them."""
COMPONENTS = 20


@dataclass(frozen=True)
class Column:
    """One column, and what was learned of it from drawn rows."""

    name: str
    levels: tuple[str, ...] = ()
    """Of a category, in order; none for a number."""
    middle: float = 0.0
    """Median, which stands for what is missing."""
    mean: float = 0.0
    spread: float = 1.0

    def numbers(self, values: pa.ChunkedArray) -> np.ndarray:
        """Shape (rows, 1), or (rows, levels): a category has together the weight of a number."""
        if self.levels:
            found = np.array(texts(values))[:, None] == np.array(self.levels)[None, :]
            return np.asarray((found - 1 / len(self.levels)) / np.sqrt(2), dtype=np.float64)
        raw = plain(values)
        filled = np.where(np.isfinite(raw), raw, self.middle)
        return np.asarray(((filled - self.mean) / self.spread)[:, None])


@dataclass(frozen=True)
class Preparation:
    """Turns rows of the table into numbers."""

    columns: tuple[Column, ...]
    axes: np.ndarray | None = None
    """Principal components, shape (numbers, components), where there are many columns."""

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where the numbers of each column start and end, in rows without principal components."""
        ends = np.cumsum([len(column.levels) or 1 for column in self.columns]).tolist()
        return list(pairwise([0, *ends]))

    def rows(self, table: pa.Table) -> np.ndarray:
        """Shape (rows, numbers), float64, without gaps."""
        X = np.hstack([column.numbers(table.column(column.name)) for column in self.columns])
        return X if self.axes is None else X @ self.axes


def names(charter: Charter, schema: pa.Schema) -> list[str]:
    """The columns that may be inputs; those that the charter lists, where it does."""
    sought = _sought(charter)
    listed = sought.columns
    for name in listed:
        if name not in schema.names:
            raise Refusal(
                f"charter.{sought.where}.columns", f"found no column {name}",
                "wanted columns of the table", suggestion(name, schema.names),
            )  # fmt: skip
    key = charter.data.key
    barred = {
        charter.goal.target.column, *charter.goal.target.known, *(key if len(key) == 1 else ()), *charter.data.known_later,
        *charter.privacy.barred, *charter.features.drop, *decided(charter.name),
    }  # fmt: skip
    if not charter.fairness.at_prediction:
        barred |= set(charter.fairness.sensitive)
    roles = {name: said.role for name, said in charter.data.columns.items()}
    barred |= {
        name for name, role in roles.items() if role in ("identifier", "ignore", "time", "text")
    }
    if isinstance(charter.split, ByGroup | ByValue):
        barred.add(charter.split.column)
    if useless := [name for name in listed if name in barred]:
        raise _useless(sought, useless, "another clause keeps them out of the model")
    return [name for name in (listed or schema.names) if name not in barred]


def _sought(charter: Charter) -> Sought:
    sought = charter.goal.target.sought
    assert sought is not None
    return sought


def _useless(sought: Sought, names: list[str], why: str) -> Refusal:
    return Refusal(
        f"charter.{sought.where}.columns", f"found {', '.join(names)}: {why}",
        f"wanted numbers that vary, flags, or categories of at most {LEVELS} values that may be inputs",
        "Take them out, or change what keeps them out.",
    )  # fmt: skip


def prepared(charter: Charter, table: pa.Table, *, fewer: bool) -> Preparation:
    """Learned from these rows; refused where no column tells rows apart.

    With `fewer`, principal components stand for many columns.
    """
    sought = _sought(charter)
    roles = {name: said.role for name, said in charter.data.columns.items()}
    columns = [
        column
        for name in table.column_names
        for column in _column(name, table.column(name), roles.get(name) == "category")
    ]
    if not columns:
        raise Refusal(
            f"charter.{sought.where}",
            "found no column that tells rows apart: none is a number that varies, a flag, or a "
            f"category of at most {LEVELS} values",
            "wanted at least one",
            f"Look at features.drop, data.columns and {sought.clause}.columns.",
        )
    found = Preparation(tuple(columns))
    if useless := [name for name in sought.columns if name not in found.names]:
        raise _useless(sought, useless, "they do not tell rows apart")
    X = found.rows(table)
    if not fewer or X.shape[1] <= WIDE:
        return found
    _, _, axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    return Preparation(found.columns, axes[:COMPONENTS].T)


def plain(values: pa.ChunkedArray) -> np.ndarray:
    """Numbers and flags as float64; what is missing is NaN."""
    cast = pc.cast(values, pa.float64(), safe=False)
    return np.asarray(cast.to_numpy(), dtype=np.float64)


def _column(name: str, values: pa.ChunkedArray, category: bool) -> Iterator[Column]:
    kind = values.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if category or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        levels = sorted(set(texts(values)))
        if 2 <= len(levels) <= LEVELS:
            yield Column(name, tuple(levels))
        return
    if not number:
        return
    raw = plain(values)
    known = raw[np.isfinite(raw)]
    if pa.types.is_integer(kind) and len(np.unique(known)) == len(values):
        return  # numbers the rows
    if len(known) and known.std() > 0:
        filled = np.where(np.isfinite(raw), raw, np.median(known))
        spread = float(filled.std())
        yield Column(name, (), float(np.median(known)), float(filled.mean()), spread or 1.0)


def texts(values: pa.ChunkedArray) -> list[str]:
    return [str(one) for one in pc.fill_null(values.cast(pa.string()), "missing").to_pylist()]
