"""Which values are missing, and which are missing together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.exploration.columns import Content
from tasks.exploration.store import Store

MOST_COLUMNS = 60
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
