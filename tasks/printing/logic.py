"""From a fitted pipeline to what it does, in words and in the units of the raw columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tasks.models.heuristic import RulesClassifier, RulesRegressor
from tasks.models.logged import Logged
from tasks.printing import rules
from tasks.printing.cells import cells, filled, matrix
from tasks.recipe.rules import Plain


@dataclass(frozen=True)
class Printed:
    """The whole logic: what to do with the table, and the table."""

    lines: tuple[str, ...]
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def logic(pipeline: Any, classes: Sequence[str], target: str) -> Printed | None:
    """The logic of the pipeline's model; None where it cannot be printed."""
    prepare = pipeline.named_steps["prepare"]
    return printed(pipeline.named_steps["model"], prepare, list(classes), target)


@singledispatch
def printed(model: Any, prepare: Any, classes: list[str], target: str) -> Printed | None:
    return None


@printed.register(DummyClassifier)
@printed.register(DummyRegressor)
def _(model: Any, prepare: Any, classes: list[str], target: str) -> Printed:
    if not classes:
        return Printed((f"Always {_number(float(np.ravel(model.constant_)[0]))}.",))
    return Printed((f"Always {_shares(model.class_prior_, _seen(model, classes))}.",))


@printed.register
def _(model: LogisticRegression, prepare: Any, classes: list[str], target: str) -> Printed:
    seen = _seen(model, classes)
    if len(seen) == 2:
        how = (
            f"Start with the first row and add, for each other one, its number times the quantity "
            f"(1 where a statement holds, else 0): the sum s. The probability of {seen[1]} is "
            "1 / (1 + exp(-s))."
        )
        return _weighted(model.coef_, model.intercept_, prepare, (f"{target} is {seen[1]}",), how)
    how = (
        "Sum up each column: its first row, and each other number times the quantity (1 where a "
        "statement holds, else 0). The probability of a class is exp(its sum) over the total of "
        "exp(sum) of all classes."
    )
    return _weighted(model.coef_, model.intercept_, prepare, tuple(seen), how)


@printed.register
def _(model: Ridge, prepare: Any, classes: list[str], target: str) -> Printed:
    how = (
        "Start with the first row and add, for each other one, its number times the quantity "
        f"(1 where a statement holds, else 0): the sum is {target}."
    )
    coefficients = np.reshape(model.coef_, (1, -1))
    return _weighted(coefficients, np.ravel(model.intercept_), prepare, (target,), how)


@printed.register
def _(model: Logged, prepare: Any, classes: list[str], target: str) -> Printed | None:
    inner = printed(model.model_, prepare, classes, f"the logarithm of {target}")
    if inner is None:
        return None
    low, high = (_number(end) for end in (model.low_, model.high_))
    how = (
        f"Hold it between {low} and {high}: {target} is {_number(model.factor_)} times e to the "
        "power of it."
    )
    return replace(inner, lines=(*inner.lines, how))


def _weighted(
    coefficients: np.ndarray, intercept: np.ndarray, prepare: Any, heads: tuple[str, ...], how: str
) -> Printed:
    """Coefficients in the units of the raw columns; those of one input stand together."""
    names, weights, constants = matrix(cells(prepare))
    raw = coefficients @ weights
    start = np.ravel(intercept) + coefficients @ constants
    rows = [("start", *map(_number, start))]
    rows += [(name, *map(_number, raw[:, place])) for place, name in enumerate(names)]
    return Printed((how, *_missing(prepare)), ("quantity", *heads), tuple(rows))


@printed.register(DecisionTreeClassifier)
@printed.register(DecisionTreeRegressor)
def _(model: Any, prepare: Any, classes: list[str], target: str) -> Printed:
    known, seen = cells(prepare), _seen(model, classes) if classes else []
    rows = [
        (rules.spoken(path, known), _answer(value, seen), f"{count:,}")
        for path, value, count in rules.leaves(model.tree_)
    ]
    lines = (f"Exactly one of these {len(rows)} rules holds for a row.", *_missing(prepare))
    return Printed(lines, ("if", f"then {target} is", "training rows"), tuple(rows))


@printed.register(RulesClassifier)
@printed.register(RulesRegressor)
def _(model: Any, prepare: Any, classes: list[str], target: str) -> Printed:
    step = prepare.named_steps["rules"]
    says, last = np.asarray(step.says), len(model.rows_) - 1
    seen = _seen(model, classes) if classes else []
    X = np.column_stack([np.arange(len(says)), says])
    answers = model.predict_proba(X) if classes else model.predict(X)[:, None]
    rows = tuple(
        (_when(rule), seen[int(word)] if seen else _number(word), _answer(answer, seen),
         f"{model.rows_[min(place, last)]:,.0f}")
        for place, (rule, word, answer) in enumerate(
            zip([*step.rules, ()], says, answers, strict=True)
        )
    )  # fmt: skip
    lines = (
        "The first rule that holds answers. How sure it is, its training rows tell; what it says "
        f"counts as {model.trust:.3g} rows more.",
    )
    return Printed(lines, ("if", "it says", f"so {target} is", "training rows"), rows)


def _when(rule: tuple[Plain, ...]) -> str:
    return " and ".join(map(_test, rule)) or "otherwise"


def _test(test: Plain) -> str:
    name, sign, bound, among = test
    if sign == "missing":
        return f"{name} is missing"
    if sign == "in":
        return f"{name} is {' or '.join(one if isinstance(one, str) else _number(one) for one in among)}"
    return f"{name} {sign} {_number(bound)}"


def _seen(model: Any, classes: list[str]) -> list[str]:
    return [classes[int(label)] for label in model.classes_]


def _answer(value: np.ndarray, classes: list[str]) -> str:
    return _shares(value, classes) if classes else _number(float(np.ravel(value)[0]))


def _shares(values: np.ndarray, classes: list[str]) -> str:
    """Probabilities in words; of two classes the second alone."""
    if len(classes) == 2:
        return f"{classes[1]} with {values[1]:.3g}"
    order = np.argsort(-np.asarray(values), kind="stable")
    return ", ".join(f"{classes[i]} with {values[i]:.3g}" for i in order if values[i] > 0)


def _missing(prepare: Any) -> tuple[str, ...]:
    counts = [f"{one.column} as {_number(one.value)}" for one in filled(prepare)]
    return (f"Where it is missing, count {', '.join(counts)}.",) if counts else ()


def _number(value: float) -> str:
    return f"{value:.5g}"
