"""The estimators of distillation: one model that learns what a mixture of models says, and the truth.

Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015. What is taught is
answered out of fold, within the rows of the fit: no row's own truth is in what its teacher says, and
rows outside of the fit have no part in it. The teacher is not kept. Nodes: `tasks/graph/blended.py`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from tasks.models.blended import learned
from tasks.models.threads import spread
from tasks.recipe.beside import sides

TRUST = 0.5
"""How much of what is learned the teacher says; the rest is the truth."""
FOLDS = 3
"""Parts of the rows that the teacher answers for, taught by the others."""
LITTLE = 0.01
"""A class with less than this probability is not taught."""


class Pupil(BaseEstimator):  # type: ignore[misc]
    """`model` is what learns and answers, from the second side of the matrix where it is `scaled`;
    `teacher` an unfitted blend or stack."""

    def __init__(self, model: Any, scaled: bool, teacher: Any, seed: int) -> None:
        self.model = model
        self.scaled = scaled
        self.teacher = teacher
        self.seed = seed

    def _mine(self, X: np.ndarray) -> np.ndarray:
        start, stop = self.side_
        return np.ascontiguousarray(X[:, start:stop])

    def _places(self, X: np.ndarray) -> None:
        side = sides(X)[self.scaled]
        self.side_ = [side.start, side.stop]

    def _parts(self, order: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Fit side and answered side, by turns through the rows in this order."""
        part = np.empty(len(order), dtype=int)
        part[order] = np.arange(len(order)) % FOLDS
        return [(np.flatnonzero(part != one), np.flatnonzero(part == one)) for one in range(FOLDS)]

    def _taught(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rows: np.ndarray
    ) -> Any:
        teacher = clone(self.teacher)
        return teacher.fit(X[rows], y[rows], None if weight is None else weight[rows])


class PupilClassifier(ClassifierMixin, Pupil):  # type: ignore[misc]
    """Learns each row once for each likely class, with its probability as weight."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self._places(X)
        self.classes_, labels = np.unique(y, return_inverse=True)
        wanted = TRUST * self._told(X, labels, sample_weight)
        wanted[np.arange(len(labels)), labels] += 1 - TRUST
        rows, classes = np.nonzero(wanted > LITTLE)
        weight = wanted[rows, classes] * (1.0 if sample_weight is None else sample_weight[rows])
        self.model_ = self._learned(self._mine(X)[rows], classes, weight)
        return self

    def _learned(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Any:
        """With weights as they are: together the rows weigh as much as they do without a teacher."""
        from sklearn.utils.validation import has_fit_parameter

        if not has_fit_parameter(self.model, "sample_weight"):
            return learned(self.model, X, y, weight)
        model = clone(self.model)
        spread(model, len(X))
        model.fit(X, y, sample_weight=weight)
        if getattr(model, "device", None) == "cuda":
            model.set_params(device="cpu")  # what is kept answers anywhere
        return model

    def _told(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """What the teacher says, shape (rows, classes); of each class as many rows in each part."""
        mixed = np.random.default_rng(self.seed).permutation(len(y))
        told = np.zeros((len(y), len(self.classes_)))
        for fitting, asked in self._parts(mixed[np.argsort(y[mixed], kind="stable")]):
            seen = np.unique(y[fitting])
            teacher = self._taught(X, np.searchsorted(seen, y), weight, fitting)
            told[np.ix_(asked, seen)] = teacher.predict_proba(X[asked])
        return told

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows, classes)."""
        return np.asarray(self.model_.predict_proba(self._mine(X)), dtype=np.float64)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class PupilRegressor(RegressorMixin, Pupil):  # type: ignore[misc]
    """Learns values between the truth and what the teacher says."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self._places(X)
        told = np.zeros(len(y))
        for fitting, asked in self._parts(np.random.default_rng(self.seed).permutation(len(y))):
            told[asked] = self._taught(X, y, sample_weight, fitting).predict(X[asked])
        wanted = TRUST * np.clip(told, y.min(), y.max()) + (1 - TRUST) * y
        self.model_ = learned(self.model, self._mine(X), wanted, sample_weight)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return np.asarray(self.model_.predict(self._mine(X)), dtype=np.float64).ravel()
