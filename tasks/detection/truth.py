"""What a column of known truth says of the odd rows that were found."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Refusal
from tasks.exploration.target import affirmative


class Truth(Frozen):
    """What `anomalies.known` says of the odd rows; it decides nothing."""

    column: str
    rows: int
    """Rows looked at that say it."""
    odd: int
    roc_auc: float
    average_precision: float
    found: float
    """Share of the known odd rows that are called odd."""
    right: float
    """Share of the rows called odd that are known to be."""


def truth(charter: Charter, rows: pa.Table, score: np.ndarray, odd: np.ndarray) -> Truth | None:
    """Over the rows that say it; None where the charter names no such column."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if not charter.goal.target.known:
        return None
    (name,) = charter.goal.target.known
    there, known = _two(name, rows.column(name))
    mine, values, flags = known[there], score[there], odd[there]
    return Truth(
        column=name, rows=int(there.sum()), odd=int(mine.sum()),
        roc_auc=float(roc_auc_score(mine, values)),
        average_precision=float(average_precision_score(mine, values)),
        found=float(flags[mine].mean()), right=float(mine[flags].mean()) if flags.any() else 0.0,
    )  # fmt: skip


def _two(name: str, values: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Where the column says something, and where it says odd: its affirmative or rarer value."""
    there = np.asarray(values.is_valid())
    said = np.array([str(one).lower() for one in values.to_pylist()])
    levels, counts = np.unique(said[there], return_counts=True)
    if len(levels) != 2:
        raise Refusal(
            "charter.goal.target.anomalies.known",
            f"found {len(levels):,} different values in {name}", "wanted two",
            "Name a column that says of each row whether it is odd, or derive one in the source.",
        )  # fmt: skip
    counted = dict(zip(levels.tolist(), counts.tolist(), strict=True))
    return there, said == affirmative(counted)
