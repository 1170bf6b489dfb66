"""What the training rows say against a column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tasks.engineering.choice import Candidate

UNIQUE = 0.5
"""Share of different values from which a category names rows instead of sorting them."""
FEW = 20
MOMENTS = 10
"""Least number of different times from which it can be said that a number follows the time."""
AGAINST = 0.001
"""Share of the steps in time that may go the other way."""


def objections(
    candidates: tuple[Candidate, ...], X: pd.DataFrame, times: np.ndarray | None
) -> dict[str, str]:
    """Why columns of the packed training rows are no inputs; `times` where they order the rows."""
    found: dict[str, str] = {}
    seen: dict[int, str] = {}
    for candidate in candidates:
        column = X[candidate.name]
        why = _alone(candidate, column, times) or _double(column, X, seen)
        if why:
            found[candidate.name] = why
    return found


def _alone(candidate: Candidate, column: pd.Series, times: np.ndarray | None) -> str | None:
    missing = column.eq("") if candidate.kind == "text" else column.isna()
    distinct = column[~missing].nunique()
    if not distinct:
        return "missing in every training row"
    if distinct == 1 and not missing.any():
        return "the same in every training row"
    if candidate.declared:
        return None
    if candidate.kind == "text" and distinct > max(FEW, UNIQUE * (~missing).sum()):
        return (
            f"nearly every value stands alone ({distinct:,} levels); declare the role category in "
            "data.columns to use it all the same"
        )
    if candidate.kind == "number" and times is not None and follows(column.to_numpy(), times):
        return (
            "only moves one way as time goes on, so later rows lie outside of what training saw; "
            "declare the role number in data.columns to use it all the same"
        )
    return None


def _double(column: pd.Series, X: pd.DataFrame, seen: dict[int, str]) -> str | None:
    """Equal, row by row, to a column that stands before it; `seen` is written."""
    mark = int(pd.util.hash_pandas_object(column, index=False).sum())
    first = seen.setdefault(mark, str(column.name))
    if first != column.name and column.equals(X[first]):
        return f"the same as {first} in every training row"
    return None


def follows(values: np.ndarray, times: np.ndarray) -> bool:
    """Whether the values never fall, or never rise, from one moment to the next."""
    known = ~(np.isnan(values) | np.isnan(times))
    order = np.argsort(times[known], kind="stable")
    values, times = values[known][order], times[known][order]
    starts = np.flatnonzero(np.r_[len(times) > 0, times[1:] != times[:-1]])
    if len(starts) < MOMENTS:
        return False
    least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    allowed = AGAINST * (len(starts) - 1)
    falls, rises = (least[1:] < most[:-1]).sum(), (most[1:] > least[:-1]).sum()
    return bool(min(falls, rises) <= allowed)
