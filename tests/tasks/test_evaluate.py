"""The judgement as a whole: real pipelines, a real holdout, its page and numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Verdict
from charter.goal import Task
from charter.tuning import FamilyName
from serving.home import place
from tasks import evaluate as judged
from tasks.evaluate import Scorecard, evaluate
from tasks.models import family
from tasks.models.shelf import keep
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.split import folds, load_training, looks
from tasks.tune import Study
from tests.tasks import packaged
from tests.tasks.packaged import Case

AGAINST_DUMMY = {"beat": {"dummy": 0.0}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    return tmp_path


def made(task: Task, name: FamilyName = "linear", **charter: Any) -> tuple[Case, Study]:
    """A project whose study has out-of-fold predictions and a fitted dummy to beat."""
    case = packaged.case(task, name, **{"evaluation": AGAINST_DUMMY, **charter})
    training = load_training(case.split.training)
    inputs = frame(case.recipe.signature, training.table)
    dummy = pipeline(case.recipe, family("dummy"), task, family("dummy").start)
    keep(dummy.fit(inputs, training.truth), place("studies/small/dummy.skops"))
    parts = [
        _predicted(case, task, name, inputs, training.truth, fit, test)
        for fit, test in folds(case.charter, case.split.training, training)
    ]
    pq.write_table(pa.concat_tables(parts), place("studies/small/out_of_fold.parquet"))
    return case, case.study.model_copy(
        update={
            "baselines": {"dummy": "studies/small/dummy.skops"},
            "out_of_fold": "studies/small/out_of_fold.parquet",
        }
    )


def _predicted(
    case: Case, task: Task, name: FamilyName, inputs: Any, truth: np.ndarray, fit: Any, test: Any
) -> pa.Table:
    model = pipeline(case.recipe, family(name), task, family(name).start)
    model.fit(inputs.iloc[fit], truth[fit])
    columns: dict[str, Any] = {"row": test, "truth": truth[test]}
    if task == "regression":
        columns["value"] = np.asarray(model.predict(inputs.iloc[test]), dtype=float)
    else:
        chances = np.asarray(model.predict_proba(inputs.iloc[test]), dtype=float)
        columns |= {f"p_{at}": chances[:, at] for at in range(chances.shape[1])}
    return pa.table(columns)


def judgement(case: Case, study: Study) -> Scorecard:
    return evaluate(case.charter, case.split, case.recipe, study)


def verdict(card: Scorecard, gate: str) -> Verdict:
    return next(found for found in card.verdicts if found.gate == gate)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_task_is_judged_with_its_page_and_numbers(task: Task) -> None:
    cost = {"false_alarm": 1, "miss": 5} if task == "binary" else {}
    goal = {"target": {"column": "answer"}, "cost": cost}
    evaluation = {**AGAINST_DUMMY, "slices": ["flag"]}
    case, study = made(task, goal=goal, evaluation=evaluation)
    card = judgement(case, study)
    main = next(measure for measure in card.measures if measure.name == study.metric)
    assert main.low < main.value < main.high
    assert card.gains["dummy"].low > 0
    assert not [found for found in card.verdicts if found.stops]
    assert (card.decision.threshold is not None) == (task == "binary")
    page = place(card.page).read_text()
    assert all(found.gate in page for found in card.verdicts)
    assert "How the answer hangs on the inputs" in page
    assert "src=" not in page.replace('src="data:', "")
    assert json.loads(place(card.numbers).read_text())["rows"] == case.split.holdout.rows


def test_where_rows_have_a_time_whole_days_are_drawn() -> None:
    data = {"source": {"kind": "csv", "path": "small.csv"}, "time": "at"}
    case, study = made("binary", data=data, evaluation={**AGAINST_DUMMY, "slices": ["flag"]})
    card = judgement(case, study)
    held = pq.read_table(place(case.split.holdout.where))["at"].to_pylist()
    days = {moment.date() for moment in held}
    assert json.loads(place(card.numbers).read_text())["drawn"] == len(days) >= 6
    assert f"{len(days)} whole days" in place(card.page).read_text()


def test_asked_again_the_holdout_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    case, study = made("binary")
    card = judgement(case, study)
    assert len(looks(case.split.holdout)) == 1
    monkeypatch.setattr(judged, "open_holdout", None)
    place(card.page).unlink()
    assert judgement(case, study) == card
    assert place(card.page).exists()


def test_a_killed_judgement_is_made_again_and_counts_as_the_same_study(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, study = made("binary")
    with monkeypatch.context() as patched:
        patched.setattr(judged, "_keep", _killed)
        with pytest.raises(KeyboardInterrupt):
            judgement(case, study)
    card = judgement(case, study)
    assert len(card.looks) == 2
    assert verdict(card, "holdout").passed


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_each_further_study_is_seen_and_the_third_warned_of() -> None:
    case, study = made("binary")
    cards = [
        judgement(case, study.model_copy(update={"fingerprint": letter * 64})) for letter in "abc"
    ]
    assert [verdict(card, "holdout").passed for card in cards] == [True, True, False]
    assert not verdict(cards[-1], "holdout").stops


@pytest.mark.parametrize(
    ("evaluation", "gate"),
    [
        ({**AGAINST_DUMMY, "minimum": {"roc_auc": 0.999}}, "evaluation.minimum.roc_auc"),
        ({**AGAINST_DUMMY, "minimum": {"log_loss": 0.01}}, "evaluation.minimum.log_loss"),
        ({"beat": {"dummy": 0.6}}, "evaluation.beat.dummy"),
        ({**AGAINST_DUMMY, "slices": ["level"], "slice_gap": 1e-6}, "evaluation.slice_gap"),
    ],
)
def test_gates_stop_a_model_that_is_not_good_enough(evaluation: Any, gate: str) -> None:
    case, study = made("binary", evaluation=evaluation, count=3000)
    found = verdict(judgement(case, study), gate)
    assert found.stops
    assert "wanted" in found.message


def test_slices_too_small_to_judge_are_named() -> None:
    evaluation = {**AGAINST_DUMMY, "slices": ["whole"], "slice_gap": 0.1}
    case, study = made("binary", evaluation=evaluation)
    found = verdict(judgement(case, study), "evaluation.slice_gap")
    assert not found.passed
    assert not found.stops
    assert "no value of whole has enough rows" in found.message


def test_a_model_that_knows_nothing_beats_nothing() -> None:
    case, study = made("binary", "dummy")
    card = judgement(case, study)
    assert verdict(card, "evaluation.beat.dummy").stops
    assert "leaves open" in verdict(card, "evaluation.beat.dummy").message
