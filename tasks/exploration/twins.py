"""Rows that stand there twice, and rows that differ in nothing that a model could see.

Of each row only two fingerprints are compared: one of all its values, and one of its inputs, with
texts folded and numbers rounded. Of the rows of the holdout nothing else is read, and what comes
out of it is one count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.exploration.columns import Content
from tasks.exploration.store import Field, Store
from tasks.exploration.target import Truth

GRID = 1_000
"""Numbers with decimals are rounded to this part of their standard deviation."""


@dataclass(frozen=True)
class Twins:
    """Counted over all rows; those of the holdout only in `held` and `shared`."""

    rows: int
    """Rows outside of the holdout."""
    repeats: int
    """Rows that have every value of an earlier one."""
    inputs: tuple[str, ...]
    """What twins have in common."""
    kinds: int
    """Different rows, as far as the inputs go."""
    alike: int
    """Rows that have a twin outside of the holdout."""
    differing: int
    """Rows with a twin that has another target."""
    held: int
    """Labelled rows of the holdout."""
    shared: int
    """Those of them with a twin among the labelled rows outside."""

    @property
    def shared_share(self) -> float:
        return self.shared / self.held if self.held else 0.0


def twins(store: Store, truth: Truth, inputs: Sequence[Content]) -> Twins:
    """Compare every row with every other by way of their fingerprints (64 bits each)."""
    _prints(store, truth, inputs)
    names = tuple(content.name for content in inputs)
    rows, repeats = store.one(
        "SELECT count(*), count(*) - count(DISTINCT whole) FROM prints WHERE NOT held"
    )
    if not inputs:
        return Twins(rows, repeats, names, rows, 0, 0, 0, 0)
    kinds, alike, differing = store.one(
        "SELECT count(*), coalesce(sum(n) FILTER (WHERE n > 1), 0), "
        "coalesce(sum(n) FILTER (WHERE least < most), 0) FROM (SELECT count(*) AS n, "
        "min(answer) AS least, max(answer) AS most FROM prints WHERE NOT held GROUP BY print)"
    )
    held, shared = store.one(
        "SELECT count(*), count(*) FILTER (WHERE print IN "
        "(SELECT print FROM prints WHERE NOT held AND answer IS NOT NULL)) "
        "FROM prints WHERE held AND answer IS NOT NULL"
    )
    counts = map(int, (kinds, alike, differing, held, shared))
    return Twins(rows, repeats, names, *counts)


def _prints(store: Store, truth: Truth, inputs: Sequence[Content]) -> None:
    """The fingerprints of every row; `answer` is one, too, so that no value leaves its row."""
    every = ", ".join(field.at for field in store.fields)
    seen = ", ".join(map(_folded, inputs)) or "NULL"
    with store.passing(store.fields) as rows:
        store.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE prints AS SELECT hash({every}) AS whole, "
            f"hash({seen}) AS print, held, {_answer(truth.field)} AS answer FROM {rows}"
        )


def _answer(field: Field) -> str:
    return f"CASE WHEN {field.at} IS NOT NULL THEN hash({field.at}) END"


def _folded(content: Content) -> str:
    """SQL for the value without what copies are often changed in."""
    at, kind = content.field.at, content.field.kind
    if kind == "text":
        return f"lower(trim({at}))"
    if kind == "number" and not content.field.whole and content.std:
        return f"round({at} / {content.std / GRID!r})"
    return at
