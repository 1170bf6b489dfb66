"""Groups in words: by which columns each one differs from all other rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from tasks.finding.columns import Column, plain, texts
from tasks.pages.figures import number

MOST = 3
"""Columns that describe a group."""
LEAST = 0.5
"""Standard deviations apart (Cohen's d) below which a column tells nothing; for a category, half
as large a difference of shares."""


def described(
    columns: tuple[Column, ...], table: pa.Table, mine: np.ndarray, labels: Mapping[str, str]
) -> tuple[str, ...]:
    """What is typical of the rows that `mine` (bool) names, the clearest first.

    `labels` are the words for columns.
    """
    told = [
        _said(column, labels.get(column.name, column.name), table.column(column.name), mine)
        for column in columns
    ]
    clear = sorted((one for one in told if one[0] >= LEAST), key=lambda one: -one[0])
    if not clear:
        return (f"nothing that stands out: {max(told)[1]}",)
    return tuple(words for _, words in clear[:MOST])


def _said(
    column: Column, label: str, values: pa.ChunkedArray, mine: np.ndarray
) -> tuple[float, str]:
    """How clear, and in words."""
    if column.levels:
        return _category(column, label, values, mine)
    raw = plain(values)
    here, there = _mean(raw[mine]), _mean(raw[~mine])
    apart = abs(here - there) / column.spread
    way = "high" if here > there else "low"
    return apart, f"{label} {way} ({number(here)} against {number(there)})"


def _category(
    column: Column, label: str, values: pa.ChunkedArray, mine: np.ndarray
) -> tuple[float, str]:
    found = np.array(texts(values))
    ours, others = Counter(found[mine].tolist()), Counter(found[~mine].tolist())
    inside, outside = max(1, int(mine.sum())), max(1, int((~mine).sum()))
    gaps = {level: ours[level] / inside - others[level] / outside for level in column.levels}
    level = max(gaps, key=lambda one: gaps[one])
    share, other = ours[level] / inside, others[level] / outside
    return 2 * gaps[level], f"{label} {level} ({share:.0%} against {other:.0%})"


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0
