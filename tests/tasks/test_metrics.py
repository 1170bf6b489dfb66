from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from charter import Refusal
from charter.evaluation import METRICS
from charter.goal import Cost
from serving.signature import Decision
from tasks import metrics

Case = tuple[np.ndarray, np.ndarray]


def two(rows: int = 400, seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    score = np.round(1 / (1 + np.exp(-(truth - 0.5 + rng.normal(size=rows)))), 2)  # with ties
    return truth, np.column_stack([1 - score, score])


def three(rows: int = 400) -> Case:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, rows)
    raw = rng.random((rows, 3)) + np.eye(3)[truth] * 0.5
    return truth, raw / raw.sum(axis=1, keepdims=True)


def numbers(rows: int = 400) -> Case:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=rows) + 1e6
    return truth, truth + rng.normal(size=rows) / 2


def test_two_classes_agree_with_scikit_learn() -> None:
    truth, chances = two()
    positive, said = chances[:, 1], chances[:, 1] >= 0.5
    wanted = {
        "roc_auc": sk.roc_auc_score(truth, positive),
        "average_precision": sk.average_precision_score(truth, positive),
        "log_loss": sk.log_loss(truth, chances),
        "brier": sk.brier_score_loss(truth, positive),
        "accuracy": sk.accuracy_score(truth, said),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said),
        "f1": sk.f1_score(truth, said),
        "cost": 1 - sk.accuracy_score(truth, said),
    }
    found = {name: metrics.measure(name, truth, chances) for name in METRICS["binary"]}
    assert found == pytest.approx(wanted)


def test_more_classes_agree_with_scikit_learn() -> None:
    truth, chances = three()
    said = chances.argmax(axis=1)
    wanted = {
        "roc_auc": sk.roc_auc_score(truth, chances, multi_class="ovr", average="macro"),
        "average_precision": sk.average_precision_score(np.eye(3)[truth], chances),
        "log_loss": sk.log_loss(truth, chances),
        "brier": float(((chances - np.eye(3)[truth]) ** 2).sum(axis=1).mean()),
        "accuracy": sk.accuracy_score(truth, said),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said),
        "f1": sk.f1_score(truth, said, average="macro"),
        "cost": 1 - sk.accuracy_score(truth, said),
    }
    found = {name: metrics.measure(name, truth, chances) for name in METRICS["multiclass"]}
    assert found == pytest.approx(wanted)


def test_numbers_agree_with_scikit_learn() -> None:
    truth, values = numbers()
    wanted = {
        "rmse": sk.root_mean_squared_error(truth, values),
        "mae": sk.mean_absolute_error(truth, values),
        "r2": sk.r2_score(truth, values),
        "cost": sk.mean_absolute_error(truth, values),
    }
    found = {name: metrics.measure(name, truth, values) for name in METRICS["regression"]}
    assert found == pytest.approx(wanted)


def test_interval_is_that_of_a_plain_bootstrap() -> None:
    truth, chances = two()
    rng = np.random.default_rng(5)
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(500)]
    plain = [sk.roc_auc_score(truth[rows], chances[rows, 1]) for rows in draws]
    ours = metrics.interval("roc_auc", truth, chances)
    assert ours.low < ours.value < ours.high
    assert [ours.low, ours.high] == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=0.006)
    assert metrics.interval("roc_auc", truth, chances) == ours


def test_resamples_in_small_steps_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "CELLS", 1000)
    steps = list(metrics._weights(400, seed=0, resamples=7))
    assert [len(step) for step in steps] == [2, 2, 2, 1]
    assert all((step.sum(axis=1) == 400).all() for step in steps)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_gain_is_positive_for_the_better_model(metric: str) -> None:
    truth, good = two()
    poor = np.full_like(good, 0.5)
    better = metrics.paired(metric, truth, good, poor)
    assert better.low > 0
    worse = metrics.paired(metric, truth, poor, good)
    assert (worse.value, worse.low, worse.high) == pytest.approx(
        (-better.value, -better.high, -better.low)
    )
    alone = metrics.gain(
        metric, metrics.measure(metric, truth, good), metrics.measure(metric, truth, poor)
    )
    assert better.value == pytest.approx(alone)


def test_cost_takes_the_answer_of_least_expected_cost() -> None:
    truth, chances = two()
    table = metrics.prices(Cost(false_alarm=1, miss=4), "binary")
    free = metrics.measure("cost", truth, chances, cost=table)
    at_elkan = metrics.measure("cost", truth, chances, Decision(threshold=0.2), table)
    at_half = metrics.measure("cost", truth, chances, Decision(threshold=0.5), table)
    assert free == pytest.approx(at_elkan)
    assert free < at_half


def test_prices() -> None:
    assert metrics.prices(Cost(missed={"b": 5.0}), "multiclass", ["a", "b", "c"]).tolist() == [
        [0, 1, 1],
        [5, 0, 5],
        [1, 1, 0],
    ]
    assert metrics.prices(Cost(over=3.0), "regression").tolist() == [3.0, 1.0]
    values = metrics.measure(
        "cost", np.array([0.0, 0.0]), np.array([1.0, -1.0]), cost=np.array([3.0, 1.0])
    )
    assert values == 2.0


def test_one_class_only_has_no_area() -> None:
    truth, chances = np.zeros(20, dtype=int), two(20)[1]
    found = metrics.interval("roc_auc", truth, chances)
    assert np.isnan([found.value, found.low, found.high]).all()
    assert metrics.measure("f1", truth, chances * [1, 0]) == 0.0


def test_a_class_missing_from_the_rows_is_left_out_of_averages() -> None:
    truth, chances = three()
    known = truth != 2
    value = metrics.measure("balanced_accuracy", truth[known], chances[known])
    said = chances[known].argmax(axis=1)
    assert value == pytest.approx(
        sk.recall_score(truth[known], said, labels=[0, 1], average="macro")
    )


def test_auto_and_fit() -> None:
    assert metrics.resolve("auto", "binary") == "roc_auc"
    assert metrics.resolve("mae", "regression") == "mae"
    with pytest.raises(Refusal, match=r"roc_auc.*regression.*rmse, mae, r2, cost.*Take one"):
        metrics.resolve("roc_auc", "regression")
