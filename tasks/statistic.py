"""The formula of each metric as a function of row weights, for many weightings at once.

Conventions are scikit-learn's: roc_auc and average_precision of more than two classes are one
class against the rest, averaged over the classes; brier of more classes is the sum over classes
(Brier, 1950); f1 is that of the positive class, or the average over more classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from serving.signature import Decision

Statistic = Callable[[np.ndarray], np.ndarray]
"""Weights, shape (resamples, rows), to one value per resample."""


@dataclass(frozen=True)
class Case:
    """What is judged: truth, prediction, and how answers are taken and priced."""

    truth: np.ndarray
    prediction: np.ndarray
    decision: Decision | None = None
    prices: np.ndarray | None = None

    @property
    def classes(self) -> list[int]:
        """The classes that are judged one by one: the positive one of two, or all."""
        return [1] if self.prediction.shape[1] == 2 else list(range(self.prediction.shape[1]))


def answers(probabilities: np.ndarray, decision: Decision | None = None) -> np.ndarray:
    """The class positions that are answered, shape (n,); without a decision the likeliest."""
    if decision is not None and decision.weights:
        return np.asarray(np.argmax(probabilities * np.array(decision.weights), axis=1))
    if probabilities.shape[1] == 2:
        threshold = 0.5 if decision is None or decision.threshold is None else decision.threshold
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return np.asarray(np.argmax(probabilities, axis=1))


def cheapest(probabilities: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """The class positions of least expected cost, shape (n,) (Elkan, 2001)."""
    if len(prices) == 2:
        alarm, miss = prices[0, 1], prices[1, 0]
        return answers(probabilities, Decision(threshold=alarm / (alarm + miss)))
    return np.asarray(np.argmin(probabilities @ prices, axis=1))


def _mean(values: np.ndarray) -> Statistic:
    return lambda weights: np.asarray(weights @ values / weights.sum(axis=1))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Above by below; NaN where below is 0."""
    empty = np.full(np.shape(above), np.nan)
    return np.asarray(np.divide(above, below, out=empty, where=below != 0))


def _average(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(float))


class _Ranking:
    """Weights of positives and negatives at each distinct score, lowest score first."""

    def __init__(self, positive: np.ndarray, scores: np.ndarray) -> None:
        self.order = np.argsort(scores, kind="stable")
        ranked = scores[self.order]
        self.starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        self.positive = positive[self.order].astype(float)

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ranked = weights[:, self.order]
        positives = np.add.reduceat(ranked * self.positive, self.starts, axis=1)
        return positives, np.add.reduceat(ranked, self.starts, axis=1) - positives


def _area(positive: np.ndarray, scores: np.ndarray) -> Statistic:
    """Area under the ROC curve: how often a positive outranks a negative, ties by half."""
    ranking = _Ranking(positive, scores)

    def area(weights: np.ndarray) -> np.ndarray:
        positives, negatives = ranking(weights)
        beaten = np.cumsum(negatives, axis=1) - negatives / 2
        wins = np.einsum("bg,bg->b", positives, beaten)
        return _ratio(wins, positives.sum(axis=1) * negatives.sum(axis=1))

    return area


def _precision(positive: np.ndarray, scores: np.ndarray) -> Statistic:
    """Average precision: precision at each score, weighted by the recall gained there."""
    ranking = _Ranking(positive, -scores)

    def precision(weights: np.ndarray) -> np.ndarray:
        positives, negatives = ranking(weights)
        found = np.cumsum(positives, axis=1)
        alarms = found + np.cumsum(negatives, axis=1)
        share = np.divide(found, alarms, out=np.zeros_like(found), where=alarms > 0)
        return _ratio(np.einsum("bg,bg->b", positives, share), found[:, -1])

    return precision


def _each(make: Callable[[np.ndarray, np.ndarray], Statistic]) -> Callable[[Case], Statistic]:
    """One class against the rest, averaged over the classes."""

    def each(case: Case) -> Statistic:
        parts = [make(case.truth == label, case.prediction[:, label]) for label in case.classes]
        return lambda weights: _average(np.stack([part(weights) for part in parts], axis=-1))

    return each


def _log_loss(case: Case) -> Statistic:
    tiny = np.finfo(np.float64).eps
    chances = np.clip(case.prediction.astype(np.float64), tiny, 1 - tiny)
    chances = chances / chances.sum(axis=1, keepdims=True)
    return _mean(-np.log(chances[np.arange(len(case.truth)), case.truth]))


def _brier(case: Case) -> Statistic:
    hit = np.eye(case.prediction.shape[1])[case.truth]
    squares = ((case.prediction - hit) ** 2)[:, case.classes]
    return _mean(squares.sum(axis=1))


def _accuracy(case: Case) -> Statistic:
    return _mean((answers(case.prediction, case.decision) == case.truth).astype(float))


def _recalls(case: Case) -> Statistic:
    member = np.eye(case.prediction.shape[1])[case.truth]
    hits = member * (answers(case.prediction, case.decision) == case.truth)[:, None]
    return lambda weights: _average(_ratio(weights @ hits, weights @ member))


def _f1(case: Case) -> Statistic:
    unit = np.eye(case.prediction.shape[1])
    true = unit[case.truth][:, case.classes]
    said = unit[answers(case.prediction, case.decision)][:, case.classes]
    single = len(case.classes) == 1

    def f1(weights: np.ndarray) -> np.ndarray:
        scores = _ratio(2 * (weights @ (true * said)), weights @ (true + said))
        return np.nan_to_num(scores[:, 0]) if single else _average(scores)

    return f1


def _cost(case: Case) -> Statistic:
    if case.prediction.ndim == 1:
        over, under = (1.0, 1.0) if case.prices is None else case.prices
        excess = case.prediction - case.truth
        return _mean(np.where(excess > 0, over * excess, -under * excess))
    count = case.prediction.shape[1]
    prices = np.ones((count, count)) - np.eye(count) if case.prices is None else case.prices
    if case.decision is None:
        given = cheapest(case.prediction, prices)
    else:
        given = answers(case.prediction, case.decision)
    return _mean(prices[case.truth, given])


def _rmse(case: Case) -> Statistic:
    mean = _mean((case.prediction - case.truth) ** 2)
    return lambda weights: np.sqrt(mean(weights))


def _mae(case: Case) -> Statistic:
    return _mean(np.abs(case.prediction - case.truth))


def _r2(case: Case) -> Statistic:
    error, centred = _mean((case.prediction - case.truth) ** 2), case.truth - case.truth.mean()
    first, second = _mean(centred), _mean(centred**2)
    return lambda weights: 1 - _ratio(error(weights), second(weights) - first(weights) ** 2)


STATISTICS: Mapping[str, Callable[[Case], Statistic]] = {
    "roc_auc": _each(_area),
    "average_precision": _each(_precision),
    "log_loss": _log_loss,
    "brier": _brier,
    "accuracy": _accuracy,
    "balanced_accuracy": _recalls,
    "f1": _f1,
    "cost": _cost,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
