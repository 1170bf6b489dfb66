"""Why this answer: by how much each input moved it, against what is usual.

Shapley values, where an input that is not known yet has the value of a row that the model was judged
on (Štrumbelj and Kononenko, Explaining prediction models and individual predictions with feature
contributions, 2014; interventional SHAP): inputs become known one after the other in drawn orders, each
order also backwards. What they give adds up to the answer less the usual one; for a linear model of a
number it is exact.
"""

from __future__ import annotations

import numpy as np

from charter import Frozen
from serving.form import Bad, whole
from serving.loaded import Loaded
from serving.packing import Packed
from serving.predictor import Answers, Predictor
from serving.signature import Signature

ORDERS = 256
"""Orders of the inputs that are drawn, …"""
ROWS = 20_000
"""… fewer where that would ask about more rows than these."""
CELLS = 2_000_000
"""Values of the rows that are asked about at once."""


class Reason(Frozen):
    """One input and what it did."""

    field: str
    moved: float
    """What it added to the chance of the class that is said, or to the number."""


def reasons(loaded: Loaded, body: bytes) -> list[Reason]:
    """Of one row, what moved most first; raises `Bad`."""
    packed, _, many = loaded.form.read(body)
    if many or not len(loaded.usual):
        lacks = "a list of rows" if many else "a release without rows that were held out"
        raise Bad([whole(lacks, "one row and what is usual", "Ask about one row.")], status=422)
    predictor, usual = loaded.predictor, loaded.usual
    inputs = predictor.signature.inputs
    steps = _steps(len(inputs), len(usual))
    said = _along(predictor, packed, usual, steps)
    given = np.take_along_axis(np.diff(said, axis=1), steps - 1, axis=1).mean(axis=0)
    found = [
        Reason(field=column.name, moved=value)
        for column, value in zip(inputs, given.tolist(), strict=True)
    ]
    return sorted(found, key=lambda one: -abs(one.moved))


def _steps(inputs: int, usual: int) -> np.ndarray:
    """In each order, the step from 1 at which each input becomes known; shape (orders, inputs).

    Each drawn order comes forwards and backwards; usual rows come as often as each other, where
    there is room for that.
    """
    pairs = max(1, min(ORDERS, ROWS // (inputs + 1)) // 2)
    pairs = pairs // usual * usual if pairs >= usual else pairs
    rng = np.random.default_rng(0)
    forwards = np.array([rng.permutation(inputs) + 1 for _ in range(pairs)])
    return np.stack([forwards, inputs + 1 - forwards], axis=1).reshape(-1, inputs)


def _along(predictor: Predictor, row: Packed, usual: Packed, steps: np.ndarray) -> np.ndarray:
    """What is said before the first step of each order and after each one; shape (orders, 1 + inputs)."""
    orders, inputs = steps.shape
    signature, label = predictor.signature, (predictor.predict(row).labels or [""])[0]
    numbers, texts = (_places(signature, names) for names in (signature.numbers, signature.texts))
    total, most = orders * (inputs + 1), max(1, CELLS // max(1, inputs))
    said = []
    for start in range(0, total, most):
        order, step = np.divmod(np.arange(start, min(total, start + most)), inputs + 1)
        known = steps[order] <= step[:, None]
        other = order // 2 % len(usual)
        asked = Packed(
            np.where(known[:, numbers], row.numbers, usual.numbers[other]),
            np.where(known[:, texts], row.texts, usual.texts[other]),
        )
        said.append(_said(predictor.predict(asked), signature, label))
    return np.concatenate(said).reshape(orders, inputs + 1)


def _places(signature: Signature, names: tuple[str, ...]) -> list[int]:
    """Where the columns of a tensor stand among the inputs."""
    every = [column.name for column in signature.inputs]
    return [every.index(name) for name in names]


def _said(answers: Answers, signature: Signature, label: str) -> np.ndarray:
    """What the answers give to the label, or their numbers; shape (rows,)."""
    if answers.values is not None:
        return answers.values
    assert answers.probabilities is not None
    said: np.ndarray = answers.probabilities[:, signature.classes.index(label)]
    return said
