"""Too many rows for a search: some are drawn once, and the final fit has all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from charter.goal import Task
from serving.home import place
from tasks.metrics import greater_is_better, measure
from tasks.models import family
from tasks.models.blend import Member, spelled
from tasks.models.shelf import take
from tasks.recipe.inputs import frame
from tasks.split import Training, load_training
from tasks.splitting import searched as drawing
from tasks.splitting.searched import searched
from tasks.tuning import whole
from tasks.tuning.bench import load
from tasks.tuning.scale import finish
from tasks.tuning.whole import Whole
from tests.tasks import material


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 2,000 rows were as many as can be searched on, and 512 or 1,024 a batch."""
    monkeypatch.setattr(drawing, "MOST", 2_000)
    monkeypatch.setattr(drawing, "LEAST", 1_000)
    monkeypatch.setattr(drawing, "BATCH", 512)
    monkeypatch.setattr(whole, "BATCH", 1_024)


def _drawn(task: Task, rows: int, **clauses: Any) -> tuple[Training, Training]:
    training = material.training(task, rows)
    return training, searched(material.charter(**clauses), training)


def test_few_rows_are_searched_on_as_they_are(root: Path) -> None:
    training, chosen = _drawn("binary", 3_000)
    assert chosen is training


@pytest.mark.usefixtures("few")
def test_every_class_has_its_share(root: Path) -> None:
    training, chosen = _drawn("multiclass", 9_000)
    every, some = load_training(training), load_training(chosen)
    assert chosen.rows == len(some.truth)
    assert abs(chosen.rows - 2_000) <= 2
    shares = [np.bincount(rows.truth) / len(rows.truth) for rows in (every, some)]
    assert np.abs(shares[0] - shares[1]).max() < 1e-3
    places = {value: at for at, value in enumerate(every.table["b"].to_pylist())}
    order = [places[value] for value in some.table["b"].to_pylist()]
    assert np.all(np.diff(order) > 0)


@pytest.mark.usefixtures("few")
def test_the_same_rows_are_drawn_again_and_the_seed_draws_others(root: Path) -> None:
    _, chosen = _drawn("regression", 5_000)
    first = place(chosen.where).read_bytes()
    place(chosen.where).unlink()
    _, again = _drawn("regression", 5_000)
    assert place(again.where).read_bytes() == first
    _, other = _drawn("regression", 5_000, evaluation={"seed": 7})
    assert place(other.where).read_bytes() != first


@pytest.mark.usefixtures("few")
def test_a_rare_class_keeps_rows(root: Path) -> None:
    training = material.training("binary", 6_000)
    table = pq.read_table(place(training.where))
    rare = np.where(np.arange(6_000) % 240 == 0, "yes", "no")
    pq.write_table(table.set_column(table.num_columns - 1, "answer", pa.array(rare)), place(training.where))  # fmt: skip
    some = load_training(searched(material.charter(), training))
    assert np.bincount(some.truth)[1] == drawing.RARE


@pytest.mark.usefixtures("few")
def test_minutes_and_memory_bound_the_rows(root: Path) -> None:
    _, hurried = _drawn("binary", 4_000, constraints={"train_minutes": 0.001})
    assert abs(hurried.rows - 1_000) <= 2
    _, narrow = _drawn("binary", 4_000, constraints={"memory_gb": 0.0003})
    assert narrow.rows < 700


@pytest.mark.parametrize(
    "task",
    [
        "binary",
        pytest.param("multiclass", marks=pytest.mark.slow),
        pytest.param("regression", marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("few")
def test_the_final_fit_streams_all_rows_and_is_as_good_as_in_memory(
    root: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Mock(wraps=xgboost.ExtMemQuantileDMatrix)
    monkeypatch.setattr(xgboost, "ExtMemQuantileDMatrix", pages)
    training, chosen = _drawn(task, 6_000)
    charter, recipe, boosting = material.charter(), material.recipe(task), family("boosting")
    benches = {
        "some": load(charter, chosen, recipe),
        "all": load(charter, training, recipe),
        "streamed": load(charter, chosen, recipe, whole=Whole(training)),
        "paged": load(charter, chosen, recipe, whole=Whole(training)),
    }
    benches["paged"].room = 1_000
    later = load_training(material.training(task, 3_000, seed=1))
    scores = {}
    for name, bench in benches.items():
        weight = finish(bench, boosting, {**boosting.start, "trees": 80}, None, f"{name}.skops")
        assert weight.difference < 1e-5
        model = take(place(f"{name}.skops"))
        said = (model.predict if task == "regression" else model.predict_proba)(
            frame(recipe.signature, later.table)
        )
        scores[name] = measure(training.metric, later.truth, np.asarray(said, np.float64))
    gained = scores["all"] - scores["some"]
    assert gained > 0 if greater_is_better(training.metric) else gained < 0
    assert abs(scores["streamed"] - scores["all"]) < 0.35 * abs(gained)
    assert scores["paged"] == scores["streamed"]
    assert pages.call_count == 1


@pytest.mark.usefixtures("few")
def test_what_cannot_be_streamed_gets_as_many_rows_as_asked(root: Path) -> None:
    training, chosen = _drawn("binary", 6_000)
    recipe, tree = material.recipe("binary"), family("tree")
    bench = load(material.charter(), chosen, recipe, whole=Whole(training))
    for asked, fitted in ((4_000, 4_000), (None, 6_000), (1_500, 1_500)):
        finish(bench, tree, tree.start, asked, "tree.skops")
        model: Any = take(place("tree.skops"))
        assert model.named_steps["model"].tree_.n_node_samples[0] == fitted


@pytest.mark.usefixtures("few")
def test_boosting_has_all_rows_within_a_mixture(root: Path) -> None:
    training, chosen = _drawn("binary", 6_000)
    recipe, blend, boosting = material.recipe("binary"), family("blend"), family("boosting")
    bench = load(material.charter(), chosen, recipe, whole=Whole(training))
    boosted = {**boosting.start, "trees": 40}
    mixed = spelled([Member("linear", {"penalty": 1.0}, 0.4), Member("boosting", boosted, 0.6)])
    assert finish(bench, blend, mixed, None, "blend.skops").difference < 1e-5
    finish(bench, boosting, boosted, None, "boosting.skops")
    model: Any = take(place("blend.skops")).named_steps["model"]
    alone: Any = take(place("boosting.skops")).named_steps["model"]
    X = np.random.default_rng(0).normal(size=(200, alone.n_features_in_))
    assert np.array_equal(model.members_[1].predict_proba(X), alone.predict_proba(X))
    finish(load(material.charter(), chosen, recipe), blend, mixed, None, "fewer.skops")
    fewer: Any = take(place("fewer.skops")).named_steps["model"]
    assert np.array_equal(model.members_[0].coef_, fewer.members_[0].coef_)
    assert not np.array_equal(
        model.members_[1].predict_proba(X), fewer.members_[1].predict_proba(X)
    )
