"""How far the people of a table hide in groups: k-anonymity, l-diversity, t-closeness.

A group are the rows that share every quasi-identifier; what is missing is a value like any other.

- k: the rows of the smallest group (Sweeney, k-anonymity, 2002).
- l: the fewest different values of a sensitive column in one group (Machanavajjhala et al.,
  l-diversity, 2007, distinct).
- t: the largest distance of a group's distribution from that of all rows (Li et al., t-closeness,
  2007): half of the L1 distance for categories, the ordered distance for numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from charter import Frozen
from tasks.validation.whole import quoted

SMALL = 5
"""Groups with fewer rows are counted where the charter asks for no k."""
BINS = 20
"""Numbers with more different values count as so many bins of equal size."""


class Closeness(Frozen):
    """What groups give away about one sensitive column."""

    column: str
    l: int  # noqa: E741  (its name in the literature)
    t: float


class Anonymity(Frozen):
    """How the rows of a table hide."""

    rows: int
    groups: int
    k: int
    asked: int
    small: int
    """Rows in groups of fewer than `asked` rows."""
    closeness: tuple[Closeness, ...] = ()


def anonymity(
    connection: Any, rows: str, quasi: tuple[str, ...], sensitive: tuple[str, ...], asked: int
) -> Anonymity:
    """Of the DuckDB table or view `rows`; one GROUP BY, and one more for each sensitive column."""
    keys = ", ".join(quoted(name) for name in quasi)
    count, groups, smallest, small = connection.execute(
        "SELECT coalesce(sum(n), 0), count(*), coalesce(min(n), 0), "
        f"coalesce(sum(n) FILTER (n < {asked}), 0) "
        f"FROM (SELECT count(*) AS n FROM {rows} GROUP BY {keys})"
    ).fetchall()[0]
    return Anonymity(
        rows=int(count), groups=groups, k=int(smallest), asked=asked, small=int(small),
        closeness=tuple(_closeness(connection, rows, keys, name) for name in sensitive),
    )  # fmt: skip


def _closeness(connection: Any, rows: str, keys: str, name: str) -> Closeness:
    value, ordered = _value(connection, rows, name)
    found = connection.execute(
        f"SELECT dense_rank() OVER (ORDER BY {keys}) - 1 AS place, "
        f"dense_rank() OVER (ORDER BY value) - 1 AS code, n FROM "
        f"(SELECT {keys}, {value} AS value, count(*) AS n FROM {rows} GROUP BY ALL)"
    ).fetchnumpy()
    place, code, n = (np.asarray(found[key]).astype(np.int64) for key in ("place", "code", "n"))
    if not len(n):
        return Closeness(column=name, l=0, t=0.0)
    fewest = int(np.bincount(place).min())
    far = _ordered if ordered else _equal
    return Closeness(column=name, l=fewest, t=float(far(place, code, n).max()))


def _equal(place: np.ndarray, code: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Half of the L1 distance of each group. Values that it lacks bring their whole share, which is
    1 less the shares of those that it has."""
    overall = np.bincount(code, n) / n.sum()
    inside = n / np.bincount(place, n)[place]
    apart = np.abs(inside - overall[code]) - overall[code]
    return (np.bincount(place, apart) + 1) / 2


def _ordered(place: np.ndarray, code: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Earth mover's distance of each group over ranks: the mean gap of the cumulative shares."""
    overall = np.bincount(code, n) / n.sum()
    shares = np.zeros((place.max() + 1, len(overall)))
    shares[place, code] = n / np.bincount(place, n)[place]
    gaps = np.abs(np.cumsum(shares - overall, axis=1))
    return np.asarray(gaps.sum(axis=1) / max(len(overall) - 1, 1))


def _value(connection: Any, rows: str, name: str) -> tuple[str, bool]:
    """The sensitive value in SQL, and whether its values have an order."""
    column = quoted(name)
    kind, distinct = connection.execute(
        f"SELECT any_value(typeof({column})), count(DISTINCT {column}) FROM {rows}"
    ).fetchall()[0]
    if kind not in _NUMBERS or distinct <= 2:
        return column, False
    if distinct <= BINS:
        return column, True
    edges = ", ".join(str(at / BINS) for at in range(1, BINS))
    (cuts,) = connection.execute(
        f"SELECT quantile_disc({column}, [{edges}]) FROM {rows}"
    ).fetchall()[0]
    inside = " + ".join(f"({column} > {cut})::INT" for cut in sorted(set(cuts)))
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE {inside} END", True


_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE")
