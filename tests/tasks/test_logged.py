"""The logarithm of a skewed target: tried where it may pay, told in the target's own unit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from serving.packing import pack_batch
from serving.predictor import session
from tasks.graph import convert
from tasks.models import family
from tasks.models.logged import Logged, logged, skewed
from tasks.printing.logic import logic
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tests.tasks import material


def _grown(rows: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """Factors that multiply, as prices do."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    return X, np.exp(8 + X @ np.array([1.0, 0.5, -0.7]) + 0.3 * rng.normal(size=rows))


def test_what_grows_by_factors_is_learned_as_a_logarithm() -> None:
    X, y = _grown()
    plain, better = Ridge().fit(X, y), Logged(Ridge()).fit(X, y)
    errors = [float(np.sqrt(np.mean((y - model.predict(X)) ** 2))) for model in (plain, better)]
    assert errors[1] < 0.6 * errors[0]
    assert better.predict(X).mean() == pytest.approx(y.mean(), rel=1e-9)  # no bias by the way back


def test_an_absurd_row_is_told_no_absurd_number() -> None:
    X, y = _grown()
    model = Logged(Ridge()).fit(X, y)
    assert model.predict(np.full((1, 3), 1e12))[0] <= model.factor_ * y.max() * np.e * 1.001


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        (_grown()[1], True),
        (np.linspace(1, 2, 100), False),
        (np.append(_grown()[1], 0.0), False),  # no logarithm
        (-_grown()[1], False),
        (np.ones(10), False),
        (np.empty(0), False),
    ],
)
def test_where_it_is_tried(truth: np.ndarray, found: bool) -> None:
    assert skewed(truth) is found


def test_a_family_makes_it_where_its_parameters_say_so() -> None:
    linear = family("linear")
    assert isinstance(linear.build("regression", {"penalty": 1.0, "log": True}, 0, "cpu"), Logged)
    assert isinstance(linear.build("regression", {"penalty": 1.0, "log": False}, 0, "cpu"), Ridge)
    ridge = Ridge()
    assert logged(ridge, {}) is ridge


def test_it_travels_as_a_graph_and_its_logic_is_printed(root: object) -> None:
    recipe = material.recipe("regression")
    table = material.table("regression", 400)
    inputs = frame(recipe.signature, table)
    truth = np.exp(table["answer"].to_numpy() / 100)
    params = {"penalty": 1.0, "log": True}
    fitted = pipeline(recipe, family("linear"), "regression", params).fit(inputs, truth)
    wanted = fitted.predict(inputs)
    running = session(convert(fitted, recipe.signature).SerializeToString(), "the logarithm")
    packed = pack_batch(recipe.signature, table.to_batches()[0])
    feed = {"numbers": packed.numbers, "texts": packed.texts}
    found = running.run(None, {one.name: feed[one.name] for one in running.get_inputs()})[0]
    assert np.max(np.abs(found.ravel() - wanted) / wanted) < 1e-9
    told = logic(fitted, (), "price")
    assert told is not None
    assert "the sum is the logarithm of price" in told.lines[0]
    assert "price is " in told.lines[-1]
    assert "times e to the power of it" in told.lines[-1]
