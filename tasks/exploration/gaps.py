"""Which values are missing together, in pairs of columns and in whole rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.exploration.columns import Content
from tasks.exploration.store import Store

MOST_COLUMNS = 60
"""Compared in pairs, and in a pattern, where each takes one bit."""
ALIKE = 0.95


@dataclass(frozen=True)
class Overlap:
    """Two columns whose values are missing in the same rows."""

    one: str
    other: str
    rows: int
    """Rows in which both are missing."""
    jaccard: float
    """Share of the rows with either missing in which both are (Jaccard, 1912)."""


def overlaps(store: Store, columns: Sequence[Content], always: str) -> list[Overlap]:
    """Every pair among the columns with the most gaps and the column `always`, strongest first."""
    gappy = sorted(
        (column for column in columns if column.missing),
        key=lambda column: (column.name != always, -column.missing),
    )[:MOST_COLUMNS]
    pairs = list(combinations(gappy, 2))
    if not pairs:
        return []
    both = store.one(
        "SELECT "
        + ", ".join(
            f"count(*) FILTER (WHERE {a.field.at} IS NULL AND {b.field.at} IS NULL)"
            for a, b in pairs
        )
        + " FROM data"
    )
    found = [
        Overlap(a.name, b.name, int(rows), rows / (a.missing + b.missing - rows))
        for (a, b), rows in zip(pairs, both, strict=True)
    ]
    return sorted(found, key=lambda overlap: -overlap.jaccard)


def together(found: Sequence[Overlap]) -> list[tuple[str, ...]]:
    """Groups of columns that are nearly always missing together (Jaccard of at least ALIKE)."""
    groups: list[set[str]] = []
    for overlap in found:
        if overlap.jaccard < ALIKE:
            continue
        pair = {overlap.one, overlap.other}
        joined = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair]
        groups.append(pair.union(*joined))
    return [tuple(sorted(group)) for group in groups]


@dataclass(frozen=True)
class Pattern:
    """Rows in which exactly these columns are missing."""

    columns: tuple[str, ...]
    rows: int


def patterns(store: Store, columns: Sequence[Content]) -> list[Pattern]:
    """Which columns are missing together, row by row; most rows first.

    Of the `MOST_COLUMNS` columns with the most gaps; rows without any are a pattern, too.
    """
    gappy = sorted((column for column in columns if column.missing), key=lambda c: -c.missing)
    gappy = gappy[:MOST_COLUMNS]
    if not gappy:
        return []
    flags = " + ".join(
        f"CAST({column.field.at} IS NULL AS BIGINT) * {1 << at}" for at, column in enumerate(gappy)
    )
    found = store.rows_of(
        f"SELECT {flags} AS flags, count(*) AS n FROM data GROUP BY flags ORDER BY n DESC, flags"
    )
    return [
        Pattern(tuple(c.name for at, c in enumerate(gappy) if flags >> at & 1), int(rows))
        for flags, rows in found
    ]
