"""Rows count less with age, in every family."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter
from charter.goal import Task
from tasks.models import LADDER
from tasks.models.base import Family
from tasks.split import Rows
from tasks.tuning import scale
from tasks.tuning.bench import load, try_fold
from tasks.tuning.folder import fingerprint
from tasks.tuning.weights import drawn, fit, weights
from tests.tasks import material

DECAY: dict[str, Any] = {"runtime": {"window": {"half_life": "10d"}}}


def charter(**clauses: Any) -> Charter:
    data = {"source": {"kind": "csv", "path": "toy.csv"}, "time": "at"}
    split = {"split": {"by": "random", "holdout": 0.2}}
    return material.charter(data=data, evaluation=split, **clauses)


def aged(days: list[float | None]) -> Rows:
    since = [
        None if day is None else timedelta(days=day) / timedelta(microseconds=1) for day in days
    ]
    times = pa.array([None if one is None else int(one) for one in since]).cast(pa.timestamp("us"))
    return Rows(pa.table({"at": times}), np.zeros(len(days)))


def test_a_weight_halves_with_each_half_life_and_without_a_time_a_row_is_the_oldest() -> None:
    found = weights(charter(**DECAY), aged([0, 10, None, 20]))
    assert found is not None
    np.testing.assert_allclose(found, [0.25, 0.5, 0.25, 1.0])
    assert weights(charter(), aged([0, 10])) is None
    assert weights(charter(runtime={"window": {"last": 100}}), aged([0, 10])) is None


@pytest.mark.parametrize("family", LADDER[1:], ids=lambda family: family.name)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_family_believes_the_rows_that_count_more(family: Family, task: Task) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_200, 2))
    old = np.arange(1_200) < 600
    y = (X[:, 0] > 0) ^ old  # the old rows say the opposite
    y = np.where(y, 100.0, 0.0) if task == "regression" else y.astype(int)
    if task == "multiclass":
        y[:3] = 2
    told = []
    for weight in (None, np.where(old, 0.1, 1.0)):
        model: Any = family.build(task, family.start, 0, "cpu")
        fit(model, X, y, weight, seed=1)
        clear = X[X[:, 0] > 0.5]
        found = model.predict(clear) if task == "regression" else model.predict_proba(clear)[:, 1]
        told.append(float(np.mean(found)) / (100 if task == "regression" else 1))
    assert told[0] == pytest.approx(0.5, abs=0.1)
    assert told[1] > 0.8


def test_drawing_is_seeded_and_keeps_every_class() -> None:
    y = np.array([0] * 500 + [1] * 500 + [2, 2])
    weight = np.array([1e-9] * 500 + [1.0] * 500 + [1e-9, 2e-9])
    chosen = drawn(y, weight, seed=4)
    assert set(y[chosen]) == {0, 1, 2}
    assert 1001 in chosen
    assert np.array_equal(chosen, drawn(y, weight, seed=4))


def test_folds_and_the_final_fit_take_the_weights(root: Path) -> None:
    words, training = charter(**DECAY), material.training("regression", 400)
    bench = load(words, training, material.recipe("regression"))
    assert bench.weights is not None
    dummy = LADDER[0]
    answer = try_fold(bench, dummy, {}, 0)
    rows, _ = bench.parts[0]
    wanted = np.average(bench.truth[rows], weights=bench.weights[rows])
    np.testing.assert_allclose(answer.prediction, wanted)
    scale.finish(bench, dummy, {}, None, "studies/toy/dummy.skops")
    assert bench.last is not None
    found = bench.last.pipeline.predict(bench.frame.iloc[:1])
    np.testing.assert_allclose(found, np.average(bench.truth, weights=bench.weights))


def test_another_half_life_is_another_study_and_another_span_is_not(root: Path) -> None:
    training, recipe = material.training("regression", 100), material.recipe("regression")
    made = [
        fingerprint(charter(runtime={"window": window}), training, recipe)
        for window in ("all", {"last": "9d"}, {"half_life": "9d"}, {"half_life": "10d"})
    ]
    assert len(set(made)) == 3
    assert made[0] == made[1]
