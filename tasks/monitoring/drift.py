"""Which columns of a window have shifted, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from charter import Frozen
from charter.runtime import Drift
from tasks.monitoring.cells import Cells
from tasks.monitoring.null import DRAWS, Comparison, Null
from tasks.monitoring.reference import Counted, Counts
from tasks.monitoring.tally import Tally

LEAST = 100
"""Rows of a window that can be compared."""
WHOLE, SIDE = 0.8, 0.1
"""Parts of the false alarm rate of a column: for all of it, for what is missing, for unseen."""

Kind = Literal["input", "answer"]


class Finding(Frozen):
    """One column of the window against the reference."""

    name: str
    kind: Kind
    rows: int
    effect: float
    """Jensen-Shannon distance beyond what windows of this size and these days have, 0 to 1; of
    what is missing or unseen by itself where that is larger."""
    distance: float
    """Jensen-Shannon distance as it is."""
    usual: float
    """95 of 100 windows without drift are nearer than this distance."""
    p: float
    """How often a window without drift is at least as far away, in what matters most."""
    adjusted: float
    """The same, for having looked at all columns (Benjamini and Hochberg, 1995)."""
    missing: float
    missing_before: float
    unseen: float
    """Share of values that no row before the release had."""
    unseen_before: float
    """How often a new day brought such values before."""
    shifted: bool
    """Whether it is an alarm: no chance, and large enough to matter."""
    cells: tuple[str, ...]
    now: tuple[float, ...]
    """Share of rows per cell."""
    before: tuple[float, ...]


Pair = tuple[Counts, Tally, Kind]


def findings(pairs: Iterable[Pair], limit: Drift, *, draws: int = DRAWS) -> tuple[Finding, ...]:
    """Every column of windows with enough rows; the largest effect first."""
    seen = [
        (column, tally.of(column), kind, comparison)
        for counts, tally, kind in pairs
        if tally.rows >= LEAST
        for column, comparison in _compared(counts, tally, limit, draws)
    ]
    chances = adjusted([comparison.p for *_, comparison in seen])
    found = [_finding(*one, chance, limit) for one, chance in zip(seen, chances, strict=True)]
    return tuple(sorted(found, key=lambda finding: (-finding.shifted, -finding.effect)))


def adjusted(chances: Sequence[float]) -> list[float]:
    """p-values for having asked often: at most this share of what is found at it is false."""
    if not len(chances):
        return []
    order = np.argsort(chances)
    ranked = np.asarray(chances)[order] * len(chances) / np.arange(1, len(chances) + 1)
    found = np.empty(len(chances))
    found[order] = np.minimum(1.0, np.minimum.accumulate(ranked[::-1])[::-1])
    return [float(chance) for chance in found]


def _compared(
    counts: Counts, tally: Tally, limit: Drift, draws: int
) -> list[tuple[Counted, Comparison]]:
    matrices = [column.matrix for column in counts.columns]
    null = Null(matrices[0].sum(axis=1), tally.days, draws=draws)
    return [
        (column, _compare(null, column.cells, matrix, tally.of(column), limit))
        for column, matrix in zip(counts.columns, matrices, strict=True)
    ]


def _compare(
    null: Null, cells: Cells, before: np.ndarray, now: np.ndarray, limit: Drift
) -> Comparison:
    """The column as a whole, and by itself what is missing and what is unseen: where values
    differ from day to day, these would be lost among them. The chance is for having asked about
    all three (Bonferroni, weighted)."""
    whole = null.compare(before, now)
    sides = [list(places) for places in ((cells.missing,), cells.unseen) if places]
    told = [places for places in sides if before[:, places].any() or now[places].any()]
    found = [null.compare(_or(before, places), _or(now, places)) for places in told]
    asked = [(whole, WHOLE), *((one, SIDE) for one in found)]
    chances = [one.p / part for one, part in asked if one.effect >= limit.effect]
    return replace(
        whole,
        effect=max(one.effect for one, _ in asked),
        p=min(1.0, *(chances or [whole.p / WHOLE])),
    )


def _or(counts: np.ndarray, places: list[int]) -> np.ndarray:
    """Rows in these cells and rows in any other, shape (..., 2)."""
    inside = counts[..., places].sum(axis=-1)
    return np.stack([inside, counts.sum(axis=-1) - inside], axis=-1)


def _finding(
    column: Counted, now: np.ndarray, kind: Kind, found: Comparison, chance: float, limit: Drift
) -> Finding:
    cells, rows = column.cells, int(now.sum())
    shares, whole = now / rows, column.matrix.sum(axis=0)
    before = whole / whole.sum()
    unseen = list(cells.unseen)
    return Finding(
        name=column.title, kind=kind, rows=rows, effect=found.effect, distance=found.distance,
        usual=found.usual, p=found.p, adjusted=chance,
        missing=float(shares[cells.missing]), missing_before=float(before[cells.missing]),
        unseen=float(shares[unseen].sum()), unseen_before=float(before[unseen].sum()),
        shifted=chance <= limit.false_alarm_rate and found.effect >= limit.effect,
        cells=cells.names, now=tuple(shares.tolist()), before=tuple(before.tolist()),
    )  # fmt: skip
