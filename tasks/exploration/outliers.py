"""Values far from all others, and codes among them that may stand for a missing value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tasks.exploration.columns import Content
from tasks.exploration.store import Store

FAR = 3.0
"""Interquartile ranges beyond the quartiles: "far out" (Tukey, Exploratory Data Analysis, 1977)."""
TAIL = 0.01
"""From this share on, the column has a long tail, and none of its values stands out."""
CODE_ROWS = 5
"""Fewest rows with one and the same value that may be a code."""


@dataclass(frozen=True)
class Outliers:
    """The far values of one column; counted over all rows outside of the holdout."""

    column: str
    filled: int
    """Rows with a value."""
    low_fence: float
    high_fence: float
    below: int
    above: int
    lowest: float
    highest: float
    code: float | None = None
    """An extreme value that stands there again and again, as codes for missing values do."""
    code_rows: int = 0
    """Exact unless a sample was drawn."""

    @property
    def share(self) -> float:
        return (self.below + self.above) / self.filled

    @property
    def tail(self) -> bool:
        return self.share >= TAIL and self.code is None


def outliers(store: Store, columns: Sequence[Content]) -> list[Outliers]:
    """The columns with values beyond their fences, most suspicious first: codes, then the rarest.

    A column where more than half of the rows share a value has no fences, and is left out.
    """
    fenced = {c.field: (c, *fences) for c in columns if (fences := _fences(c))}
    found: list[Outliers] = []
    for part in store.parts():
        found += _far(part, [fenced[field] for field in part.fields if field in fenced])
    return sorted(found, key=lambda far: (far.code is None, far.tail, far.share, far.column))


def _far(store: Store, fenced: Sequence[tuple[Content, float, float]]) -> Iterator[Outliers]:
    if not fenced:
        return
    with store.everything([column.field for column, *_ in fenced]) as rows:
        counts = store.one(f"SELECT {', '.join(_counts(fenced))} FROM {rows}")
    for at, (column, low, high) in enumerate(fenced):
        filled, below, above, lowest, highest = counts[5 * at : 5 * at + 5]
        if below or above:
            far = Outliers(column.name, filled, low, high, below, above, lowest, highest)
            yield _coded(store, column, far)


def _fences(column: Content) -> tuple[float, float] | None:
    if column.field.kind != "number" or not column.ordered or not column.quantiles:
        return None
    first, third = column.quantiles[2], column.quantiles[4]
    room = FAR * (third - first)
    return (first - room, third + room) if room > 0 else None


def _counts(fenced: Sequence[tuple[Content, float, float]]) -> Iterator[str]:
    for column, low, high in fenced:
        at = column.field.at
        yield f"count({at})"
        yield f"count(*) FILTER (WHERE {at} < {low!r})"
        yield f"count(*) FILTER (WHERE {at} > {high!r})"
        yield f"CAST(min({at}) AS DOUBLE)"
        yield f"CAST(max({at}) AS DOUBLE)"


def _coded(store: Store, column: Content, far: Outliers) -> Outliers:
    """With the value that may be a code: the outermost one, where it stands apart from all others
    by more than the usual range is wide, and again and again."""
    at, width = column.field.at, far.high_fence - far.low_fence
    for value, rows, sign, next_one in (
        (far.highest, far.above, "<", "max"),
        (far.lowest, far.below, ">", "min"),
    ):
        if not rows:
            continue
        same, beside = store.one(
            f"SELECT count(*) FILTER (WHERE {at} = {value!r}), "
            f"{next_one}({at}) FILTER (WHERE {at} {sign} {value!r}) FROM {store.source}"
        )
        if same >= CODE_ROWS and beside is not None and abs(value - beside) > width:
            return replace(far, code=value, code_rows=round(same * store.outside / store.rows))
    return far
