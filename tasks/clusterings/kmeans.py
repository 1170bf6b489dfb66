"""Groups around means (Lloyd, Least squares quantization in PCM, 1982), started by k-means++."""

from __future__ import annotations

import numpy as np

from tasks.clusterings.base import Clustering, Found, counts

STARTS = 5


def _fit(X: np.ndarray, groups: int, seed: int) -> Found | None:
    from sklearn.cluster import KMeans

    if len(np.unique(X, axis=0)) < groups:
        return None
    fitted = KMeans(groups, n_init=STARTS, random_state=seed).fit(X)
    return Found(groups, lambda rows: np.asarray(fitted.predict(rows), dtype=np.int64))


KMEANS = Clustering("kmeans", counts, False, _fit)
