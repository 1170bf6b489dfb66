"""How few random cuts set a row apart (Liu, Ting and Zhou, Isolation Forest, 2008)."""

from __future__ import annotations

import numpy as np

from tasks.detectors.base import Detector, Score

TREES = 100


def _fit(X: np.ndarray, seed: int) -> Score:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(X)
    return lambda rows: np.asarray(-forest.score_samples(rows), dtype=np.float64)


ISOLATION_FOREST = Detector("isolation_forest", _fit)
