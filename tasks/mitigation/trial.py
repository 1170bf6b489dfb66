"""Every arm on the same rows: the winner of the search, and each mitigation of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import numpy as np

from charter import Charter
from charter.evaluation import Metric
from charter.fairness import MitigationName
from serving.signature import Decision
from tasks import metrics
from tasks.auditing.applied import Applied
from tasks.auditing.groups import Axis, Groups, groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import Figure, Treatment, treatment, worst
from tasks.engineer import Recipe
from tasks.evaluate import out_of_fold
from tasks.judgement.decision import decide
from tasks.mitigate import Arm
from tasks.mitigation import MITIGATIONS, Mitigation, mitigation
from tasks.mitigation.base import Told
from tasks.mitigation.bench import Ground, aim, attempt, complete, load
from tasks.progress import report
from tasks.split import Training, folds, load_training
from tasks.splitting import spans
from tasks.tune import Study
from tasks.tuning.limits import broken
from tasks.tuning.sandbox import Sandbox, Stopped

RESAMPLES = 200
FINAL = 0.25
"""Share of the minutes that is kept for the fit on all rows."""
HALF = 0.5
"""What has to be left of the gain in balanced accuracy over a constant answer."""
OF_ANSWERS: tuple[Metric, ...] = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "cost",
    "rmse",
    "mae",
    "r2",
)


def measure(metric: str) -> str:
    """By what arms are compared: the charter's metric where it judges answers, else their cost."""
    return metric if metric in OF_ANSWERS else "cost"


