"""Every family and every step gives the answers of the fitted pipeline, as ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

from charter import Refusal
from charter.goal import Task
from serving.packing import Packed
from serving.predictor import session
from serving.signature import Input, Signature
from tasks.graph import convert
from tasks.recipe.calendar import Calendar
from tasks.recipe.single import Single

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
ROWS = 2_000


def graph(fitted: Any, signature: Signature) -> Any:
    content = convert(fitted, signature).SerializeToString(deterministic=True)
    assert content == convert(fitted, signature).SerializeToString(deterministic=True)
    return session(content, "test")


def ask(model: Any, packed: Packed) -> np.ndarray:
    feed = {"numbers": packed.numbers, "texts": packed.texts}
    found: np.ndarray = model.run(
        None, {entry.name: feed[entry.name] for entry in model.get_inputs()}
    )[0]
    return found


def few(kind: Any, *values: Any) -> Signature:
    names = [f"x{i}" for i in range(len(values))]
    inputs = tuple(Input(name=name, kind=kind) for name in names)
    return Signature(project="p", target="y", task="regression", inputs=inputs)


NUMBERS = np.array(
    [[1.0, np.nan, 5.0], [np.nan, np.nan, 3.0], [4.0, np.nan, 2.0], [0.5, np.nan, 7.5]]
)
TEXTS = np.array([["a", "x"]] * 6 + [["b", "y"]] * 5 + [["c", "x"], ["d", "z"], ["", "z"]], object)


def chain(*steps: Any) -> Pipeline:
    return Pipeline([(str(i), step) for i, step in enumerate(steps)])


STEPS: list[Any] = [
    SimpleImputer(strategy="mean", keep_empty_features=True),
    SimpleImputer(strategy="mean"),
    SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    SimpleImputer(strategy="constant", fill_value=-3.5),
    chain(SimpleImputer(keep_empty_features=True), StandardScaler()),
    chain(SimpleImputer(keep_empty_features=True), StandardScaler(with_mean=False)),
    chain(SimpleImputer(keep_empty_features=True), StandardScaler(with_std=False)),
    chain(SimpleImputer(keep_empty_features=True), PCA(2)),
    chain(SimpleImputer(keep_empty_features=True), PCA(2, whiten=True)),
    chain(SimpleImputer(keep_empty_features=True), "passthrough", FunctionTransformer()),
    chain(SimpleImputer(keep_empty_features=True), Single(limit=4.0)),
    chain(Calendar(cyclic=True), SimpleImputer(keep_empty_features=True)),
    chain(Calendar(parts=("weekday", "month")), SimpleImputer(keep_empty_features=True)),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, min_frequency=3),
    OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, max_categories=2),
    OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=3),
]


class Widest(Ridge):  # type: ignore[misc]
    """Every prepared column with a weight of its own, so that none can hide."""

    def fit(self, X: np.ndarray, y: object) -> Widest:
        self.coef_ = np.arange(1.0, X.shape[1] + 1) ** 1.5
        self.intercept_ = 0.25
        self.n_features_in_ = X.shape[1]
        return self


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step)[:60].replace("\n", ""))
def test_every_step_is_equal(step: Any) -> None:
    words = isinstance(step, (OneHotEncoder, OrdinalEncoder))
    values = TEXTS if words else NUMBERS
    signature = few("text" if words else "number", *values[0])
    seen = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    fitted = Pipeline(
        [
            ("prepare", ColumnTransformer([("all", step, list(seen.columns))])),
            ("model", Widest()),
        ]
    ).fit(seen, np.zeros(len(seen)))
    asked = np.concatenate([values, values[::-1, ::-1]])
    nothing = np.empty((len(asked), 0))
    packed = Packed(nothing, asked) if words else Packed(asked.astype(float), nothing)
    wanted = fitted.predict(pd.DataFrame(asked, columns=seen.columns))
    np.testing.assert_allclose(ask(graph(fitted, signature), packed), wanted, rtol=1e-12)


def test_the_graph_reads_numbers_at_the_threshold_as_the_tree_does() -> None:
    """Neighbouring float32 numbers on both sides of each threshold."""
    x = np.linspace(0, 1, 200).astype(np.float32).astype(float)
    tree = DecisionTreeRegressor(max_leaf_nodes=40, random_state=0).fit(x[:, None], np.sin(9 * x))
    fitted = Pipeline(
        [("prepare", ColumnTransformer([("n", "passthrough", ["x0"])])), ("model", tree)]
    )
    fitted[0].fit(pd.DataFrame({"x0": x}))
    cuts = tree.tree_.threshold[tree.tree_.feature >= 0].astype(np.float32)
    near = np.concatenate(
        [cuts, np.nextafter(cuts, np.float32(-9)), np.nextafter(cuts, np.float32(9))]
    )
    packed = Packed(near.astype(float)[:, None], np.empty((len(near), 0), object))
    wanted = fitted.predict(pd.DataFrame({"x0": near.astype(float)}))
    np.testing.assert_array_equal(ask(graph(fitted, few("number", 0)), packed), wanted)


@pytest.mark.parametrize("seen", [(0, 2), (1, 2), (0, 1)])
def test_a_class_that_was_not_seen_has_probability_zero(seen: tuple[int, int]) -> None:
    signature = few("number", 0).model_copy(update={"task": "multiclass", "classes": tuple("abc")})
    x = pd.DataFrame({"x0": np.arange(6.0)})
    truth = np.asarray(seen)[[0, 0, 0, 1, 1, 0]]
    model = LogisticRegression()
    fitted = Pipeline(
        [("prepare", ColumnTransformer([("n", "passthrough", ["x0"])])), ("model", model)]
    )
    fitted.fit(x, truth)
    found = ask(graph(fitted, signature), Packed(x.to_numpy(), np.empty((6, 0), object)))
    wanted = np.zeros((6, 3))
    wanted[:, list(seen)] = fitted.predict_proba(x)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_the_model_says_what_it_is() -> None:
    signature = few("number", 0).model_copy(update={"task": "binary", "classes": ("no", "yes")})
    fitted = Pipeline(
        [
            ("prepare", ColumnTransformer([("n", "passthrough", ["x0"])])),
            ("model", DummyClassifier()),
        ]
    ).fit(pd.DataFrame({"x0": [1.0, 2.0, 3.0]}), [0, 1, 1])
    model = convert(fitted, signature)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert (said["project"], said["classes"]) == ("p", '["no", "yes"]')
    assert {entry.domain: entry.version for entry in model.opset_import} == {
        "": 18,
        "ai.onnx.ml": 5,
    }
    assert not any(tensor.external_data for tensor in model.graph.initializer)


@pytest.mark.parametrize(
    "step",
    [RobustScaler(), FunctionTransformer(np.abs), OneHotEncoder(), OneHotEncoder(drop="first")],
)
def test_a_step_without_counterpart_is_refused(step: Any) -> None:
    fitted = Pipeline(
        [("prepare", ColumnTransformer([("n", step, ["x0"])])), ("model", Ridge())]
    ).fit(pd.DataFrame({"x0": [1.0, 2.0, 3.0]}), [1.0, 2.0, 3.0])
    with pytest.raises(Refusal, match=r"Use the steps of tasks\.recipe"):
        convert(fitted, few("number", 0))


def test_an_estimator_without_counterpart_is_refused() -> None:
    from sklearn.linear_model import Lasso

    fitted = Pipeline(
        [("prepare", ColumnTransformer([("n", "passthrough", ["x0"])])), ("model", Lasso())]
    ).fit(pd.DataFrame({"x0": [1.0, 2.0, 3.0]}), [1.0, 2.0, 3.0])
    with pytest.raises(Refusal, match="found Lasso"):
        convert(fitted, few("number", 0))
