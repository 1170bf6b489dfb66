"""The metric before the truth is known, from what such answers meant before.

Classes: every row counts as each class with the probability of it, calibrated on the reference;
any metric that is a function of weighted rows follows (confidence-based performance estimation).
Values: what the error was around a prediction of this size. Either way it sees a shift of the
inputs, and is blind to a change of what the inputs mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from charter import Frozen
from serving.signature import Decision, Signature
from tasks.metrics import Interval, spread
from tasks.statistic import STATISTICS, Case, Statistic

BINS = 20
LEAST = 1e-6
ERRORS = ("squared", "over", "under")


class Curve(Frozen):
    """What answers of some size turned out to be, on average; straight lines between points."""

    name: str
    """The class, or the error: squared, over (by how much too high) or under."""
    said: tuple[float, ...]
    was: tuple[float, ...]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(np.interp(values, self.said, self.was))


def curves(signature: Signature, truth: np.ndarray, found: np.ndarray) -> tuple[Curve, ...]:
    """One per class, never falling; or one per kind of error."""
    if signature.task == "regression":
        excess = found - truth
        errors = (excess**2, np.maximum(excess, 0), np.maximum(-excess, 0))
        return tuple(_curve(name, found, error) for name, error in zip(ERRORS, errors, strict=True))
    return tuple(
        _rising(_curve(label, found[:, at], (truth == at).astype(float)))
        for at, label in enumerate(signature.classes)
    )


def estimated(
    metric: str,
    found: np.ndarray,
    given: Sequence[Curve],
    decision: Decision | None,
    prices: np.ndarray,
    blocks: np.ndarray | None = None,
    resamples: int = 200,
) -> Interval | None:
    """The metric that the answers lead one to expect; None where it cannot be said so (r2)."""
    if not len(found):
        return None
    if found.ndim == 1:
        statistic = _of_values(metric, found, {curve.name: curve for curve in given}, prices)
    else:
        statistic = _of_classes(metric, found, given, decision, prices)
    return spread(statistic, len(found), blocks, resamples=resamples) if statistic else None


def _of_classes(
    metric: str,
    found: np.ndarray,
    given: Sequence[Curve],
    decision: Decision | None,
    prices: np.ndarray,
) -> Statistic:
    rows, classes = found.shape
    chances = np.column_stack([curve(found[:, at]) for at, curve in enumerate(given)])
    chances = np.clip(chances, LEAST, None)
    chances /= chances.sum(axis=1, keepdims=True)
    case = Case(np.repeat(np.arange(classes), rows), np.tile(found, (classes, 1)), decision, prices)
    inner, share = STATISTICS[metric](case), chances.T.ravel()
    return lambda weights: inner(np.tile(weights, (1, classes)) * share)


def _of_values(
    metric: str, found: np.ndarray, given: dict[str, Curve], prices: np.ndarray
) -> Statistic | None:
    over, under = given["over"](found), given["under"](found)
    errors = {
        "rmse": given["squared"](found),
        "mae": over + under,
        "cost": prices[0] * over + prices[1] * under if prices.ndim == 1 else over + under,
    }
    if metric not in errors:
        return None
    values, root = errors[metric], metric == "rmse"

    def mean(weights: np.ndarray) -> np.ndarray:
        average = weights @ values / weights.sum(axis=1)
        return np.asarray(np.sqrt(average) if root else average)

    return mean


def _curve(name: str, said: np.ndarray, was: np.ndarray) -> Curve:
    """Means of bins with equal shares of the rows; answers that are the same share a bin."""
    order = np.argsort(said, kind="stable")
    points: dict[float, tuple[float, int]] = {}
    for part in np.array_split(order, min(BINS, len(order))):
        at = float(said[part].mean())
        total, rows = points.get(at, (0.0, 0))
        points[at] = (total + float(was[part].sum()), rows + len(part))
    levels = sorted(points)
    return Curve(
        name=name, said=tuple(levels), was=tuple(points[at][0] / points[at][1] for at in levels)
    )


def _rising(curve: Curve) -> Curve:
    """Pool neighbours until the curve never falls (Ayer et al., 1955)."""
    pools: list[tuple[float, int]] = []
    for value in curve.was:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (b, n), (a, m) = pools.pop(), pools.pop()
            pools.append(((a * m + b * n) / (m + n), m + n))
    was = tuple(value for value, count in pools for _ in range(count))
    return Curve(name=curve.name, said=curve.said, was=was)
