"""Mixtures: made of what was tried, weighed without fooling themselves, and fitted as one model."""

from __future__ import annotations

import json
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
from tasks.metrics import greater_is_better, measure
from tasks.models import family
from tasks.models.blend import Member, members, spelled, words
from tasks.models.blended import BlendedRegressor
from tasks.models.shelf import take
from tasks.models.stacked import StackedRegressor
from tasks.recipe.inputs import frame
from tasks.tune import Start, tune
from tasks.tuning.blending import Blending
from tasks.tuning.choice import Choice
from tasks.tuning.climb import WEIGHED
from tasks.tuning.greedy import Greedy
from tasks.tuning.ladder import begun_with, hindrance
from tasks.tuning.mixture import Way, candidates
from tasks.tuning.search import Entry
from tasks.tuning.stacking import Stacking, learned
from tests.tasks import material

ROWS = 3_000
FOLDS = 3
GREEDY, STACKING = Greedy(), Stacking()
both_ways = pytest.mark.parametrize("way", [GREEDY, STACKING], ids=["greedy", "stacking"])


@dataclass
class Ground:
    """What blending asks of its ground: the truth, the folds and what was answered."""

    truth: np.ndarray
    kept: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    charter: Any = field(default_factory=material.charter)
    seed: int = 0
    metric: str = "roc_auc"

    @property
    def greater(self) -> bool:
        return greater_is_better(self.metric)

    @property
    def training(self) -> Any:
        return SimpleNamespace(metric=self.metric)

    @property
    def prices(self) -> np.ndarray:
        return np.ones(2)

    @property
    def floor(self) -> float:
        return self.score(self.truth, np.full(len(self.truth), self.truth.mean()))

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
        return measure(self.metric, truth, answers)

    def better(self, one: float, other: float | None) -> bool:
        return other is None or (one > other if self.greater else one < other)


def _truth(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, rows)


def _blending(
    ground: Ground,
    said: dict[FamilyName, np.ndarray],
    seconds: float = 100.0,
    mb: float = 1.0,
    way: Way = GREEDY,
) -> Blending:
    """Of one trial for each family: its scores for the positive class, or its values."""
    climbs: list[Any] = []
    for name, positive in said.items():
        numbers = ground.metric == "rmse"
        answers = positive if numbers else np.column_stack([1 - positive, positive])
        ground.kept[name, 0] = answers
        notes = {"mb": mb, "row_ms": 0.1, "final": 10.0}
        entry = Entry(
            0, {"of": name}, "complete", ground.score(ground.truth, answers), 1, "", 0, notes
        )
        climbs.append(
            SimpleNamespace(family=family(name), rows=None, ranked=lambda entry=entry: [entry])
        )
    found = candidates(ground, climbs)  # type: ignore[arg-type]
    return Blending(ground, found, seconds, way)  # type: ignore[arg-type]


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
    assert blending.best.notes == {"mb": 2.0, "row_ms": 0.2, "final": 20.0 - WEIGHED}


@both_ways
def test_luck_in_picking_is_not_told_as_skill(way: Way) -> None:
    """Picked among answers that know nothing, the best mixture looks good where it was picked."""
    scores = []
    names: tuple[FamilyName, ...] = (
        "dummy", "linear", "bayes", "tree", "forest", "extra_trees", "histogram", "neural"
    )  # fmt: skip
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ground = Ground(rng.integers(0, 2, 300))
        blending = _blending(ground, {name: rng.random(300) for name in names}, way=way)
        if blending.best is not None and blending.best.score is not None:
            scores.append(blending.best.score)
    assert len(scores) >= 5
    assert np.mean(scores) < 0.53  # picked and judged on the same rows: 0.58


