"""Distillation: who is taught, that nobody is told what judges them, and that it is kept where it helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from charter.tuning import FamilyName
from serving.home import place
from tasks.metrics import measure
from tasks.models import family
from tasks.models.blend import Member, members, spelled, student, words
from tasks.models.blended import BlendedClassifier, BlendedRegressor
from tasks.models.pupil import PupilClassifier, PupilRegressor
from tasks.models.shelf import take
from tasks.models.taught import taught
from tasks.tune import Rung, Start, Study, tune
from tasks.tuning.ladder import begun_with
from tests.tasks import material


def _both(X: np.ndarray) -> np.ndarray:
    return np.hstack([np.full((len(X), 1), X.shape[1]), X, X])


def test_a_teacher_does_not_know_the_row_that_it_speaks_of() -> None:
    """Its neighbours know by heart what they saw, and here nothing else can be known."""
    rng = np.random.default_rng(0)
    X, y = _both(rng.normal(size=(400, 3))), rng.normal(size=400)
    teacher = BlendedRegressor([KNeighborsRegressor(1)], [False], [1.0])
    pupil = PupilRegressor(DecisionTreeRegressor(), False, teacher, seed=0).fit(X, y)
    said = (
        2 * pupil.predict(X) - y
    )  # a deep tree gives back what it was taught, half of it the truth
    assert abs(np.corrcoef(said, y)[0, 1]) < 0.15
    labels = rng.integers(0, 3, 400)
    chances: Any = BlendedClassifier([KNeighborsClassifier(1)], [False], [1.0])
    told = PupilClassifier(DecisionTreeClassifier(), False, chances, seed=0).fit(X, labels)
    believed = told.predict_proba(X)[np.arange(400), labels]
    assert believed.mean() == pytest.approx(0.5 + 0.5 / 3, abs=0.05)


def test_what_is_taught_makes_a_tree_surer() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3_000, 4))
    value = 1.5 * X[:, 0] + 1.5 * X[:, 1]
    truth = (rng.random(3_000) < 1 / (1 + np.exp(-value))).astype(int)
    some, others = slice(0, 1_000), slice(1_000, 3_000)
    tree = DecisionTreeClassifier(min_samples_leaf=10, random_state=0)
    teacher = BlendedClassifier([LogisticRegression()], [True], [1.0])
    pupil = PupilClassifier(tree, False, teacher, seed=0).fit(_both(X[some]), truth[some])
    alone = tree.fit(X[some], truth[some]).predict_proba(X[others])
    said = pupil.predict_proba(_both(X[others]))
    assert measure("log_loss", truth[others], said) < 0.8 * measure(
        "log_loss", truth[others], alone
    )
    numbers = value + 2 * rng.normal(size=3_000)
    leaves = DecisionTreeRegressor(min_samples_leaf=5, random_state=0)
    values = PupilRegressor(leaves, False, BlendedRegressor([Ridge()], [True], [1.0]), seed=0)
    values.fit(_both(X[some]), numbers[some])
    error = measure("rmse", value[others], values.predict(_both(X[others])))
    apart = leaves.fit(X[some], numbers[some]).predict(X[others])
    assert error < 0.8 * measure("rmse", value[others], apart)


def test_a_class_of_one_row_is_learned_from_the_truth_alone() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2)), np.r_[np.zeros(60), np.ones(59), [7]].astype(int)
    X[-1] = 9.0
    teacher = BlendedClassifier([LogisticRegression()], [True], [1.0])
    pupil = PupilClassifier(LogisticRegression(C=100), True, teacher, seed=0).fit(_both(X), y)
    assert pupil.classes_.tolist() == [0, 1, 7]
    assert pupil.predict(_both(X))[-1] == 7


def test_what_it_is_called_and_what_the_next_search_begins_with() -> None:
    mixture = spelled(
        [Member("linear", {"penalty": 2.0}, 0.5), Member("tree", {"depth": 3}, 0.7)], []
    )
    params = taught("tree", {"depth": 5}, mixture)
    assert student(params) == ("tree", {"depth": 5})
    assert words(params) == (
        "tree (depth 5), taught by 0.5 times linear (penalty 2), 0.7 times tree (depth 3)"
    )
    start = Start(family="taught", params=params)
    assert begun_with(start, family("tree")) == [{"depth": 5}, {"depth": 3}]
    assert begun_with(start, family("linear")) == [{"penalty": 2.0}]
    assert begun_with(start, family("neural")) == []


def _studied(rows: int, families: list[FamilyName], model_mb: float) -> tuple[Study, Rung]:
    """A curve under much noise, searched with one trial of each family."""
    charter = material.charter(
        tuning={"families": [*families, "taught"], "trials": 1},
        constraints={"train_minutes": 6.0, "model_mb": model_mb},
        evaluation={"folds": 3},
    )
    training = material.training("regression", rows, seed=800)
    table = pq.read_table(place(training.where))
    a, b = (pc.fill_null(table[name], 0.0).to_numpy() for name in ("a", "b"))
    noise = 8 * np.random.default_rng(0).normal(size=rows)
    answer = pa.array(4 * np.sin(2 * a) + 2 * b + noise)
    pq.write_table(table.set_column(table.num_columns - 1, "answer", answer), place(training.where))
    study = tune(charter, training, material.recipe("regression"))
    return study, next(one for one in study.ladder if one.family == "taught")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_where_the_mixture_is_too_large_its_pupil_is_taken(root: Path) -> None:
    study, rung = _studied(2_500, ["histogram", "boosting"], 0.26)
    assert study.family == "taught", rung.why
    assert "too large: 0.3 MB > 0.26 MB" in rung.why
    assert "better than without a teacher" in rung.why
    assert rung.model_mb is not None
    assert rung.model_mb < 0.26
    name, own = student(study.params)
    assert name == "boosting"
    assert {one.family for one in members(study.params)} == {"histogram", "boosting"}
    alone = next(one for one in study.ladder if one.family == name)
    assert alone.params == own
    assert alone.score is not None
    assert rung.score is not None
    assert rung.score < 0.99 * alone.score
    assert isinstance(take(place(study.model)).named_steps["model"], PupilRegressor)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_forest_that_learns_nothing_from_a_mixture_stays_as_it_is(root: Path) -> None:
    study, rung = _studied(1_500, ["forest", "boosting"], 0.25)
    assert study.family == "forest"
    assert rung.trials == 1
    assert rung.why.startswith("not kept: no better than forest without a teacher")
