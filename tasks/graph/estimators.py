"""Fitted estimators as nodes: from the prepared matrix to probabilities or values.

Each function takes the prepared matrix (double, rounded to float32 by the last preparation step)
and gives double: probabilities, shape (rows, estimator.classes_), or values, shape (rows, 1).
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from tasks.graph.preparation import unwritable
from tasks.graph.writer import Block

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}


@singledispatch
def estimate(model: Any, x: Block) -> Block:
    """The nodes of one fitted estimator."""
    raise unwritable(type(model).__name__, "an estimator of the catalogue")


@estimate.register
def _(model: DummyClassifier, x: Block) -> Block:
    if model.strategy not in ("prior", "most_frequent"):
        raise unwritable(f"strategy {model.strategy}", "prior")
    shares = np.asarray(model.predict_proba(np.zeros((1, 1)))[0])
    return same(x, shares)


@estimate.register
def _(model: DummyRegressor, x: Block) -> Block:
    return same(x, np.ravel(model.constant_))


def same(x: Block, values: np.ndarray) -> Block:
    """The same values for each row, whatever it holds."""
    rows = x.writer.add("Shape", x, width=1, start=0, end=1)
    one = x.writer.constant([1], np.int64)
    shape = x.writer.add("Concat", rows, one, width=1, axis=0)
    row = x.writer.constant(values[None, :])
    return x.writer.add("Tile", row, shape, width=len(values))


@estimate.register
def _(model: LogisticRegression, x: Block) -> Block:
    scores = x @ model.coef_.T + model.intercept_
    return both(scores.apply("Sigmoid")) if scores.width == 1 else scores.apply("Softmax", axis=1)


@estimate.register
def _(model: Ridge, x: Block) -> Block:
    return x @ np.reshape(model.coef_, (-1, 1)) + np.ravel(model.intercept_)


@estimate.register(MLPClassifier)
@estimate.register(MLPRegressor)
def _(model: MLPClassifier | MLPRegressor, x: Block) -> Block:
    for weights, biases in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        x = x @ weights + biases
        x = x if model.activation == "identity" else x.apply(ACTIVATIONS[model.activation])
    x = x @ model.coefs_[-1] + model.intercepts_[-1]
    if model.out_activation_ == "logistic":
        return both(x.apply("Sigmoid"))
    return x.apply("Softmax", axis=1) if model.out_activation_ == "softmax" else x


def both(positive: Block) -> Block:
    """The probabilities of negative and positive."""
    one = Block(positive.writer, positive.writer.constant(1.0), 1)
    negative = positive.writer.add("Sub", one, positive, width=1)
    return positive.writer.join([negative, positive])