class Trial:
    """The rows of all folds' test sides, in the order of the study's out-of-fold predictions."""

    def __init__(
        self, charter: Charter, training: Training, recipe: Recipe, study: Study,
        axes: tuple[Axis, ...],
    ) -> None:  # fmt: skip
        self.charter, self.training, self.study, self.axes = charter, training, study, axes
        rows = load_training(training)
        parts = folds(charter, training, rows)
        self.rows = np.concatenate([test for _, test in parts])
        self.fold = np.repeat(np.arange(len(parts)), [len(test) for _, test in parts])
        self.truth = rows.truth[self.rows]
        self.every = [one.only(self.rows) for one in groups(charter, axes, rows.table)]
        self.aim = aim(charter, training.task, training.classes)
        self.blocks = _blocks(spans.seconds(charter, rows.table), self.rows)
        self.answers: dict[MitigationName, np.ndarray] = {}
        self._sandbox: Sandbox[Ground] = Sandbox(
            load, (charter, training, recipe, study, axes),
            memory_gb=charter.constraints.memory_gb,
        )  # fmt: skip
        self._until = 0.0
        self._last = ""

    def __enter__(self) -> Self:
        self._until = time.monotonic() + 60 * self.charter.fairness.minutes
        self._sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sandbox.close()

    @property
    def members(self) -> list[Mitigation]:
        """The mitigations that the charter allows and the answer suits."""
        asked = self.charter.fairness.mitigations
        return [
            member
            for member in MITIGATIONS
            if self.training.task in member.tasks and (asked == "auto" or member.name in asked)
        ]

    @property
    def fitted(self) -> int | None:
        """How many rows a mitigated model is fitted on; None: all."""
        known = (self.study.model_rows, self.study.drawn_rows)
        return min((rows for rows in known if rows is not None), default=None)

    @property
    def judged(self) -> tuple[Groups, ...]:
        names = {name for name, _ in self.aim.limits}
        return tuple(one for one in self.every if one.name in names)

    def unmitigated(self) -> Arm:
        """The winner of the search, from the predictions that it left."""
        truth, chances = out_of_fold(self.study, self.training.task)
        assert len(truth) == len(self.truth)
        arm = self._judged(Arm(about="the model that the search chose, as it is"), chances, None)
        assert arm.treatment is not None
        return arm.model_copy(
            update={"why": "" if arm.treatment.within else _beyond(arm.treatment)}
        )

    def tried(self, first: Arm) -> Iterator[Arm]:
        """Each mitigation, with an even share of the time that is left."""
        members = self.members
        for at, member in enumerate(members):
            report("mitigate", at, len(members), member.name)
            left = (1 - FINAL) * 60 * self.charter.fairness.minutes
            now = self._until - FINAL * 60 * self.charter.fairness.minutes - time.monotonic()
            yield self._arm(member, first, min(left, now / (len(members) - at)))

    def _arm(self, member: Mitigation, first: Arm, seconds: float) -> Arm:
        began = time.monotonic()
        arm = Arm(name=member.name, about=member.about)
        try:
            signals = self._signals(member, began + (1 - member.settling) * seconds)
        except Stopped as stopped:
            spent = time.monotonic() - began
            return arm.model_copy(update={"why": f"no answer: {stopped}", "seconds": spent})
        told = Told(signals, self.truth, self.judged, self.aim)
        answers, settings = self._settled(member, told, began + seconds)
        answers = answers[:, 0] if self.training.task == "regression" else answers
        self.answers[member.name] = answers
        arm = self._judged(arm, answers, member.decision(self.aim))
        spent = time.monotonic() - began
        why = self._objection(arm, first)
        return arm.model_copy(update={"settings": settings, "seconds": spent, "why": why})

    def _signals(self, member: Mitigation, until: float) -> np.ndarray:
        """Of every fold's test side; raises `Stopped`."""
        count, parts = int(self.fold.max()) + 1, []
        for fold in range(count):
            left = max(0.0, until - time.monotonic())
            share = left / (count - fold)
            parts.append(self._sandbox.call(attempt, member.name, fold, share, seconds=left))
        return np.concatenate(parts)

    def _settled(
        self, member: Mitigation, told: Told, until: float
    ) -> tuple[np.ndarray, tuple[float, ...]]:
        """Answers to each fold with settings read off the other ones, and the settings of all rows;
        each search has an even share of the time until then."""
        count, found = int(self.fold.max()) + 1, []
        for fold in range(count):
            mine, ends = self.fold == fold, _share(until, count + 1 - fold)
            others = replace(told if mine.all() else told.only(~mine), until=ends)
            found.append(member.answers(told.signals[mine], member.settle(others)))
        return np.concatenate(found), member.settle(replace(told, until=until))

    def _judged(self, arm: Arm, answers: np.ndarray, decision: Decision | None) -> Arm:
        task, classes = self.training.task, self.training.classes
        rule = decision or decide(self.charter, task, classes, self.truth, answers)
        draw: dict[str, Any] = {"blocks": self.blocks, "resamples": RESAMPLES}
        case = Judged(self.truth, answers, rule)
        found = treatment(self.charter, task, classes, case, self.every, **draw)
        name = measure(self.study.metric)
        quality = metrics.interval(
            name, self.truth, answers, rule, self.aim.prices, seed=self.aim.seed, **draw
        )
        each = tuple(self._of_fold(case, fold, name) for fold in np.unique(self.fold))
        return arm.model_copy(
            update={
                "treatment": found, "quality": Figure.of(quality), "decision": rule, "folds": each,
            }
        )  # fmt: skip

    def _of_fold(self, case: Judged, fold: int, name: str) -> tuple[float, float]:
        mine = self.fold == fold
        part = Judged(case.truth[mine], case.ours[mine], case.decision)
        quality = metrics.measure(name, part.truth, part.ours, part.decision, self.aim.prices)
        shares = [
            worst(self.aim.metric, part, [one.only(mine)], self.aim.support) / limit
            for one, (_, limit) in zip(self.judged, self.aim.limits, strict=True)
        ]
        known = [share for share in shares if np.isfinite(share)]
        return max(known, default=float("nan")), quality

    def _objection(self, arm: Arm, first: Arm) -> str:
        """Why the arm must not be taken, in words."""
        found, before = arm.treatment, first.treatment
        assert found is not None
        assert before is not None
        if found.collapsed:
            return f"{found.collapsed}: it keeps the peace by (almost) one answer"
        ours, theirs = (one.quality.get("balanced_accuracy") for one in (found, before))
        if ours is not None and theirs is not None:
            floor = found.constant["balanced_accuracy"]
            if ours.value - floor < HALF * (theirs.value - floor):
                return (
                    f"balanced accuracy falls from {theirs.value:.3g} to {ours.value:.3g}: more than "
                    "half of what the model knows is given up"
                )
        return "" if found.within else _beyond(found)

    def applied(self, arm: Arm, first: Arm) -> Applied:
        """What the study is to remember."""
        assert arm.name is not None
        assert arm.decision is not None
        return Applied(
            name=arm.name, settings=arm.settings, decision=arm.decision, axes=self.axes,
            groups=tuple(one.values for one in self.judged), price=self._price(arm, first),
        )  # fmt: skip

    def _price(self, arm: Arm, first: Arm) -> str:
        assert arm.name is not None
        assert arm.treatment is not None
        assert first.treatment is not None
        assert arm.quality is not None
        assert first.quality is not None
        pairs = zip(first.treatment.disparities, arm.treatment.disparities, strict=True)
        apart = ", ".join(
            f"{one.of} {one.figure.value:.3g} → {two.figure.value:.3g}"
            for one, two in pairs
            if one.limit is not None
        )
        name = measure(self.study.metric)
        return (
            f"{arm.name} ({mitigation(arm.name).about}): {arm.treatment.metric.replace('_', ' ')} "
            f"{apart}; {name} {first.quality.value:.4g} → {arm.quality.value:.4g}, out of fold"
        )

    def broke(self, applied: Applied, where: str) -> str:
        """Fit on all training rows; which constraint the model breaks, or why there is none."""
        left = max(0.0, self._until - time.monotonic())
        try:
            weight = self._sandbox.call(complete, applied, where, left, seconds=left)
        except Stopped as stopped:
            self._last = f"its final fit {stopped}"
            return self._last
        self._last = broken(self.charter.constraints, weight)
        return self._last

    def broken(self, arms: tuple[Arm, ...], arm: Arm) -> tuple[Arm, ...]:
        """The arms, this one with what its last fit on all rows broke."""
        return tuple(
            one.model_copy(update={"why": self._last}) if one.name == arm.name else one
            for one in arms
        )


def _share(until: float, parts: int) -> float:
    """When the first of some parts of the time that is left is over."""
    now = time.monotonic()
    return now + max(0.0, until - now) / parts


def _beyond(found: Treatment) -> str:
    """Which limits are not kept."""
    return "; ".join(
        f"groups of {one.of} are {one.figure.value:.3g} apart, wanted at most {one.limit:g}"
        for one in found.disparities
        if one.limit is not None and one.figure.value > one.limit
    )


def _blocks(seconds: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    if seconds is None:
        return None
    found = spans.spans(seconds[rows])
    return None if found is None else np.asarray(np.unique(found, return_inverse=True)[1])
