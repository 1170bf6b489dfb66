"""How probabilities become answers, from what errors cost, settled before the holdout is opened."""

from __future__ import annotations

import numpy as np

from charter import Charter
from charter.goal import Task
from serving.signature import Decision
from tasks import metrics

CANDIDATES = 200


def decide(
    charter: Charter, task: Task, classes: tuple[str, ...], truth: np.ndarray, chances: np.ndarray
) -> Decision:
    """The rule of least cost on out-of-fold predictions; `chances` has shape (rows, classes).

    Two classes: the threshold false_alarm / (false_alarm + miss) is right for calibrated
    probabilities (Elkan, The Foundations of Cost-Sensitive Learning, 2001). Another one is taken
    only where it costs less beyond the noise of the rows. More classes: probability times the cost
    of missing the class.
    """
    if task == "regression":
        return Decision()
    prices = metrics.prices(charter.goal.cost, task, classes)
    if task == "multiclass":
        weights = prices.max(axis=1)
        return Decision(weights=tuple(float(weight) for weight in weights))
    calibrated = Decision(threshold=float(prices[0, 1] / (prices[0, 1] + prices[1, 0])))
    tried = _cheapest(truth, chances[:, 1], prices)
    saved = metrics.paired(
        "cost", truth, chances, chances, tried, prices,
        their_decision=calibrated, seed=charter.evaluation.seed,
    )  # fmt: skip
    return tried if saved.low > 0 else calibrated


def _cheapest(truth: np.ndarray, chances: np.ndarray, prices: np.ndarray) -> Decision:
    """The threshold of least total cost among quantiles of the predictions."""
    thresholds = np.unique(np.quantile(chances, np.linspace(0, 1, CANDIDATES)))
    order = np.sort(chances[truth == 0]), np.sort(chances[truth == 1])
    alarms = len(order[0]) - np.searchsorted(order[0], thresholds)
    misses = np.searchsorted(order[1], thresholds)
    cost = prices[0, 1] * alarms + prices[1, 0] * misses
    return Decision(threshold=float(thresholds[np.argmin(cost)]))
