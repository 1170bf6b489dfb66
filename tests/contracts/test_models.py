"""What every family of the catalogue owes: one walk through all of them, for each kind of task."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from charter.constraints import Constraints
from charter.goal import Task
from charter.tuning import INTERPRETABLE, FamilyName
from serving.packing import Packed, pack_batch
from serving.signature import Signature
from tasks.engineer import PcaTrial, Recipe
from tasks.graph import convert
from tasks.models import LADDER
from tasks.models.base import Choice, Family, Real, Value, Whole
from tasks.models.foreseen import WITHIN, WITHIN_TIME, Shape
from tasks.models.portfolio import LARGE, portfolio
from tasks.models.shelf import keep, take
from tasks.packaging.parity import LIMIT
from tasks.recipe.extent import extent
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.tuning.foresight import Foresight
from tasks.tuning.weights import fit
from tests.contracts.test_graph import ask, graph
from tests.tasks import packaged

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
ROWS = 1_500
PAIRS = [(member, task) for member in LADDER for task in member.tasks]
every_pair = pytest.mark.parametrize(
    ("member", "task"), PAIRS, ids=[f"{member.name}-{task}" for member, task in PAIRS]
)


@dataclass(frozen=True)
class Fitted:
    """A pipeline fitted with the parameters that its family begins with."""

    recipe: Recipe
    pipeline: Any
    inputs: pd.DataFrame
    truth: np.ndarray

    def answers(self, inputs: pd.DataFrame) -> np.ndarray:
        numbers = self.recipe.signature.task == "regression"
        found = self.pipeline.predict(inputs) if numbers else self.pipeline.predict_proba(inputs)
        return np.asarray(found, dtype=np.float64)


@every_pair
def test_its_portfolio_lies_in_its_space(member: Family, task: Task) -> None:
    space = member.space(task, 10_000, 20)
    for point in (*portfolio(member.name, task, 0), *portfolio(member.name, task, LARGE)):
        point = {"log": False, **point} if "log" in space else point
        assert point.keys() == space.keys()
        for name, part in space.items():
            value = point[name]
            if isinstance(part, Choice):
                assert value in part.grid
            else:
                assert isinstance(value, int if isinstance(part, Whole) else int | float)
                assert part.low <= value <= part.high
        member.build(task, point, 0, "cpu")


def start(member: Family) -> dict[str, Value]:
    """Its first parameters, with fewer trees."""
    return {name: 30 if name == "trees" else value for name, value in member.start.items()}


@cache
def fitted(name: FamilyName, task: Task) -> Fitted:
    return made(name, task, start(next(one for one in LADDER if one.name == name)))


def made(name: FamilyName, task: Task, params: Mapping[str, Value]) -> Fitted:
    member = next(one for one in LADDER if one.name == name)
    table = packaged.rows(task, ROWS)
    trial = PcaTrial(columns=("level", "wide"), components=1, kept=True, explanation="")
    recipe = packaged.recipe(task, table).model_copy(update={"pca": trial})
    answer, classes = table["answer"].to_pylist(), packaged.CLASSES[task]
    truth = answer if task == "regression" else [classes.index(one) for one in answer]
    inputs, wanted = frame(recipe.signature, table), np.asarray(truth)
    chain = pipeline(recipe, member, task, params)
    return Fitted(recipe, chain.fit(inputs, wanted), inputs, wanted)


def awkward(signature: Signature, seed: int = 1) -> tuple[pd.DataFrame, Packed]:
    """Rows of the kind the model was fitted on, spoilt with what it never saw."""
    rng = np.random.default_rng(seed)
    table = packaged.rows(signature.task, ROWS, seed)
    packed = pack_batch(signature, table.combine_chunks().to_batches()[0])
    spoil = rng.random(packed.numbers.shape)
    packed.numbers[spoil < 0.02] = np.nan
    extremes = rng.choice([0.0, -1.0, 3e38, -3e38, 1e15, 1e-300], packed.numbers.shape)
    times = signature.numbers.index("at")
    extremes[:, times] = rng.choice([-6.2e10, 2.5e11, -1e-6, 951_782_400.0], ROWS)
    packed.numbers[spoil > 0.98] = extremes[spoil > 0.98]
    packed.numbers[0] = np.nan
    packed.texts[rng.random(packed.texts.shape) < 0.05] = "never seen"
    packed.texts[rng.random(packed.texts.shape) < 0.02] = ""
    columns = {name: packed.numbers[:, i] for i, name in enumerate(signature.numbers)}
    words = {
        name: pd.Series(packed.texts[:, i], dtype="str") for i, name in enumerate(signature.texts)
    }
    return pd.DataFrame({**columns, **words}), packed


def test_the_catalogue_is_what_a_charter_can_name() -> None:
    assert tuple(member.name for member in LADDER) == get_args(FamilyName)
    assert {member.name for member in LADDER if member.interpretable} == INTERPRETABLE


@every_pair
def test_it_learns_and_answers_whatever_is_missing(member: Family, task: Task) -> None:
    one = fitted(member.name, task)
    rows, _ = awkward(one.recipe.signature)
    found = one.answers(rows)
    assert np.isfinite(found).all()
    if task == "regression":
        assert found.shape == (ROWS,)
        error, spread = np.mean((one.answers(one.inputs) - one.truth) ** 2), np.var(one.truth)
        assert error <= spread * (1.0 if member.name == "dummy" else 0.9) + 1e-9
    else:
        assert found.shape == (ROWS, len(packaged.CLASSES[task]))
        np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
        right = np.mean(np.argmax(one.answers(one.inputs), axis=1) == one.truth)
        most = np.bincount(one.truth).max() / ROWS
        assert right >= most if member.name == "dummy" else right > most + 0.03


@every_pair
def test_its_graph_answers_as_it_does_and_one_row_as_many(member: Family, task: Task) -> None:
    one = fitted(member.name, task)
    rows, packed = awkward(one.recipe.signature)
    wanted = one.answers(rows)
    model = graph(one.pipeline, one.recipe.signature)
    found = ask(model, packed)
    assert found.shape == wanted.shape
    scale = np.maximum(1.0, np.abs(wanted)) if task == "regression" else 1.0
    assert np.max(np.abs(found - wanted) / scale) <= LIMIT
    singly = np.concatenate([ask(model, packed[i : i + 1]) for i in range(100)])
    assert np.max(np.abs(singly - found[:100]) / np.maximum(1.0, np.abs(singly))) <= 1e-9
    alone = np.concatenate([one.answers(rows.iloc[[i]]) for i in range(10)])
    np.testing.assert_allclose(alone, wanted[:10], rtol=1e-6, atol=1e-9)


@every_pair
def test_the_same_seed_makes_the_same_model(member: Family, task: Task) -> None:
    one, again = fitted(member.name, task), made(member.name, task, start(member))
    graphs = [
        convert(each.pipeline, one.recipe.signature).SerializeToString(deterministic=True)
        for each in (one, again)
    ]
    assert graphs[0] == graphs[1]


@every_pair
def test_it_comes_back_from_the_shelf_as_it_went(
    member: Family, task: Task, tmp_path: Path
) -> None:
    one = fitted(member.name, task)
    keep(one.pipeline, tmp_path / "model.skops")
    back = Fitted(one.recipe, take(tmp_path / "model.skops"), one.inputs, one.truth)
    np.testing.assert_allclose(back.answers(one.inputs), one.answers(one.inputs), rtol=1e-12)


@every_pair
def test_its_start_lies_in_its_space_and_each_corner_can_be_built(
    member: Family, task: Task
) -> None:
    space = member.space(task, ROWS, 7)
    assert set(space) == set(member.start)
    for part in space.values():
        if isinstance(part, Whole | Real):
            assert part.low <= min(part.grid) <= max(part.grid) <= part.high
    for corner in (0, -1):
        ends = {name: _ends(part)[corner] for name, part in space.items()}
        assert hasattr(member.build(task, ends, 0, "cpu"), "fit")


def _ends(part: Whole | Real | Choice) -> tuple[Value, ...]:
    return part.grid if isinstance(part, Choice) else (part.low, part.high)


def foresight(member: Family, one: Fitted, **limits: float) -> Foresight:
    shape = Shape(ROWS, 7, len(one.recipe.signature.classes))
    return Foresight(
        member, one.recipe.signature.task, shape, extent(one.recipe, member.style),
        Constraints.model_validate(limits),
    )  # fmt: skip


@every_pair
def test_its_weight_is_known_before_training(member: Family, task: Task) -> None:
    for params in (start(member), _second(member, task)):
        one = (
            fitted(member.name, task)
            if params == start(member)
            else made(member.name, task, params)
        )
        foreseen = foresight(member, one).weight(params)
        content = convert(one.pipeline, one.recipe.signature).SerializeToString()
        assert foreseen.bytes / WITHIN <= len(content) <= foreseen.bytes * WITHIN
        micros = _micros(one)
        assert foreseen.micros / WITHIN_TIME <= micros <= foreseen.micros * WITHIN_TIME


def _second(member: Family, task: Task) -> dict[str, Value]:
    """Other parameters: each at the end of its grid."""
    ends = {name: part.grid[-1] for name, part in member.space(task, ROWS, 7).items()}
    return {name: 60 if name == "trees" else value for name, value in ends.items()}


def _micros(one: Fitted) -> float:
    """The fastest of many calls with one row: what is left when the machine does nothing else."""
    model = graph(one.pipeline, one.recipe.signature)
    _, packed = awkward(one.recipe.signature)
    took = []
    for i in range(300):
        began = time.perf_counter()
        ask(model, packed[i : i + 1])
        took.append(time.perf_counter() - began)
    return min(took) * 1e6


def test_limits_leave_only_what_can_keep_them() -> None:
    forest = next(one for one in LADDER if one.name == "forest")
    one = fitted("forest", "binary")
    space = forest.space("binary", ROWS, 7)
    free = foresight(forest, one)
    assert free.within(space, forest.start) == space
    assert free.begin(space, forest.start) == dict(forest.start)
    tight = foresight(forest, one, model_mb=0.01)
    cut = tight.within(space, forest.start)
    trees = cut["trees"]
    assert isinstance(trees, Whole)
    assert 30 < trees.high < 300
    assert max(trees.grid) <= trees.high
    assert cut["share"] == space["share"]
    assert foresight(forest, one, model_mb=0.001).within(space, forest.start) == space  # hindered
    assert tight.broken(forest.start).startswith("too large: about ")
    begun = tight.begin(cut, forest.start)
    assert tight.broken(begun) == ""
    assert begun["trees"] != forest.start["trees"]
    slow = foresight(forest, one, latency_p99_ms=0.005)
    assert slow.broken(forest.start).startswith("too slow: about ")


@pytest.mark.parametrize(
    "member", [m for m in LADDER if "weights" in m.start], ids=lambda m: m.name
)
@pytest.mark.parametrize("task", TASKS)
def test_weights_by_distance_are_equal(member: Family, task: Task) -> None:
    one = made(member.name, task, {**member.start, "weights": "distance"})
    table = packaged.rows(task, ROWS)
    packed = pack_batch(one.recipe.signature, table.combine_chunks().to_batches()[0])
    found = ask(graph(one.pipeline, one.recipe.signature), packed)
    assert np.max(np.abs(found - one.answers(one.inputs)) / np.maximum(1.0, np.abs(found))) <= LIMIT


@pytest.mark.parametrize(
    ("member", "task"),
    [pair for pair in PAIRS if pair[0].name not in ("dummy", "heuristic")],
    ids=lambda part: part if isinstance(part, str) else part.name,
)
def test_it_believes_the_rows_that_count_more(member: Family, task: Task) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_200, 2))
    old = np.arange(1_200) < 600
    y = (X[:, 0] > 0) ^ old  # the old rows say the opposite
    y = np.where(y, 100.0, 0.0) if task == "regression" else y.astype(int)
    if task == "multiclass":
        y[:3] = 2
    told = []
    for weight in (None, np.where(old, 0.1, 1.0)):
        params = {n: 1.0 if n == "share" else value for n, value in member.start.items()}
        model: Any = member.build(task, params, 0, "cpu")
        fit(model, _matrix(member, X), y, weight, seed=1)
        clear = _matrix(member, X[X[:, 0] > 0.5])
        found = model.predict(clear) if task == "regression" else model.predict_proba(clear)[:, 1]
        told.append(float(np.mean(found)) / (100 if task == "regression" else 1))
    assert told[0] == pytest.approx(0.5, abs=0.1)
    assert told[1] > 0.8


def _matrix(member: Family, X: np.ndarray) -> np.ndarray:
    """The numbers as the member's preparation would hand them over."""
    return np.hstack([np.full((len(X), 1), X.shape[1]), X, X]) if member.style == "both" else X
