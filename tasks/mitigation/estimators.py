"""The estimators that mitigations make of fitted ones; each answers the same for the same row.

Their nodes stand in `tasks/graph/mitigated.py`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, OneToOneFeatureMixin, TransformerMixin

TINY = 1e-9
EDGE = 1e-3
"""A moved probability stays this far from 0 and 1: it is never said for sure."""


class Erased(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A matrix from which no linear model can tell the groups: x - (x - mean) A.

    A projects, in whitened space, on the directions in which the groups' means differ (LEACE, 2023,
    theorem 4.3).
    """

    def fit(self, X: np.ndarray, members: np.ndarray) -> Self:
        """`members`: one column per group, 1 where the row belongs to it."""
        self.n_features_in_ = X.shape[1]
        self.mean_ = X.mean(axis=0)
        scale = X.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        whitened, back = _whitening((X - self.mean_) / scale)
        Z = members - members.mean(axis=0)
        crossed = whitened @ (((X - self.mean_) / scale).T @ Z / len(X))
        left, strength, _ = np.linalg.svd(crossed, full_matrices=False)
        kept = left[:, strength > TINY * max(1.0, strength.max(initial=0.0))]
        taken = back @ kept @ kept.T @ whitened
        self.taken_ = np.ascontiguousarray((scale[:, None] * taken / scale[None, :]).T)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Float64, shape unchanged."""
        return np.asarray(X - (X - self.mean_) @ self.taken_)


def _whitening(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square root of the inverse covariance and of the covariance, both symmetric."""
    values, vectors = np.linalg.eigh(X.T @ X / len(X))
    kept = values > TINY * values.max(initial=1.0)
    values, vectors = values[kept], vectors[:, kept]
    return (vectors / np.sqrt(values)) @ vectors.T, (vectors * np.sqrt(values)) @ vectors.T


class Mixture(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The mean of fitted classifiers' probabilities, by their shares; `constant` is what members
    that always answer positive add."""

    def __init__(self, members: list[Any], shares: list[float], constant: float = 0.0) -> None:
        self.members = members
        self.shares = shares
        self.constant = constant
        self.classes_ = np.array([0, 1])

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Its parts are fitted when it is made; scikit-learn's pipelines ask for the method."""
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows, 2)."""
        parts = [
            share * np.asarray(member.predict_proba(X), dtype=np.float64)[:, 1]
            for member, share in zip(self.members, self.shares, strict=True)
        ]
        positive = np.clip(self.constant + np.sum(parts, axis=0), 0.0, 1.0)
        return np.column_stack([1.0 - positive, positive])


class Adjusted(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose probability is moved by who the row probably belongs to.

    `helpers` tell the cell (group by answer) of a row: each knows those in `seen`, out of as many
    as there are `shifts`. The answer is p + offset + sum of chance times shift, held `EDGE` within 0 and 1.
    """

    def __init__(
        self,
        model: Any,
        helpers: list[Any],
        seen: list[list[int]],
        shifts: list[list[float]],
        offset: float = 0.0,
    ) -> None:
        self.model = model
        self.helpers = helpers
        self.seen = seen
        self.shifts = shifts
        self.offset = offset
        self.classes_ = np.array([0, 1])

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Its parts are fitted when it is made; scikit-learn's pipelines ask for the method."""
        return self

    def signals(self, X: np.ndarray) -> np.ndarray:
        """The probability, then the chance of every cell of each helper, side by side."""
        parts = [np.asarray(self.model.predict_proba(X), dtype=np.float64)[:, 1:]]
        for helper, seen, shifts in zip(self.helpers, self.seen, self.shifts, strict=True):
            every = np.zeros((len(X), len(shifts)))
            every[:, seen] = helper.predict_proba(X)
            parts.append(every)
        return np.concatenate(parts, axis=1)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows, 2)."""
        positive = moved(self.signals(X), np.concatenate(self.shifts), self.offset)
        return np.column_stack([1.0 - positive, positive])


def moved(signals: np.ndarray, shifts: np.ndarray, offset: float) -> np.ndarray:
    """The adjusted probability of each row."""
    found = signals[:, 0] + signals[:, 1:] @ shifts + offset
    return np.asarray(np.clip(found, EDGE, 1.0 - EDGE))
