"""Every mitigation answers alike for the same row, needs no group, travels, and is a graph."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter.goal import Task
from charter.tuning import FamilyName
from serving.packing import pack_batch
from serving.predictor import session
from tasks.auditing.applied import Applied
from tasks.auditing.groups import axes
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import worst
from tasks.graph import convert
from tasks.mitigation import MITIGATIONS, Mitigation, exponentiated_gradient
from tasks.mitigation.base import Told
from tasks.mitigation.bench import Ground, attempt, complete, load
from tasks.models.shelf import take
from tasks.packaging.parity import LIMIT
from tasks.recipe.inputs import frame
from tasks.split import load_training
from tests.tasks import people

FAIR = {"sensitive": ["sex"], "metric": "demographic_parity", "limit": 0.05, "support": 50}
BINARY: tuple[FamilyName, ...] = ("linear", "boosting")
LONG = ("exponentiated_gradient", "boosting")  # fits it many times
PAIRS = [
    pytest.param(
        member, learner, id=f"{member.name}-{learner}",
        marks=[pytest.mark.slow] if (member.name, learner) == LONG else [],
    )
    for member in MITIGATIONS
    for learner in BINARY
]  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The same people for each learner, their rows and the ground that arms are tried on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("mitigations")))
        words = people.charter(evaluation={"folds": 2}, fairness=FAIR)
        found: dict[str, Any] = {}
        for name in BINARY:
            made = people.made(words, people.rows(2500), member=name)
            rows = load_training(made.split.training)
            study = made.study
            if name == "boosting":
                study = study.model_copy(update={"params": {**study.params, "trees": 30}})
            known = axes(words, rows.table)
            found[name] = (
                made, rows, load(words, made.split.training, made.recipe, study, known), known,
            )  # fmt: skip
        yield found


@pytest.fixture(autouse=True)
def _even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fit takes as long as the other, so that the game has as many steps each time."""
    ticks = count()
    clock = SimpleNamespace(perf_counter=lambda: 0.01 * next(ticks))
    monkeypatch.setattr(exponentiated_gradient, "time", clock)


def settled(member: Mitigation, ground: Ground) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
    """Settings, answers out of fold, and the rows they are for."""
    parts = [test for _, test in ground.bench.parts]
    signals = np.concatenate([attempt(ground, member.name, k, 0.4) for k in range(len(parts))])
    rows = np.concatenate(parts)
    groups = tuple(one.only(rows) for one in ground.groups)
    settings = member.settle(Told(signals, ground.bench.truth[rows], groups, ground.aim))
    return settings, member.answers(signals, settings), rows


@pytest.mark.parametrize(("member", "learner"), PAIRS)
def test_it_mitigates_and_is_delivered(
    ground: dict[str, Any], member: Mitigation, learner: FamilyName, tmp_path: Path
) -> None:
    made, rows, base, known = ground[learner]
    settings, answers, tested = settled(member, base)
    applied = Applied(
        name=member.name, settings=settings, decision=member.decision(base.aim) or {},
        axes=known, groups=tuple(one.values for one in base.groups), price="",
    )  # fmt: skip
    weight = complete(base, applied, str(tmp_path / "model.skops"), 0.4)
    assert weight.difference <= LIMIT
    pipeline = take(tmp_path / "model.skops")
    inputs = frame(made.recipe.signature, rows.table)
    assert "sex" not in inputs.columns
    found = pipeline.predict_proba(inputs)
    _are_chances(found)
    np.testing.assert_array_equal(found[:20], pipeline.predict_proba(inputs.iloc[:20]))
    model = session(convert(pipeline, made.recipe.signature).SerializeToString(), "test")
    packed = pack_batch(made.recipe.signature, rows.table.combine_chunks().to_batches()[0])
    feed = {"numbers": packed.numbers, "texts": packed.texts}
    graphed = model.run(None, {one.name: feed[one.name] for one in model.get_inputs()})[0]
    assert np.max(np.abs(graphed - found)) <= LIMIT
    assert _apart(base, answers, tested) < 0.75 * _unmitigated(made, base, tested)
    complete(base, applied, str(tmp_path / "again.skops"), 0.4)
    np.testing.assert_array_equal(found, take(tmp_path / "again.skops").predict_proba(inputs))


def _are_chances(found: np.ndarray) -> None:
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert 0.15 < (found[:, 1] >= 0.5).mean() < 0.85


def _apart(base: Ground, answers: np.ndarray, rows: np.ndarray) -> float:
    from serving.signature import Decision

    case = Judged(base.bench.truth[rows], answers, Decision(threshold=0.5))
    groups = [one.only(rows) for one in base.groups]
    return worst(base.aim.metric, case, groups, base.aim.support)


def _unmitigated(made: people.People, base: Ground, rows: np.ndarray) -> float:
    from tasks.evaluate import out_of_fold

    _, chances = out_of_fold(made.study, "binary")
    return _apart(base, chances, rows)


OTHERS = [
    pytest.param(member, task, id=f"{member.name}-{task}")
    for member in MITIGATIONS
    for task in member.tasks
    if task != "binary"
]


@pytest.mark.parametrize(("member", "task"), OTHERS)
def test_other_answers_are_mitigated_where_they_can_be(
    member: Mitigation, task: Task, tmp_path: Path
) -> None:
    from tasks.auditing.groups import Groups
    from tasks.mitigation.base import Aim, Lesson
    from tasks.models import family

    rng = np.random.default_rng(0)
    code = rng.integers(0, 2, 800)
    X = np.column_stack([rng.normal(size=800), code + 0.2 * rng.normal(size=800)])
    value = X[:, 0] + code + 0.5 * rng.normal(size=800)
    y = value if task == "regression" else np.digitize(value, [0.0, 1.0])
    limits = (("sex", 0.1),)
    aim = Aim(task, "error_ratio", limits, 50, 0.5, np.ones((3, 3)) - np.eye(3), 0, 4)
    linear = family("linear")
    lesson = Lesson(
        X, y, None, (Groups("sex", ("f", "m"), code),), aim,
        lambda: linear.build(task, linear.start, 0, "cpu"),
        lambda kind: linear.build(kind, linear.start, 0, "cpu"), 10.0,
    )  # fmt: skip
    learnt = member.fit(lesson)
    for step in learnt.steps:
        X = step.transform(X)
    plain = linear.build(task, linear.start, 0, "cpu").fit(lesson.X, y)
    told = member.answers(member.signals(learnt.model, X), ())[:, -1]
    untold = member.signals(plain, lesson.X)[:, -1]
    assert abs(_gap(told, code)) < abs(_gap(untold, code))


def _gap(values: np.ndarray, code: np.ndarray) -> float:
    return float(values[code == 1].mean() - values[code == 0].mean())


def test_where_nothing_tells_the_group_nothing_is_erased() -> None:
    from tasks.mitigation.estimators import Erased

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3)) * [1.0, 100.0, 1e-3]
    member = np.eye(2)[rng.integers(0, 2, 2000)]
    X[:, 0] += 3 * member[:, 0]
    erased = Erased().fit(X, member)
    out = erased.transform(X)
    means = [out[member[:, at] == 1].mean(axis=0) for at in (0, 1)]
    np.testing.assert_allclose(means[0], means[1], atol=1e-9)
    np.testing.assert_allclose(out[:, 1], X[:, 1], atol=5.0)
    assert pa.array(out[:, 1]).null_count == 0
