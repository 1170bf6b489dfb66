"""Dense regions of any shape (Campello, Moulavi and Sander, 2013).

It sorts only the rows that it was fitted on and leaves out what is sparse, so there is a rule for
every other row: the group that most of its nearest neighbours in dense regions belong to.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tasks.clusterings.base import Clustering, Found

SHARES = (0.02, 0.05, 0.1)
"""Smallest groups that are tried, as shares of the rows."""
SMALLEST = 5
NEIGHBOURS = 5


def _settings(rows: int, least: int, most: int) -> Iterable[int]:
    return sorted({max(SMALLEST, round(share * rows)) for share in SHARES})


def _fit(X: np.ndarray, smallest: int, seed: int) -> Found | None:
    from sklearn.cluster import HDBSCAN as DENSE
    from sklearn.neighbors import KNeighborsClassifier

    if smallest >= len(X):
        return None
    labels = DENSE(min_cluster_size=smallest, copy=True).fit_predict(X)
    dense = labels >= 0
    groups = int(labels.max()) + 1
    if groups < 2 or dense.sum() < NEIGHBOURS:
        return None
    rule = KNeighborsClassifier(NEIGHBOURS).fit(X[dense], labels[dense])
    return Found(groups, lambda rows: np.asarray(rule.predict(rows), dtype=np.int64))


HDBSCAN = Clustering("hdbscan", _settings, True, _fit)
