"""Every detector on the same rows, judged on rows that none was fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from charter.anomalies import Anomalies
from tasks.detection import planted
from tasks.detectors import DETECTORS, Detector, Score
from tasks.finding.columns import Preparation

DRAWS = 4
"""Halves of the rows that odd ones are found in again."""
ALIKE = 0.01
"""A ROC AUC that is better by less is no better."""


@dataclass(frozen=True)
class Tried:
    """One detector, fitted and judged."""

    detector: Detector
    score: Score
    threshold: float
    """A row with a larger score is odd."""
    flagged: float
    """Share of the judging rows that are odd."""
    far: float | None
    """ROC AUC of rows with one far value against real ones; None where no column is a number."""
    shuffled: float
    """ROC AUC of rows whose columns come from different rows against real ones."""
    stability: float
    """Mean Jaccard index of the judging rows that two halves call odd."""
    ranks: float
    """Mean rank correlation of their scores (Spearman)."""

    @property
    def found(self) -> float:
        """How well planted rows are found, 0 to 1; what detectors are chosen by."""
        return self.shuffled if self.far is None else (self.far + self.shuffled) / 2

    def odd(self, rows: np.ndarray) -> np.ndarray:
        """Which prepared rows are odd; bool."""
        return np.asarray(self.score(rows) > self.threshold)


def trials(
    anomalies: Anomalies, preparation: Preparation, fit: np.ndarray, judge: np.ndarray, seed: int
) -> list[Tried]:
    """Each detector that the charter allows, simplest first."""
    asked = anomalies.detectors
    return [
        _tried(one, anomalies.share, preparation, fit, judge, seed)
        for one in DETECTORS
        if asked == "auto" or one.name in asked
    ]


def best(anomalies: Anomalies, tried: list[Tried]) -> Tried:
    """What finds planted rows best among what is stable enough; of those alike, the first."""
    stable = [one for one in tried if one.stability >= anomalies.stability] or tried
    top = max(one.found for one in stable)
    return next(one for one in stable if one.found >= top - ALIKE)


def _tried(
    detector: Detector, share: float, preparation: Preparation, fit: np.ndarray,
    judge: np.ndarray, seed: int,
) -> Tried:  # fmt: skip
    score, threshold = _fitted(detector, fit, share, seed)
    real = score(judge)
    moved = planted.far(preparation, judge, seed)
    mixed = planted.shuffled(preparation, judge, seed)
    stability, ranks = _again(detector, share, fit, judge, seed)
    return Tried(
        detector, score, threshold, float(np.mean(real > threshold)),
        None if moved is None else _apart(real, score(moved)), _apart(real, score(mixed)),
        stability, ranks,
    )  # fmt: skip


def _fitted(detector: Detector, fit: np.ndarray, share: float, seed: int) -> tuple[Score, float]:
    score = detector.fit(fit, seed)
    return score, float(np.quantile(score(fit), 1 - share))


def _apart(real: np.ndarray, other: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    truth = np.repeat([0, 1], [len(real), len(other)])
    return float(roc_auc_score(truth, np.concatenate([real, other])))


def _again(
    detector: Detector, share: float, fit: np.ndarray, judge: np.ndarray, seed: int
) -> tuple[float, float]:
    """How alike halves of the rows are in what they call odd, and in their scores."""
    from scipy.stats import spearmanr

    scores, odd = [], []
    for draw in range(DRAWS):
        order = np.random.default_rng([seed, draw]).permutation(len(fit))
        half = fit[np.sort(order[: max(1, len(fit) // 2)])]
        score, threshold = _fitted(detector, half, share, seed + draw)
        scores.append(score(judge))
        odd.append(scores[-1] > threshold)
    overlap = [float((a & b).sum() / max(1, (a | b).sum())) for a, b in combinations(odd, 2)]
    ranks = [float(spearmanr(a, b).statistic) for a, b in combinations(scores, 2)]
    return float(np.mean(overlap)), float(np.mean(np.nan_to_num(ranks)))
