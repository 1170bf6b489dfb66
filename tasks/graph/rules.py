"""The charter's rules and naive Bayes as nodes."""

from __future__ import annotations

import numpy as np

from tasks.graph.estimators import estimate
from tasks.graph.preparation import Raw, prepare
from tasks.graph.writer import Block
from tasks.models.bayes import MixedNB
from tasks.models.heuristic import RulesClassifier, RulesRegressor
from tasks.recipe.rules import FirstRule, Plain

SIGNS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual"}


@prepare.register
def _(step: FirstRule, x: Raw) -> Block:
    holds = []
    for rule in step.rules:
        tests = [_test(x, test) for test in rule]
        holds.append(tests[0])
        for test in tests[1:]:
            holds[-1] = holds[-1] * test
    always = _ones(holds[0])
    every = x.writer.join([*holds, always])
    first = x.writer.add("ArgMax", every, width=1, axis=1, keepdims=1)
    table = x.writer.constant(np.asarray(step.says, dtype=np.float64))
    said = x.writer.add("Gather", table, first, width=1, axis=0)
    return x.writer.join([first.double(), said])


def _test(x: Raw, test: Plain) -> Block:
    """1 where the test is passed, else 0."""
    name, sign, bound, among = test
    column = x.select([name])
    if name in x.texts:
        words = [""] if sign == "missing" else [str(one) for one in among]
        return column.apply(
            "LabelEncoder", domain="ai.onnx.ml", keys_strings=[word.encode() for word in words],
            values_int64s=[1] * len(words), default_int64=0,
        ).double()  # fmt: skip
    if sign == "missing":
        return column.apply("IsNaN").double()
    if sign != "in":
        wanted = x.writer.constant(float(bound))
        return x.writer.add(SIGNS[sign], column, wanted, width=1).double()
    equal = [
        x.writer.add("Equal", column, x.writer.constant(float(one)), width=1).double()
        for one in among
    ]
    total = equal[0]
    for one in equal[1:]:
        total = x.writer.add("Max", total, one, width=1)
    return total


def _ones(like: Block) -> Block:
    return like * 0.0 + 1.0


@estimate.register
def _(model: RulesClassifier, x: Block) -> Block:
    numbers = x.writer.constant(np.arange(len(model.classes_), dtype=np.float64))
    last = x.writer.constant(float(len(model.classes_) - 1))
    word = x.writer.add("Min", x.columns([1]), last, width=1)
    said = x.writer.add("Equal", word, numbers, width=len(model.classes_)).double()
    return _answer(model, x, said)


@estimate.register
def _(model: RulesRegressor, x: Block) -> Block:
    return _answer(model, x, x.columns([1]))


def _answer(model: RulesClassifier | RulesRegressor, x: Block, said: Block) -> Block:
    writer, width = x.writer, model.sums_.shape[1]
    last = writer.constant(float(len(model.rows_) - 1))
    named = writer.add("Min", x.columns([0]), last, width=1)
    flat = writer.add("Reshape", named, writer.constant([-1], np.int64), width=1)
    rule = flat.apply("Cast", to=7)  # int64
    sums = writer.add("Gather", writer.constant(model.sums_), rule, width=width, axis=0)
    rows = writer.add("Gather", writer.constant(model.rows_[:, None]), rule, width=1, axis=0)
    return (sums + said * float(model.trust)) / (rows + float(model.trust))


@estimate.register
def _(model: MixedNB, x: Block) -> Block:
    number, binary = np.flatnonzero(~model.binary_), np.flatnonzero(model.binary_)
    total = Block(x.writer, x.writer.constant(model.start_), len(model.classes_))
    if len(binary):
        total = x.columns(binary.tolist()) @ (model.log_rate_ - model.log_counter_).T + total
    if len(number):
        z = (x.columns(number.tolist()) - model.mean_[number]) / model.spread_[number]
        bounds = [x.writer.constant(np.float64(end)) for end in (-model.reach, model.reach)]
        z = x.writer.add("Clip", z, *bounds, width=len(number))
        total = (z * z) @ (-0.5 / model.var_).T + z @ (model.theta_ / model.var_).T + total
    return total.apply("Softmax", axis=1)
