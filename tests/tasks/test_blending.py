"""The blend: picked from what was tried, weighed without fooling itself, and fitted as one model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from charter.tuning import FamilyName
from serving.home import place
from tasks.metrics import measure
from tasks.models import family
from tasks.models.blend import Member, members, spelled
from tasks.models.blended import BlendedRegressor
from tasks.models.shelf import take
from tasks.recipe.inputs import frame
from tasks.tune import Start, tune
from tasks.tuning.blending import Blending
from tasks.tuning.ladder import begun_with, hindrance
from tasks.tuning.search import Entry
from tests.tasks import material

ROWS = 3_000
FOLDS = 3


@dataclass
class Ground:
    """What blending asks of its ground: the truth, the folds and what was answered."""

    truth: np.ndarray
    kept: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    charter: Any = field(default_factory=material.charter)
    seed: int = 0
    greater: bool = True

    @property
    def survey(self) -> Any:
        return SimpleNamespace(tests=np.array_split(np.arange(len(self.truth)), FOLDS))

    @property
    def clock(self) -> Any:
        return SimpleNamespace(total=3_600.0, spent=0.0)

    @property
    def folder(self) -> Any:
        return SimpleNamespace(answers=lambda name, number: self.kept.get((name, number)))

    def score(self, truth: np.ndarray, answers: np.ndarray) -> float:
        return measure("roc_auc", truth, answers)

    def better(self, one: float, other: float | None) -> bool:
        return other is None or one > other


def _truth(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, rows)


def _blending(
    ground: Ground, said: dict[FamilyName, np.ndarray], seconds: float = 100.0, mb: float = 1.0
) -> Blending:
    """Of one trial for each family: its scores for the positive class."""
    climbs = []
    for name, positive in said.items():
        answers = np.column_stack([1 - positive, positive])
        ground.kept[name, 0] = answers
        notes = {"mb": mb, "row_ms": 0.1, "final": 10.0}
        entry = Entry(
            0, {"of": name}, "complete", ground.score(ground.truth, answers), 1, "", 0, notes
        )
        climbs.append(
            SimpleNamespace(family=family(name), rows=None, ranked=lambda entry=entry: [entry])
        )
    return Blending(ground, climbs, seconds)  # type: ignore[arg-type]


def _views(truth: np.ndarray, noise: float = 2.0) -> dict[FamilyName, np.ndarray]:
    """Two families that see the truth behind noise of their own."""
    rng = np.random.default_rng(1)
    names: tuple[FamilyName, ...] = ("linear", "boosting")
    return {name: _chance(truth - 0.5 + noise * rng.normal(size=len(truth))) for name in names}


def _chance(score: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-score)))


def test_two_that_err_apart_are_better_together() -> None:
    ground = Ground(_truth())
    said = _views(ground.truth)
    blending = _blending(ground, said)
    assert blending.best is not None
    assert blending.contender is not None
    found = members(blending.best.params)
    assert sum(one.share for one in found) == pytest.approx(1)
    assert all(one.share == pytest.approx(0.5, abs=0.1) for one in found)
    assert {one.family: one.params for one in found} == {name: {"of": name} for name in said}
    alone = [measure("roc_auc", ground.truth, np.column_stack([1 - p, p])) for p in said.values()]
    assert blending.best.score is not None
    assert blending.best.score > max(alone) + 0.02
    assert blending.best.notes == {"mb": 2.0, "row_ms": 0.2, "final": 20.0}


def test_luck_in_picking_is_not_told_as_skill() -> None:
    """Picked among answers that know nothing, the best mixture looks good where it was picked."""
    scores = []
    names: tuple[FamilyName, ...] = (
        "dummy", "linear", "bayes", "tree", "forest", "extra_trees", "histogram", "neural"
    )  # fmt: skip
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ground = Ground(rng.integers(0, 2, 300))
        blending = _blending(ground, {name: rng.random(300) for name in names})
        if blending.best is not None and blending.best.score is not None:
            scores.append(blending.best.score)
    assert len(scores) >= 5
    assert np.mean(scores) < 0.53  # picked and judged on the same rows: 0.58


def test_what_knows_nothing_gets_no_share() -> None:
    ground = Ground(_truth())
    said = _views(ground.truth)
    said["neural"] = np.random.default_rng(2).random(ROWS)
    found = _blending(ground, said).best
    assert found is not None
    assert {one.family for one in members(found.params)} == {"linear", "boosting"}


@pytest.mark.parametrize(
    ("said", "limits", "why"),
    [
        (("linear",), {}, "two families"),
        (("linear", "neighbours"), {}, "two families"),  # the training rows are no member
        (("linear", "boosting"), {"seconds": 15.0}, "no mixture"),
        (("linear", "boosting"), {"mb": 60.0}, "no mixture"),
    ],
)
def test_the_constraints_bind_its_members_together(
    said: tuple[FamilyName, ...], limits: dict[str, float], why: str
) -> None:
    ground = Ground(_truth(), charter=material.charter(constraints={"model_mb": 100}))
    views = list(_views(ground.truth).values())
    blending = _blending(ground, dict(zip(said, views, strict=False)), **limits)
    assert blending.contender is None
    assert why in blending.why


def test_one_that_is_best_alone_is_no_blend() -> None:
    ground = Ground(_truth())
    clear = _chance(8 * (ground.truth - 0.5) + np.random.default_rng(1).normal(size=ROWS))
    blurred = _chance(np.random.default_rng(2).normal(size=ROWS))
    assert "no mixture" in _blending(ground, {"linear": clear, "tree": blurred}).why


def test_the_members_of_the_champion_begin_with_its_parameters() -> None:
    blend = spelled([Member("linear", {"penalty": 2.0}, 0.5), Member("tree", {"depth": 3}, 0.5)])
    start = Start(family="blend", params=blend)
    assert begun_with(start, family("tree")) == [{"depth": 3}]
    assert begun_with(start, family("boosting")) == []
    assert begun_with(Start(family="tree", params={"depth": 4}), family("tree")) == [{"depth": 4}]
    assert begun_with(None, family("tree")) == []


def test_where_a_blend_is_not_tried() -> None:
    blend = family("blend")
    interpretable = material.charter(constraints={"interpretable": True})
    assert "interpretable" in hindrance(interpretable, blend, "binary")
    fair = material.charter(fairness={"sensitive": ["colour"]})
    assert "fairness.mitigations" in hindrance(fair, blend, "binary")
    judged = material.charter(fairness={"sensitive": ["colour"], "mitigations": []})
    assert hindrance(judged, blend, "binary") == ""


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_a_blend_that_wins_is_fitted_and_answers(root: Path) -> None:
    """A slope that trees see in steps, and a bend that a line does not see."""
    charter = material.charter(
        tuning={"families": ["linear", "boosting", "blend"], "trials": 1},
        constraints={"train_minutes": 3.0},
    )
    training = material.training("regression", 1_500)
    rows = pq.read_table(place(training.where))
    a, b = (pc.fill_null(rows[name], 0.0).to_numpy() for name in ("a", "b"))
    noise = np.random.default_rng(0).normal(size=len(a))
    answer = pa.array(12 * a + 12 * b + 4 * np.sign(a * b) + noise)
    pq.write_table(rows.set_column(rows.num_columns - 1, "answer", answer), place(training.where))
    study = tune(charter, training, material.recipe("regression"))
    rung = study.ladder[-1]
    assert rung.family == "blend"
    assert rung.trials == 1
    assert study.family == "blend", [(one.family, one.score) for one in study.ladder if one.score]
    assert rung.model_mb
    model = take(place(study.model))
    parts = members(study.params)
    assert {one.family for one in parts} == {"linear", "boosting"}
    assert isinstance(model.named_steps["model"], BlendedRegressor)
    inputs = frame(material.recipe("regression").signature, rows.slice(0, 50))
    X = model.named_steps["prepare"].transform(inputs)
    blended = model.named_steps["model"]
    each = [
        one.share * member.predict(blended._side(X, scaled))
        for one, member, scaled in zip(parts, blended.members_, blended.scaled, strict=True)
    ]
    assert np.allclose(np.sum(each, axis=0), model.predict(inputs))
