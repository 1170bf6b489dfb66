"""The ladder climbed for real, on small data and with short minutes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

import tasks.models
from charter import Refusal
from charter.goal import Task
from serving.home import place
from tasks.metrics import measure
from tasks.models import LADDER, family
from tasks.models.base import Family
from tasks.models.shelf import take
from tasks.progress import Step, watched
from tasks.recipe.inputs import frame
from tasks.tune import Rung, Start, Study, tune
from tasks.tuning.ladder import hindrance
from tests.tasks import material, planted

LIGHT = {"families": ["dummy", "linear", "tree"], "trials": 2}


def _tune(
    task: Task = "binary", rows: int = 400, minutes: float = 2.0, linear: bool = False, **more: Any
) -> Study:
    """`minutes` are many where `trials` end the search: the machine may be busy."""
    clauses: dict[str, Any] = {"tuning": LIGHT} | more
    clauses["constraints"] = {"train_minutes": minutes} | clauses.get("constraints", {})
    charter = material.charter(**clauses)
    return tune(charter, material.training(task, rows, linear=linear), material.recipe(task))


def _rung(study: Study, name: str) -> Rung:
    return next(rung for rung in study.ladder if rung.family == name)


def test_the_family_of_the_champion_begins_with_its_parameters(root: Path) -> None:
    champion = Start(family="tree", params={"depth": 4, "leaf": 20})
    charter = material.charter(tuning=LIGHT, constraints={"train_minutes": 2.0})
    study = tune(charter, material.training("binary", 400), material.recipe("binary"), champion)
    assert {rung.family for rung in study.ladder if rung.score} == {"dummy", "linear", "tree"}
    trials = pq.read_table(place(study.trials)).to_pylist()
    first = next(one for one in trials if one["family"] == "tree" and one["number"] == 0)
    assert json.loads(first["params"]).items() >= champion.params.items()


def _plant(monkeypatch: pytest.MonkeyPatch, *members: Family) -> None:
    names = {member.name: member for member in members}
    ladder = tuple(names.get(member.name, member) for member in LADDER)
    monkeypatch.setattr(tasks.models, "LADDER", ladder)


@pytest.mark.parametrize(
    "task",
    [
        "binary",
        pytest.param("multiclass", marks=pytest.mark.slow),
        pytest.param("regression", marks=pytest.mark.slow),
    ],
)
def test_the_ladder_is_climbed_and_its_winner_kept(root: Path, task: Task) -> None:
    steps: list[Step] = []
    with watched(steps.append):
        study = _tune(task)
    assert [rung.family for rung in study.ladder] == [member.name for member in LADDER]
    assert study.seconds <= 1.1 * 120
    assert 0 < study.peak_gb < 4
    assert study.hardware is not None
    assert 0 < study.hardware.cores_used <= study.hardware.cores + 0.1
    assert (study.hardware.device, study.hardware.device_share) == ("", None)
    assert "no CUDA device" in study.hardware.words
    for name in ("dummy", "linear", "tree"):
        rung = _rung(study, name)
        assert rung.score is not None
        assert rung.low is not None
        assert rung.high is not None
        assert rung.low <= rung.score <= rung.high
        assert rung.trials == (1 if name == "dummy" else 2)
        assert rung.model_mb
        assert rung.row_ms
    assert sum(rung.taken for rung in study.ladder) == 1
    assert _rung(study, study.family).taken
    assert _rung(study, study.family).why.startswith("took: ")
    assert "tuning.families" in _rung(study, "forest").why
    assert steps[-1].stage == "tune"
    assert any("trial" in step.note for step in steps)

    rows = pq.read_table(place(study.out_of_fold))
    outputs = [name for name in rows.column_names if name not in ("row", "truth")]
    answers = np.column_stack([rows[name].to_numpy() for name in outputs])
    found = measure(
        study.metric, rows["truth"].to_numpy(), answers if task != "regression" else answers.ravel()
    )
    assert found == pytest.approx(_rung(study, study.family).score, rel=0.1)
    trials = pq.read_table(place(study.trials)).to_pylist()
    assert [trial["number"] for trial in trials] == list(range(5))
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    assert "Why" in place("pages/toy/study.html").read_text()

    table = material.table(task, 50, seed=1)
    inputs = frame(material.recipe(task).signature, table)
    for where in (study.model, *study.baselines.values()):
        model = take(place(where))
        assert len(model.predict(inputs)) == 50
    assert set(study.baselines) == {"dummy"}

    record = place(study.where) / "study.json"
    written = record.stat().st_mtime_ns
    assert _tune(task) == study  # at once, from the record
    assert record.stat().st_mtime_ns == written


def test_a_fit_that_hangs_does_not_break_the_budget(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, planted.HangingForest(), planted.RaisingTree())
    study = _tune(
        minutes=0.4,
        tuning={"families": ["dummy", "linear", "tree", "forest"]},
    )
    assert study.seconds <= 1.1 * 24
    assert study.family == "linear"
    assert _rung(study, "forest").score is None
    assert "time was over" in _rung(study, "forest").why
    assert "ValueError: cannot be fitted" in _rung(study, "tree").why
    failed = [
        trial
        for trial in pq.read_table(place(study.trials)).to_pylist()
        if trial["family"] == "forest"
    ]
    assert failed
    assert {trial["state"] for trial in failed} == {"failed"}


@pytest.mark.slow
def test_a_fit_that_eats_memory_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, planted.EatingForest())
    limit = round(psutil.Process().memory_info().rss / 2**30 + 0.8, 2)  # this process counts, too
    study = _tune(
        constraints={"memory_gb": limit}, tuning={"families": ["dummy", "forest"], "trials": 1}
    )
    assert study.family == "dummy"
    assert study.peak_gb < 1.1 * limit
    assert f"of {limit:g} GiB" in _rung(study, "forest").why


def test_only_what_the_constraints_allow_is_taken(root: Path) -> None:
    study = _tune(
        tuning={"families": ["dummy", "linear", "tree"], "trials": 1},
        constraints={"interpretable": True, "model_mb": 0.0035},
        evaluation={"beat": {"forest": 0}},
    )
    assert study.family == "dummy"
    assert "too large: " in _rung(study, "linear").why
    assert _rung(study, "linear").score is not None
    assert "tuning.families" in _rung(study, "boosting").why
    assert "baseline only" in _rung(study, "forest").why
    assert take(place(study.baselines["forest"])).named_steps["model"].n_estimators == 100


def test_why_a_family_is_not_tried() -> None:
    charter = material.charter(constraints={"interpretable": True})
    assert hindrance(charter, family("tree"), "binary") == ""
    assert "logic cannot be printed" in hindrance(charter, family("neural"), "binary")
    assert "goal.heuristic" in hindrance(charter, family("heuristic"), "binary")
    assert "goal.target.anomalies" in hindrance(material.charter(), family("oddness"), "binary")
    short, long = (material.charter(constraints={"train_minutes": m}) for m in (1, 5))
    assert "3 minutes on" in hindrance(short, family("extra_trees"), "binary")
    assert hindrance(long, family("extra_trees"), "binary") == ""
    assert "not made for regression" in hindrance(long, family("bayes"), "regression")


@pytest.mark.parametrize(
    ("constraints", "remedy"),
    [
        ({"train_minutes": 0.001}, "charter.constraints.train_minutes.*Raise it"),
        ({"memory_gb": 0.05}, "charter.constraints.memory_gb.*train on fewer rows"),
        ({"device": "cuda"}, "device: auto"),
        ({"model_mb": 0.0001}, "charter.constraints.model_mb.*allow smaller families"),
    ],
)
def test_what_cannot_be_is_refused(root: Path, constraints: dict[str, Any], remedy: str) -> None:
    alone = {"families": ["tree"], "trials": 1}
    with pytest.raises(Refusal, match=remedy):
        _tune(constraints=constraints, tuning=alone, evaluation={"beat": {}})
    assert not list(place("studies").glob("*/*/clock.json"))  # the next try has the minutes again


def test_the_same_catalogue_everywhere() -> None:
    names: Sequence[str] = [member.name for member in LADDER]
    assert names == [
        "dummy",
        "heuristic",
        "linear",
        "bayes",
        "oddness",
        "neighbours",
        "tree",
        "forest",
        "extra_trees",
        "histogram",
        "boosting",
        "neural",
        "taught",
        "blend",
        "stack",
    ]
    assert all(family(name).name == name for name in names)
