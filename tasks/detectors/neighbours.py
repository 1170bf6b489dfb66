"""How far the nearest rows are (Ramaswamy, Rastogi and Shim, 2000): the distance to the tenth."""

from __future__ import annotations

import numpy as np

from tasks.detectors.base import Detector, Score

NEIGHBOURS = 10
MOST = 4_000
"""Rows that are remembered."""


def _fit(X: np.ndarray, seed: int) -> Score:
    from sklearn.neighbors import NearestNeighbors

    kept = np.sort(np.random.default_rng(seed).permutation(len(X))[:MOST])
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept))).fit(X[kept])
    return lambda rows: np.asarray(near.kneighbors(rows)[0][:, -1], dtype=np.float64)


NEAREST = Detector("neighbours", _fit)
