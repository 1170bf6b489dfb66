"""What runs in the sandbox: mitigations on folds, and the final fit of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter
from charter.fairness import MitigationName
from charter.goal import Task
from serving.home import place
from tasks import metrics
from tasks.auditing.applied import Applied
from tasks.auditing.groups import Axis, Groups, groups
from tasks.engineer import Recipe
from tasks.mitigation.base import Aim, Learnt, Lesson
from tasks.models import family
from tasks.models.base import Family, Value
from tasks.models.shelf import keep
from tasks.split import Training, folds, load_training
from tasks.tune import Study
from tasks.tuning.bench import Bench, Last, prepared, sample, unfitted, weight_of
from tasks.tuning.scale import Weight, weigh

HELPER: Mapping[str, Value] = {
    "trees": 60, "rate": 0.15, "depth": 4, "weight": 10.0, "rows": 0.8, "share": 0.5,
    "penalty": 3.0,
}  # fmt: skip
"""The boosting that learns who belongs to which group."""


@dataclass(frozen=True)
class Ground:
    """The rows with their groups, and the learner that the search chose."""

    bench: Bench
    groups: tuple[Groups, ...]
    aim: Aim
    member: Family
    params: Mapping[str, Value]
    most: int | None
    """Rows of a fit, where there was no time or room for all."""
    interpretable: bool


def load(
    charter: Charter, training: Training, recipe: Recipe, study: Study, axes: tuple[Axis, ...]
) -> Ground:
    """The training rows and the folds of the search."""
    rows = load_training(training)
    bench = prepared(charter, training, recipe, rows, folds(charter, training, rows))
    return grounded(charter, training, study, bench, judged(charter, axes, rows.table))


def grounded(
    charter: Charter, training: Training, study: Study, bench: Bench, every: Sequence[Groups]
) -> Ground:
    return Ground(
        bench, tuple(every), aim(charter, training.task, training.classes), family(study.family),
        study.params, study.model_rows, charter.constraints.interpretable,
    )  # fmt: skip


def judged(charter: Charter, axes: Sequence[Axis], table: pa.Table) -> list[Groups]:
    """The groups of each column and intersection that has a limit."""
    every = groups(charter, axes, table)
    return [one for one in every if charter.fairness.limit_of(one.name) is not None]


def aligned(every: Sequence[Groups], values: Sequence[tuple[str, ...]]) -> list[Groups]:
    """The groups numbered as they were when the settings were read off; one that is new since
    counts as the largest."""
    found = []
    for one, known in zip(every, values, strict=True):
        largest = one.values[int(np.argmax(np.bincount(one.codes)))]
        places = [known.index(v if v in known else largest) for v in one.values]
        found.append(Groups(one.name, known, np.array(places)[one.codes]))
    return found


def aim(charter: Charter, task: Task, classes: Sequence[str]) -> Aim:
    """What has to be kept, and what answers cost."""
    fair, prices = charter.fairness, metrics.prices(charter.goal.cost, task, classes)
    limits = [(name, limit) for name in fair.names if (limit := fair.limit_of(name)) is not None]
    binary = task == "binary"
    return Aim(
        task=task, metric=fair.resolved(task), limits=tuple(limits), support=fair.support,
        threshold=float(prices[0, 1] / (prices[0, 1] + prices[1, 0])) if binary else 0.5,
        prices=prices, seed=charter.evaluation.seed, folds=charter.evaluation.folds,
    )  # fmt: skip


def attempt(ground: Ground, name: MitigationName, fold: int, seconds: float) -> np.ndarray:
    """Fit on one fold's fit side and give the signals of its test side, (rows, signals)."""
    from tasks.mitigation import mitigation

    fit, test = ground.bench.parts[fold]
    steps, learnt = _learnt(ground, name, sample(fit, ground.most, fold), fold, seconds)
    X = np.asarray(steps.transform(ground.bench.frame.iloc[test]))
    for step in learnt.steps:
        X = step.transform(X)
    return mitigation(name).signals(learnt.model, X)


def complete(ground: Ground, applied: Applied, where: str, seconds: float) -> Weight:
    """Fit on all rows with settled settings, weigh the pipeline and shelve it."""
    from sklearn.pipeline import Pipeline

    from tasks.mitigation import mitigation

    bench = ground.bench
    every = sample(np.arange(len(bench.truth)), ground.most, bench.seed)
    steps, learnt = _learnt(ground, applied.name, every, 0, seconds)
    model = mitigation(applied.name).finished(learnt.model, applied.settings)
    added = [(f"mitigated {at}", step) for at, step in enumerate(learnt.steps)]
    prepare = Pipeline([*steps.steps, *added])
    pipeline = Pipeline([("prepare", prepare), ("model", model)])
    bench.last = Last(pipeline, every, complete=True)
    weight = weigh(bench)
    keep(pipeline, place(where))
    return weight


def _learnt(
    ground: Ground, name: MitigationName, rows: np.ndarray, fold: int, seconds: float
) -> tuple[Any, Learnt]:
    """The fitted preparation, and what the mitigation learnt; each fold has a seed of its own."""
    from tasks.mitigation import mitigation

    bench = ground.bench
    steps = unfitted(bench, ground.member, ground.params).named_steps["prepare"]
    X = np.asarray(steps.fit_transform(bench.frame.iloc[rows]))
    seed = bench.seed + fold
    lesson = Lesson(
        X=X, y=bench.truth[rows], weight=weight_of(bench, rows),
        groups=tuple(one.only(rows) for one in ground.groups), aim=ground.aim,
        build=lambda: ground.member.build(bench.task, ground.params, seed, bench.device),
        helper=lambda task: _helper(ground, task, seed), seconds=seconds,
    )  # fmt: skip
    return steps, mitigation(name).fit(lesson)


def _helper(ground: Ground, task: Task, seed: int) -> Any:
    """A model whose logic can be printed, where the charter asks for that."""
    member = family("tree" if ground.interpretable else "boosting")
    params = member.start if ground.interpretable else HELPER
    return member.build(task, params, seed, ground.bench.device)
