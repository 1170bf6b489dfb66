"""How a model treats the groups: the rates of each, how far they lie apart, and what that costs.

Beside every figure stand the share of positive answers, balanced accuracy, and what the best
constant model has: one that answers always the same is fair and worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from charter import Charter, Frozen, Verdict
from charter.fairness import FairnessMetric
from charter.goal import Task
from tasks import metrics
from tasks.auditing.groups import Axis, Groups
from tasks.auditing.rates import (
    Judged,
    apart,
    between,
    compared,
    confusions,
    ratio,
    resting,
    sums,
    widest,
)  # fmt: skip
from tasks.metrics import Interval

COLLAPSED = 0.25
"""Answers of a class, as a share of the rows that are of it, below which the class is given up."""


class Figure(Frozen):
    """A value with its 95 % bootstrap interval; NaN where the rows cannot say."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Interval) -> Figure:
        return cls(value=found.value, low=found.low, high=found.high)


class Treated(Frozen):
    """One group: who they are, and what the model does to them."""

    of: str
    """The column or intersection."""
    value: str
    rows: int
    judged: bool
    """Whether it is compared: each rate rests on enough rows."""
    figures: dict[str, Figure]
    """Two classes: `positive` (base rate), `answered` (selection rate), `found` (true positive
    rate), `alarmed` (false positive rate), `right` (accuracy), `calibration` (said minus was).
    More classes: `right` and `calibration`. Numbers: `error` (mean absolute), `bias`."""


class Disparity(Frozen):
    """How far the groups of one column or intersection lie apart."""

    of: str
    figure: Figure
    """The upper end is that of the largest difference in each resample; the lower end that of the
    two groups which differ most, since a largest difference is never below 0 by luck."""
    limit: float | None = None
    unjudged: tuple[str, ...] = ()
    """Groups with too few rows."""


class Treatment(Frozen):
    """What the rows say of one model."""

    metric: FairnessMetric
    rows: int
    disparities: tuple[Disparity, ...]
    groups: tuple[Treated, ...]
    quality: dict[str, Figure]
    """Classes: accuracy, balanced_accuracy, cost; two of them: positive_rate. Numbers: mae."""
    constant: dict[str, float]
    """The same of the best answer that ignores the row; it treats all groups alike."""
    axes: tuple[Axis, ...] = ()
    """How the sensitive columns make groups, for who compares them again."""
    collapsed: str = ""
    """The class that is (almost) never answered, in words."""

    @property
    def within(self) -> bool:
        """Whether every limit is kept by every disparity that can be judged."""
        return all(
            one.limit is None or not one.figure.value > one.limit for one in self.disparities
        )

    @property
    def excess(self) -> float:
        """By how much the worst disparity is beyond its limit, as a multiple of it."""
        found = [
            one.figure.value / one.limit
            for one in self.disparities
            if one.limit is not None and np.isfinite(one.figure.value)
        ]
        return max(found, default=0.0)


def treatment(
    charter: Charter,
    task: Task,
    classes: Sequence[str],
    case: Judged,
    every: Sequence[Groups],
    *,
    blocks: np.ndarray | None = None,
    resamples: int = metrics.RESAMPLES,
) -> Treatment:
    """Judge predictions by each sensitive column and intersection.

    `blocks` numbers the days that are drawn whole, as in `tasks.metrics.spread`.
    """
    metric = charter.fairness.resolved(task)
    draw: dict[str, Any] = {
        "blocks": blocks,
        "seed": charter.evaluation.seed,
        "resamples": resamples,
    }
    found = [_compared(charter, metric, case, groups, draw) for groups in every]
    prices = metrics.prices(charter.goal.cost, task, classes)
    return Treatment(
        metric=metric, rows=len(case.truth), disparities=tuple(one for one, _ in found),
        groups=tuple(group for _, groups in found for group in groups),
        quality=_quality(case, prices, draw), constant=_constant(case, prices),
        collapsed=collapsed(case, classes),
    )  # fmt: skip


