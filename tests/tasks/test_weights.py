"""Rows count less with age, in every family."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter
from tasks.models import LADDER
from tasks.split import Rows
from tasks.tuning import scale
from tasks.tuning.bench import load, try_fold
from tasks.tuning.folder import fingerprint
from tasks.tuning.weights import drawn, weights
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
