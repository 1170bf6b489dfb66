"""What each column holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from charter import Charter
from tasks.exploration.roles import role_of
from tasks.exploration.store import Field, Store, as_label, as_number, finite

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LEVELS = 64
BINS = 30


@dataclass(frozen=True)
class Histogram:
    """Rows per bin; `outside` rows lie beyond the first and last edge."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    outside: int


@dataclass(frozen=True)
class Content:
    """One column; the fields are those of `tasks.explore.ColumnProfile`."""

    field: Field
    role: str
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    levels: tuple[tuple[str, int], ...] = ()
    histogram: Histogram | None = None

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def ordered(self) -> bool:
        """Whether its values have an order and a distance."""
        return self.field.kind in ("number", "time") and self.role in ("number", "time", "flag")

    @property
    def grouped(self) -> bool:
        """Whether its values are names of groups."""
        return not self.ordered and self.role in ("category", "flag", "number")


def contents(charter: Charter, store: Store) -> Iterator[Content]:
    """Every column of the table, in its order."""
    for part in store.parts():
        for field in part.fields:
            numeric = field.kind in ("number", "time")
            yield _numbers(charter, part, field) if numeric else _names(charter, part, field)


def _numbers(charter: Charter, store: Store, field: Field) -> Content:
    value = as_number(field)
    filled, distinct, low, high = store.one(
        f"SELECT count({field.at}), count(DISTINCT {field.at}), min({value}), max({value}) "
        f"FROM {store.source}"
    )
    # Of the rows of the table, this share is looked at; a count through all has as many gaps.
    through = (
        bool(field.whole and filled) and filled * len(store.held) >= (high - low + 1) * store.rows
    )
    role = role_of(charter, field, filled, distinct, 0.0, through)
    mean, std = _moments(store, value)
    quantiles = _quantiles(store, field) if filled else ()
    return Content(
        field,
        role,
        store.rows - filled,
        distinct,
        low,
        high,
        mean,
        std,
        quantiles,
        _levels(store, field) if role in ("category", "flag") else (),
        _histogram(store, field, (low, high), quantiles, filled, distinct) if filled else None,
    )


def _names(charter: Charter, store: Store, field: Field) -> Content:
    filled, distinct = store.one(
        f"SELECT count({field.at}), count(DISTINCT {field.at}) FROM {store.source}"
    )
    words, mean = 0.0, None
    if field.kind == "flag":
        mean = store.one(f"SELECT avg({as_number(field)}) FROM {store.source}")[0]
    elif filled:
        counted = f"1 + length(trim({field.at})) - length(replace(trim({field.at}), ' ', ''))"
        words = float(store.one(f"SELECT avg({counted}) FROM {store.source}")[0])
    role = role_of(charter, field, filled, distinct, words)
    return Content(
        field,
        role,
        store.rows - filled,
        distinct,
        mean=mean,
        levels=() if role in ("identifier", "text") else _levels(store, field),
    )


def _moments(store: Store, value: str) -> tuple[float | None, float | None]:
    try:
        mean, std = finite(
            store.one(f"SELECT avg({value}), stddev_samp({value}) FROM {store.source}")
        )
    except duckdb.OutOfRangeException:  # values so large that their squares are not numbers
        return None, None
    return mean, std


def _quantiles(store: Store, field: Field) -> tuple[float, ...]:
    (found,) = store.one(
        f"SELECT quantile_cont({as_number(field)}, {list(QUANTILES)}) FROM {store.source}"
    )
    return tuple(float(value) for value in found)


def _levels(store: Store, field: Field) -> tuple[tuple[str, int], ...]:
    found = store.rows_of(
        f"SELECT {as_label(field)} AS level, count(*) AS n FROM {store.source} WHERE {field.at} IS NOT NULL "
        f"GROUP BY level ORDER BY n DESC, level LIMIT {LEVELS}"
    )
    return tuple((str(level), int(n)) for level, n in found)


def _histogram(
    store: Store,
    field: Field,
    ends: tuple[float, float],
    quantiles: tuple[float, ...],
    filled: int,
    distinct: int,
) -> Histogram | None:
    """Bins of equal width; where few far values would squeeze the rest, between 1 % and 99 %."""
    if distinct < 2:
        return None
    low, high = ends
    if quantiles[-1] > quantiles[0] and high - low > 3 * (quantiles[-1] - quantiles[0]):
        low, high = quantiles[0], quantiles[-1]
    bins, width = BINS, (high - low) / BINS
    if field.whole and field.kind == "number" and high - low < 2 * BINS:
        low, high = low - 0.5, high + 0.5
        bins, width = max(2, round(high - low)), 1.0
        high = low + bins
    if not width > 0 or low + width == low:
        return None
    value = as_number(field)
    at = f"least({bins - 1}, CAST(floor(({value} - {low!r}) / {width!r}) AS INTEGER))"
    found = store.rows_of(
        f"SELECT {at} AS bin, count(*) FROM {store.source} "
        f"WHERE {value} BETWEEN {low!r} AND {high!r} GROUP BY bin"
    )
    counts = [0] * bins
    for place, rows in found:
        counts[max(0, place)] += rows
    edges = tuple(low + width * at for at in range(bins + 1))
    return Histogram(edges, tuple(counts), filled - sum(counts))