def worst(metric: FairnessMetric, case: Judged, every: Sequence[Groups], support: int) -> float:
    """The largest difference over some columns, without interval; NaN where none can be judged."""
    found = [np.nan]
    for groups in every:
        numeric = metric == "error_ratio"
        tally = (
            sums(np.abs(case.ours - case.truth), groups) if numeric else confusions(case, groups)
        )
        judged = resting(metric, tally.counts) >= support
        found.append(float(apart(metric, compared(metric, tally.counts[None]), judged)[0]))
    return float(np.nanmax(found)) if np.isfinite(found).any() else float("nan")


def _compared(
    charter: Charter, metric: FairnessMetric, case: Judged, groups: Groups, draw: dict[str, Any]
) -> tuple[Disparity, list[Treated]]:
    """One column: its disparity and its groups, on the same resamples."""
    numeric = metric == "error_ratio"
    error = case.ours - case.truth if numeric else _said_minus_was(case)
    tally = sums(np.abs(error), groups) if numeric else confusions(case, groups)
    signed = sums(error, groups)
    judged = resting(metric, tally.counts) >= charter.fairness.support
    names = _figures(tally.counts[None])
    pair = widest(metric, compared(metric, tally.counts[None])[0], judged)

    def everything(weights: np.ndarray) -> np.ndarray:
        counted = tally(weights)
        off = signed(weights)
        rates = compared(metric, counted)
        parts = [apart(metric, rates, judged)[:, None], between(metric, rates, pair)[:, None]]
        parts += list(_figures(counted).values())
        return np.concatenate([*parts, ratio(off[..., 0], off[..., 1])], axis=1)

    most, same, *rest = metrics.spreads(everything, len(case.truth), **draw)
    figure = Figure(value=most.value, low=min(max(0.0, same.low), most.value), high=most.high)
    treated = _treated(groups, judged, [*names, "bias" if numeric else "calibration"], rest)
    unjudged = tuple(group.value for group in treated if not group.judged)
    limit = charter.fairness.limit_of(groups.name)
    return Disparity(of=groups.name, figure=figure, limit=limit, unjudged=unjudged), treated


def _treated(
    groups: Groups, judged: np.ndarray, names: list[str], found: list[Interval]
) -> list[Treated]:
    """The groups with their figures, which stand in `found` name by name."""
    width = len(groups.values)
    counts = np.bincount(groups.codes, minlength=width)
    return [
        Treated(
            of=groups.name, value=value, rows=int(counts[at]), judged=bool(judged[at]),
            figures={name: Figure.of(found[k * width + at]) for k, name in enumerate(names)},
        )
        for at, value in enumerate(groups.values)
    ]  # fmt: skip


def _said_minus_was(case: Judged) -> np.ndarray:
    if case.classes == 2:
        return np.asarray(case.ours[:, 1] - (case.truth == 1))
    said = case.ours.max(axis=1)
    return np.asarray(said - (case.ours.argmax(axis=1) == case.truth))


def _figures(counted: np.ndarray) -> dict[str, np.ndarray]:
    """Every rate of each group by name, each of shape (resamples, groups)."""
    if counted.ndim == 3:
        return {"error": ratio(counted[..., 0], counted[..., 1])}
    rows = counted.sum(axis=(2, 3))
    right = {"right": ratio(np.trace(counted, axis1=2, axis2=3), rows)}
    if counted.shape[-1] != 2:
        return right
    return {
        "positive": ratio(counted[:, :, 1, :].sum(axis=2), rows),
        "answered": ratio(counted[:, :, :, 1].sum(axis=2), rows),
        "found": ratio(counted[:, :, 1, 1], counted[:, :, 1, :].sum(axis=2)),
        "alarmed": ratio(counted[:, :, 0, 1], counted[:, :, 0, :].sum(axis=2)),
        **right,
    }


