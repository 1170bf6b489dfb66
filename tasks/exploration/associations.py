"""How strongly columns go together.

Two numbers: Spearman's rank correlation; two groupings: Cramér's V with the bias correction of
Bergsma (2013); a grouping and a number: the correlation ratio with the bias correction of Kelley
(1935). The signs are Spearman's; the others have none. Groupings and ratios are aggregates over
all rows; ranks come from all rows up to `SAMPLE`, else from that many drawn with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tasks.exploration.columns import Content
from tasks.exploration.store import Store, as_label, as_number, sampled

SAMPLE = 50_000
MOST_COLUMNS = 40
MOST_LEVELS = 1_000
"""A grouping into more levels goes with everything and is left out."""
REDUNDANT = 0.95
Array = np.ndarray


@dataclass(frozen=True)
class Association:
    """One pair of columns."""

    one: str
    other: str
    measure: str
    value: float
    pearson: float | None = None
    """For two numbers, over all rows."""


@dataclass(frozen=True)
class Associations:
    """Every pair of the columns that can be compared, strongest first."""

    columns: tuple[str, ...]
    pairs: tuple[Association, ...]
    ranked_rows: int
    """Rows that the ranks were made from."""

    @property
    def redundant(self) -> list[Association]:
        return [pair for pair in self.pairs if abs(pair.value) >= REDUNDANT]


def associations(store: Store, columns: Sequence[Content]) -> Associations:
    """All pairs among the first `MOST_COLUMNS` columns given that are comparable."""
    fit = [column for column in columns if _comparable(column)][:MOST_COLUMNS]
    numbers = [column for column in fit if column.ordered]
    groups = [column for column in fit if not column.ordered]
    ranked, rows = _numbers(store, numbers)
    pairs = [*ranked, *_groupings(store, groups), *_mixed(store, groups, numbers)]
    ordered = sorted(pairs, key=lambda pair: (-abs(pair.value), pair.one, pair.other))
    return Associations(tuple(column.name for column in fit), tuple(ordered), rows)


def _comparable(column: Content) -> bool:
    if column.distinct < 2:
        return False
    return column.ordered or (column.grouped and column.distinct <= MOST_LEVELS)


def _numbers(store: Store, columns: Sequence[Content]) -> tuple[list[Association], int]:
    pairs = list(combinations(range(len(columns)), 2))
    if not pairs:
        return [], min(store.rows, SAMPLE)
    where = "" if store.rows <= SAMPLE else f" WHERE {sampled(SAMPLE / store.rows)}"
    picked = ", ".join(as_number(column.field) + f" AS {column.field.at}" for column in columns)
    table = store.arrow(f"SELECT {picked} FROM data{where}")
    values = [column.to_numpy(zero_copy_only=False) for column in table.columns]
    pearson = _pearson(store, columns, pairs)
    found = []
    for (a, b), rho, plain in zip(pairs, _spearman(values, pairs), pearson, strict=True):
        if rho is not None:
            found.append(Association(columns[a].name, columns[b].name, "Spearman", rho, plain))
    return found, table.num_rows


def _spearman(values: Sequence[Array], pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    """Over the rows where both have a value; pairs with the same gaps are computed at once."""
    masks = [~np.isnan(column) for column in values]
    alike: dict[bytes, list[tuple[int, int]]] = {}
    for a, b in pairs:
        alike.setdefault(np.packbits(masks[a] & masks[b]).tobytes(), []).append((a, b))
    found: dict[tuple[int, int], float | None] = {}
    for group in alike.values():
        both = masks[group[0][0]] & masks[group[0][1]]
        members = sorted({at for pair in group for at in pair})
        matrix = np.column_stack([_standard(ranks(values[at][both])) for at in members])
        products = matrix.T @ matrix
        for a, b in group:
            rho = float(products[members.index(a), members.index(b)])
            found[a, b] = rho if both.sum() >= 3 and np.isfinite(rho) else None
    return [found[pair] for pair in pairs]


def ranks(values: Array) -> Array:
    """Ranks from 1, equal values share their mean rank."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[group])


