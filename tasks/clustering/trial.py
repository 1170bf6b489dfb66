"""Every family with every setting on the same rows, judged on rows that none was fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from charter.clusters import Clusters
from tasks.clusterings import CLUSTERINGS, Clustering, Found

DRAWS = 6
SHARE = 0.8
"""Draws of the rows that groups are found in again, and how much of the rows each one has."""
SMALLEST = 0.02
"""Share of the rows that the smallest group has to have …"""
FEWEST = 10
"""… and rows, so that each stands on both sides of every split."""
ALIKE = 0.01
"""A silhouette that is better by less is no better."""


@dataclass(frozen=True)
class Tried:
    """One family with one setting."""

    clustering: Clustering
    setting: int
    found: Found
    silhouette: float
    """Mean over the judging rows (Rousseeuw, 1987): 1 well apart, 0 on the border."""
    davies_bouldin: float
    """Davies and Bouldin, 1979: smaller is better."""
    stability: float
    """Mean adjusted Rand index between groups found in other draws (after Ben-Hur et al., 2002)."""

    @property
    def same(self) -> tuple[object, ...]:
        """What tells it from other attempts."""
        return self.clustering.name, self.found.groups, self.silhouette, self.davies_bouldin


def trials(clusters: Clusters, fit: np.ndarray, judge: np.ndarray, seed: int) -> list[Tried]:
    """What gave groups of a fit number and size, simplest families and fewest groups first."""
    families = [
        one for one in CLUSTERINGS if clusters.families == "auto" or one.name in clusters.families
    ]
    made = [
        _tried(family, setting, clusters, fit, judge, seed)
        for family in families
        for setting in family.settings(len(fit), clusters.least, clusters.most)
    ]
    # Settings that come to the same groups are one attempt.
    return list({one.same: one for one in reversed(made) if one is not None}.values())[::-1]


def best(clusters: Clusters, tried: list[Tried]) -> Tried | None:
    """The largest silhouette among what is stable enough; of those alike, the first."""
    stable = [one for one in tried if one.stability >= clusters.stability] or tried
    if not stable:
        return None
    top = max(one.silhouette for one in stable)
    return next(one for one in stable if one.silhouette >= top - ALIKE)


def _tried(
    family: Clustering, setting: int, clusters: Clusters, fit: np.ndarray, judge: np.ndarray,
    seed: int,
) -> Tried | None:  # fmt: skip
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    found = family.fit(fit, setting, seed)
    if found is None or not clusters.least <= found.groups <= clusters.most:
        return None
    sizes = np.bincount(found.assign(fit), minlength=found.groups)
    labels = found.assign(judge)
    if sizes.min() < max(FEWEST, SMALLEST * len(fit)) or len(np.unique(labels)) < found.groups:
        return None
    return Tried(
        family, setting, found, float(silhouette_score(judge, labels)),
        float(davies_bouldin_score(judge, labels)), _stability(family, setting, fit, judge, seed),
    )  # fmt: skip


def _stability(
    family: Clustering, setting: int, fit: np.ndarray, judge: np.ndarray, seed: int
) -> float:
    from sklearn.metrics import adjusted_rand_score

    said: list[np.ndarray | None] = []
    smaller = max(2, round(SHARE * setting)) if family.counts_rows else setting
    for draw in range(DRAWS):
        order = np.random.default_rng([seed, draw]).permutation(len(fit))
        found = family.fit(fit[np.sort(order[: int(SHARE * len(fit))])], smaller, seed + draw)
        said.append(None if found is None else found.assign(judge))
    alike = [
        0.0 if a is None or b is None else adjusted_rand_score(a, b)
        for a, b in combinations(said, 2)
    ]
    return float(np.mean(alike))