def _quality(case: Judged, prices: np.ndarray, draw: dict[str, Any]) -> dict[str, Figure]:
    names = ("mae",) if case.classes == 0 else ("accuracy", "balanced_accuracy", "cost")
    found = {
        name: Figure.of(
            metrics.interval(name, case.truth, case.ours, case.decision, prices, **draw)
        )
        for name in names
    }
    if case.classes == 2:
        answered = case.answers.astype(np.float64)
        share = metrics.spread(
            lambda weights: weights @ answered / weights.sum(axis=1), len(answered), **draw
        )
        found["positive_rate"] = Figure.of(share)
    return found


def _constant(case: Judged, prices: np.ndarray) -> dict[str, float]:
    if case.classes == 0:
        return {"mae": float(np.abs(case.truth - np.median(case.truth)).mean())}
    cost = prices[case.truth].mean(axis=0)
    best = int(np.argmin(cost))
    found = {
        "accuracy": float((case.truth == best).mean()),
        "balanced_accuracy": 1.0 / case.classes,
        "cost": float(cost[best]),
    }
    return found | ({"positive_rate": float(best)} if case.classes == 2 else {})


def collapsed(case: Judged, classes: Sequence[str]) -> str:
    """The class that the answers have given up, in words; empty where there is none."""
    if case.classes == 0:
        return ""
    true = np.bincount(case.truth, minlength=case.classes) / len(case.truth)
    said = np.bincount(case.answers, minlength=case.classes) / len(case.truth)
    shares = np.where(true > 0, said / np.maximum(true, 1e-12), np.inf)
    worst = int(np.argmin(shares))
    if shares[worst] >= COLLAPSED:
        return ""
    return f"{classes[worst]} is answered for {said[worst]:.2%} of the rows, and true for {true[worst]:.2%}"


def verdicts(charter: Charter, found: Treatment, where: str) -> Iterator[Verdict]:
    """One for each limit of `fairness`, and one for answers that are all the same.

    `where` names the rows, as in `the holdout`.
    """
    held = [one for one in found.disparities if one.limit is not None]
    yield from (_limit(charter, found, one, where) for one in held)
    unjudged = [f"{one.of} = {name}" for one in held for name in one.unjudged]
    yield Verdict(
        gate="fairness.support",
        passed=not unjudged,
        level="warn",
        message=f"too few rows of {where} to be judged: {'; '.join(unjudged[:12])}"
        if unjudged
        else f"every group rests on at least {charter.fairness.support} rows of {where}",
        numbers={"support": float(charter.fairness.support)},
    )
    same = f"{found.collapsed}: answers that are all the same are fair and worth nothing"
    yield Verdict(
        gate="fairness.answers",
        passed=not found.collapsed,
        message=same if found.collapsed else "no class is given up to make groups alike",
    )


def _limit(charter: Charter, found: Treatment, one: Disparity, where: str) -> Verdict:
    own = one.of in charter.fairness.limits
    gate = f"fairness.limits.{one.of}" if own else "fairness.limit"
    value, limit = one.figure.value, one.limit or 0.0
    words = found.metric.replace("_", " ")
    if not np.isfinite(value):
        return Verdict(
            gate=gate, passed=False,
            message=f"{words} of {one.of} cannot be judged: fewer than two groups have "
            f"{charter.fairness.support} rows of {where} for each rate; take a larger holdout, a "
            "smaller fairness.support, or the column out",
        )  # fmt: skip
    beside = ", ".join(
        f"{name.replace('_', ' ')} {figure.value:.3g} (constant model {found.constant[name]:.3g})"
        for name, figure in found.quality.items()
        if name in ("balanced_accuracy", "positive_rate", "mae")
    )
    return Verdict(
        gate=gate,
        passed=value <= limit,
        message=f"{words}: groups of {one.of} are {value:.3g} apart ({one.figure.low:.3g} to "
        f"{one.figure.high:.3g}) on {where}, wanted at most {limit:g}; {beside}",
        numbers={"value": value, "low": one.figure.low, "high": one.figure.high, "limit": limit},
    )