def _standard(values: Array) -> Array:
    """Mean 0 and length 1; NaN where the values do not vary."""
    moved = values - (values.mean() if len(values) else 0.0)
    size = float(np.sqrt(np.square(moved).sum()))
    return np.asarray(moved / size if size > 0 else np.full(len(values), np.nan))


def _pearson(
    store: Store, columns: Sequence[Content], pairs: Sequence[tuple[int, int]]
) -> list[float | None]:
    import duckdb

    names = [as_number(column.field) for column in columns]
    wanted = ", ".join(f"corr({names[a]}, {names[b]})" for a, b in pairs)
    try:
        found = store.one(f"SELECT {wanted} FROM data")
    except duckdb.OutOfRangeException:  # values so large that their squares are not numbers
        return [None] * len(pairs)
    return [None if value is None or not np.isfinite(value) else float(value) for value in found]


def _groupings(store: Store, columns: Sequence[Content]) -> Iterator[Association]:
    for a, b in combinations(columns, 2):
        found = store.arrow(
            f"SELECT {as_label(a.field)} AS x, {as_label(b.field)} AS y, count(*) AS n FROM data "
            f"WHERE {a.field.at} IS NOT NULL AND {b.field.at} IS NOT NULL GROUP BY x, y"
        )
        x, y = (
            np.asarray(found[side].combine_chunks().dictionary_encode().indices) for side in "xy"
        )
        value = cramers_v(x, y, found["n"].to_numpy())
        if value is not None:
            yield Association(a.name, b.name, "Cramér's V", value)


def cramers_v(x: Array, y: Array, counts: Array) -> float | None:
    """Bias-corrected V (Bergsma, A bias-correction for Cramér's V and Tschuprow's T, 2013).

    `x` and `y` are the positions of the levels of each counted cell, from 0.
    """
    n = float(counts.sum())
    if n < 2:
        return None
    rows, columns = np.bincount(x, counts), np.bincount(y, counts)
    phi = float((counts / rows[x] * (counts / columns[y])).sum()) - 1
    r, k = len(rows), len(columns)
    corrected = max(0.0, phi - (k - 1) * (r - 1) / (n - 1))
    rest = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    return min(1.0, (corrected / rest) ** 0.5) if rest > 0 else None


def _mixed(
    store: Store, groups: Sequence[Content], numbers: Sequence[Content]
) -> Iterator[Association]:
    usable = [number for number in numbers if number.mean is not None]
    for group in groups if usable else ():
        parts = []
        for number in usable:
            value = f"({as_number(number.field)} - {number.mean!r})"
            parts += [f"count({value})", f"sum({value})", f"sum({value} * {value})"]
        found = store.rows_of(
            f"SELECT {', '.join(parts)} FROM data WHERE {group.field.at} IS NOT NULL "
            f"GROUP BY {as_label(group.field)}"
        )
        sums = np.array(found, dtype=float)
        for at, number in enumerate(usable):
            ratio = correlation_ratio(*sums[:, 3 * at : 3 * at + 3].T)
            if ratio is not None:
                yield Association(group.name, number.name, "correlation ratio", ratio)


def correlation_ratio(counts: Array, sums: Array, squares: Array) -> float | None:
    """The root of epsilon squared (Kelley, An unbiased correlation ratio measure, 1935).

    Count, sum and sum of squares of the number per group.
    """
    held = counts > 0
    counts, sums, squares = counts[held], sums[held], squares[held]
    n, k = counts.sum(), len(counts)
    total = squares.sum() - sums.sum() ** 2 / n if n else 0.0
    if n <= k or total <= 0:
        return None
    within = squares.sum() - (sums**2 / counts).sum()
    return float(max(0.0, 1 - within / total * (n - 1) / (n - k)) ** 0.5)
