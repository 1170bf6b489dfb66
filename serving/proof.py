"""Whether answers are the golden ones: the same comparison when loading and when rehearsing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from charter import Refusal
from serving.golden import Golden
from serving.packing import pack_rows
from serving.predictor import Answers, Predictor
from serving.signature import Decision

TOLERANCE = 1e-5


def difference(wanted: Golden, found: Answers) -> float:
    """The largest difference of a probability, or of a value as a share of its size.

    Infinite where one side has no number, or another number of answers.
    """
    right, left = (
        _numbers(wanted),
        found.values if found.values is not None else found.probabilities,
    )
    if left is None or left.shape != right.shape:
        return float("inf")
    apart = np.abs(left - right)
    if wanted.values:
        # The median, since among golden rows are hostile ones whose values have no bounds.
        apart /= np.maximum(np.abs(right), float(np.median(np.abs(right))) or 1.0)
    return float(np.max(np.where(np.isfinite(apart), apart, np.inf), initial=0.0))


def other_labels(wanted: Golden, labels: Sequence[str], decision: Decision) -> int:
    """How many rows got another class, those left out that stand right at the boundary."""
    if not wanted.labels:
        return 0
    near = _margins(np.asarray(wanted.probabilities), decision) <= 2 * TOLERANCE
    pairs = zip(wanted.labels, labels, near.tolist(), strict=True)
    return sum(right != left and not edge for right, left, edge in pairs)


def prove(predictor: Predictor, wanted: Golden, where: str) -> None:
    """Refuse a model that does not give its golden answers in this process."""
    found = predictor.predict(pack_rows(predictor.signature, wanted.rows))
    worst = difference(wanted, found)
    others = other_labels(wanted, found.labels or (), predictor.decision)
    if worst > TOLERANCE or others:
        raise Refusal(
            where,
            f"found golden answers off by {worst:.2g}, {others} of them another class",
            f"wanted at most {TOLERANCE:g} and the same classes",
            "Package the model anew (`perennial train`) with the libraries that serve it.",
        )


def _numbers(wanted: Golden) -> np.ndarray:
    return np.asarray(wanted.values or wanted.probabilities, dtype=np.float64)


def _margins(probabilities: np.ndarray, decision: Decision) -> np.ndarray:
    """How far each row is from another decision."""
    if decision.threshold is not None:
        return np.abs(probabilities[:, 1] - decision.threshold)
    weighted = np.sort(probabilities * np.asarray(decision.weights or 1.0), axis=1)
    return np.asarray(weighted[:, -1] - weighted[:, -2])