@both_ways
def test_what_knows_nothing_gets_no_share(way: Way) -> None:
    ground = Ground(_truth())
    said = _views(ground.truth)
    said["neural"] = np.random.default_rng(2).random(ROWS)
    found = _blending(ground, said, way=way).best
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
@both_ways
def test_the_constraints_bind_its_members_together(
    said: tuple[FamilyName, ...], limits: dict[str, float], why: str, way: Way
) -> None:
    ground = Ground(_truth(), charter=material.charter(constraints={"model_mb": 100}))
    views = list(_views(ground.truth).values())
    blending = _blending(ground, dict(zip(said, views, strict=False)), way=way, **limits)
    assert blending.contender is None
    assert why in blending.why


def test_one_that_is_best_alone_is_no_blend() -> None:
    ground = Ground(_truth())
    clear = _chance(8 * (ground.truth - 0.5) + np.random.default_rng(1).normal(size=ROWS))
    blurred = _chance(np.random.default_rng(2).normal(size=ROWS))
    assert "no mixture" in _blending(ground, {"linear": clear, "tree": blurred}).why


def _leaning(rng: np.random.Generator) -> tuple[Ground, dict[FamilyName, np.ndarray]]:
    """Values that are told too small and too large, each with noise of its own."""
    truth = rng.normal(50, 10, ROWS)
    said: dict[FamilyName, np.ndarray] = {
        "linear": 0.4 * truth + 3 * rng.normal(size=ROWS),
        "boosting": 1.8 * truth + 12 * rng.normal(size=ROWS),
    }
    return Ground(truth, metric="rmse"), said


def test_a_stack_puts_right_what_leans() -> None:
    ground, said = _leaning(np.random.default_rng(0))
    ladder = [_blending(ground, said, way=way) for way in (GREEDY, STACKING)]
    greedy, stack = (one.best for one in ladder)
    assert greedy is not None
    assert stack is not None
    assert greedy.score is not None
    assert stack.score is not None
    assert _taken(ground, ladder) == "stack"
    # two views of the truth, whose errors are 3 / 0.4 and 12 / 1.8, and what is known before
    least = (1 / (7.5**-2 + (12 / 1.8) ** -2 + 10**-2)) ** 0.5
    assert stack.score == pytest.approx(least, rel=0.02)
    assert greedy.score > 1.1 * stack.score
    assert "times linear (of linear)" in words(stack.params)
    assert "on a level of" in words(stack.params)


def test_a_stack_weighs_probabilities_by_how_sure_they_may_be() -> None:
    """One view that is far too sure and one that is far too shy."""
    ground = Ground(_truth(), metric="log_loss")
    views = _views(ground.truth)
    sure, shy = (np.log(one / (1 - one)) for one in views.values())
    said: dict[FamilyName, np.ndarray] = {
        "linear": _chance(3 * sure - 1), "boosting": _chance(0.25 * shy)
    }  # fmt: skip
    greedy, stack = (_blending(ground, said, way=way).best for way in (GREEDY, STACKING))
    assert stack is not None
    assert stack.score is not None
    known = _chance((sure + shy) / 4)  # as the noise has a variance of 4: the best that can be said
    least = ground.score(ground.truth, np.column_stack([1 - known, known]))
    assert stack.score == pytest.approx(least, abs=0.005)
    assert greedy is None or greedy.score is None or greedy.score > stack.score + 0.005


def _taken(ground: Ground, ladder: list[Blending]) -> str:
    contenders = [one.contender for one in ladder if one.contender is not None]
    return Choice(ground, contenders).taken.family  # type: ignore[arg-type]


def test_where_the_mean_is_right_a_stack_is_no_better() -> None:
    scores = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        known = rng.normal(50, 10, 300)
        truth = known + 5 * rng.normal(size=300)
        names: tuple[FamilyName, ...] = ("linear", "tree", "forest", "boosting", "neural")
        said = {name: known + 2 * rng.normal(size=300) for name in names}
        ground = Ground(truth, metric="rmse")
        ladder = [_blending(ground, said, way=way) for way in (GREEDY, STACKING)]
        greedy, stack = (one.best for one in ladder)
        assert greedy is not None
        assert stack is not None
        assert _taken(ground, ladder) == "blend"
        scores.append((greedy.score or 0.0, stack.score or 0.0))
    greedy_score, stack_score = np.mean(scores, axis=0)
    assert stack_score == pytest.approx(greedy_score, rel=0.05)


