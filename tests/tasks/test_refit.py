"""The model that goes live knows the rows that it was judged on; what was said of it stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from charter.goal import Task
from serving.bundle import load
from serving.home import place
from serving.predictor import Predictor
from tasks import lake
from tasks.evaluate import Measure
from tasks.packaging.parity import as_sent, served
from tasks.refit import Refitted, refit
from tasks.split import load_training, looks, open_holdout
from tests.tasks.packaged import Case, case


def refitted(made: Case, *sources: lake.Table) -> Refitted:
    return refit(
        made.charter, made.table, made.profile, made.split, made.recipe, made.study,
        made.scorecard, made.package(*sources), sources,
    )  # fmt: skip


def judged_at(made: Case, name: str, low: float, high: float) -> Case:
    """The same project, the judged model having had this interval."""
    measure = Measure(name=name, value=(low + high) / 2, low=low, high=high)
    return replace(made, scorecard=made.scorecard.model_copy(update={"measures": (measure,)}))


@pytest.mark.parametrize(
    "task",
    [
        "binary",
        pytest.param("multiclass", marks=pytest.mark.slow),
        pytest.param("regression", marks=pytest.mark.slow),
    ],
)
def test_the_refit_is_the_same_recipe_on_all_rows(root: Path, task: Task) -> None:
    made = case(task, "boosting")
    made = judged_at(made, made.study.metric, *((0.5, 0.9) if task == "binary" else (0.1, 99.0)))
    judged, found = made.package(), refitted(made)
    assert found.rows == made.split.training.rows + made.split.holdout.rows == 600
    assert found.bundle.fingerprint != judged.fingerprint
    assert all(verdict.passed for verdict in found.bundle.verdicts), found.bundle.verdicts
    manifest, before = load(place(found.bundle.where)).manifest, load(place(judged.where)).manifest
    assert (manifest.refit_of, manifest.judged) == (judged.fingerprint, judged.fingerprint)
    assert manifest.study == before.study
    for file in ("scorecard.json", "decision.json", "reference.json"):
        assert manifest.files[file] == before.files[file]
    assert _loss(made, found.bundle.where) < 0.9 * _loss(made, judged.where)  # it knows them now


def _loss(made: Case, where: str) -> float:
    """Mean squared distance from the truth of the holdout."""
    held = open_holdout(made.split.holdout, "test", "whether it was learnt")
    predictor = Predictor(place(where))
    found = served(predictor, as_sent(predictor.signature, held.table))
    truth = held.truth[:, None]
    if made.split.holdout.classes:
        truth = np.eye(len(made.split.holdout.classes))[held.truth]
    return float(np.mean((found - truth) ** 2))


@pytest.mark.slow
def test_a_second_run_gives_the_same_refit_without_another_look(root: Path) -> None:
    made = judged_at(case("binary", "linear"), "roc_auc", 0.5, 0.6)
    first = refitted(made)
    seen = len(looks(made.split.holdout))
    assert refitted(made) == first
    assert len(looks(made.split.holdout)) == seen
    assert {look.by for look in looks(made.split.holdout)} == {"package", "refit"}


@pytest.mark.slow
def test_its_rows_end_where_the_holdout_ends(root: Path) -> None:
    """So that the next comparison takes only rows that are later."""
    data = {"source": {"kind": "csv", "path": "small.csv"}, "time": "at"}
    evaluation = {"split": {"by": "time", "holdout": "20d"}}
    made = case("binary", "linear", data=data, evaluation=evaluation)
    made = judged_at(made, "roc_auc", 0.5, 0.6)
    last = {
        "training": load_training(made.split.training).table,
        "holdout": open_holdout(made.split.holdout, "test", "its last row").table,
    }
    until = {side: max(table["at"].to_pylist()).timestamp() for side, table in last.items()}
    assert load(place(made.package().where)).manifest.until == until["training"]
    assert load(place(refitted(made).bundle.where)).manifest.until == until["holdout"]
    assert until["training"] < until["holdout"]


def test_the_card_says_which_model_its_figures_are_of(root: Path) -> None:
    made = judged_at(case("binary", "linear"), "roc_auc", 0.5, 0.6)
    judged = made.package()
    card = (place(refitted(made).bundle.where) / "card.md").read_text()
    assert f"judged, bundle {judged.fingerprint[:16]}" in card
    assert "on all 600 rows" in card
    assert "fitted once more" not in (place(judged.where) / "card.md").read_text()


def test_a_refit_that_answers_worse_is_not_delivered(root: Path) -> None:
    made = judged_at(case("binary", "dummy"), "roc_auc", 0.8, 0.9)
    found = refitted(made)
    assert found.bundle == made.package()
    assert found.rows is None
    assert "surely 0.8" in found.reason


def test_a_refit_that_has_no_time_leaves_what_was_judged(root: Path) -> None:
    made = case("binary", "forest", constraints={"train_minutes": 1e-6})
    found = refitted(made)
    assert found.bundle == made.package()
    assert found.reason.startswith("as it was judged: the refit ")