def test_many_classes_keep_their_levels() -> None:
    """A class that both members tell too seldom."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, ROWS)
    shares, levels = learned([_seldom(truth, rng) for _ in range(2)], truth)
    assert (shares > 0.2).all()
    assert levels[2] > levels[:2].max() + 1


def _seldom(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    scores = 2 * np.eye(3)[truth] + 1.5 * rng.normal(size=(len(truth), 3)) - [0, 0, 2]
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_the_members_of_the_champion_begin_with_its_parameters() -> None:
    blend = spelled([Member("linear", {"penalty": 2.0}, 0.5), Member("tree", {"depth": 3}, 0.5)])
    start = Start(family="blend", params=blend)
    stack = spelled([Member("tree", {"depth": 5}, 0.7), Member("linear", {}, 0.6)], [1.5])
    assert begun_with(Start(family="stack", params=stack), family("tree")) == [{"depth": 5}]
    assert begun_with(start, family("tree")) == [{"depth": 3}]
    assert begun_with(start, family("boosting")) == []
    assert begun_with(Start(family="tree", params={"depth": 4}), family("tree")) == [{"depth": 4}]
    assert begun_with(None, family("tree")) == []


@pytest.mark.parametrize("name", ["blend", "stack"])
def test_where_a_mixture_is_not_tried(name: str) -> None:
    blend = family(name)
    interpretable = material.charter(constraints={"interpretable": True})
    assert "interpretable" in hindrance(interpretable, blend, "binary")
    fair = material.charter(fairness={"sensitive": ["colour"]})
    assert "fairness.mitigations" in hindrance(fair, blend, "binary")
    judged = material.charter(fairness={"sensitive": ["colour"], "mitigations": []})
    assert hindrance(judged, blend, "binary") == ""


@pytest.mark.timeout(300)
@pytest.mark.slow
@pytest.mark.parametrize("name", ["blend", "stack"])
def test_a_mixture_that_wins_is_fitted_and_answers(root: Path, name: FamilyName) -> None:
    """A slope that trees see in steps, and a bend that a line does not see."""
    charter = material.charter(
        tuning={"families": ["linear", "boosting", name], "trials": 1},
        constraints={"train_minutes": 3.0},
    )
    training = material.training("regression", 1_500)
    rows = pq.read_table(place(training.where))
    a, b = (pc.fill_null(rows[name], 0.0).to_numpy() for name in ("a", "b"))
    noise = np.random.default_rng(0).normal(size=len(a))
    answer = pa.array(12 * a + 12 * b + 4 * np.sign(a * b) + noise)
    pq.write_table(rows.set_column(rows.num_columns - 1, "answer", answer), place(training.where))
    study = tune(charter, training, material.recipe("regression"))
    rung = next(one for one in study.ladder if one.family == name)
    assert rung.trials == 1
    assert study.family == name, [(one.family, one.score) for one in study.ladder if one.score]
    assert rung.model_mb
    model = take(place(study.model))
    parts = members(study.params)
    assert {one.family for one in parts} == {"linear", "boosting"}
    kind = StackedRegressor if name == "stack" else BlendedRegressor
    assert isinstance(model.named_steps["model"], kind)
    inputs = frame(material.recipe("regression").signature, rows.slice(0, 50))
    X = model.named_steps["prepare"].transform(inputs)
    blended = model.named_steps["model"]
    each = [
        one.share * member.predict(blended._side(X, scaled))
        for one, member, scaled in zip(parts, blended.members_, blended.scaled, strict=True)
    ]
    level = json.loads(str(study.params["levels"]))[0] if name == "stack" else 0.0
    assert np.allclose(np.sum(each, axis=0) + level, model.predict(inputs))
