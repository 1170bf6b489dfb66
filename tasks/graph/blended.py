"""Two preparations side by side, and what a mixture makes of them or who learned from it, as nodes."""

from __future__ import annotations

import numpy as np

from tasks.graph.estimators import estimate, same
from tasks.graph.preparation import Raw, prepare, unwritable
from tasks.graph.writer import Block
from tasks.models.blended import Blended, BlendedClassifier, BlendedRegressor
from tasks.models.pupil import PupilClassifier, PupilRegressor
from tasks.models.stacked import FLOOR, StackedClassifier, StackedRegressor
from tasks.recipe.beside import Beside


@prepare.register
def _(step: Beside, x: Raw) -> Block:
    first, second = prepare(step.first, x), prepare(step.second, x)
    if first.width != step.width_:
        raise unwritable(f"{first.width} columns", f"{step.width_} in the first part")
    return x.writer.join([same(first, np.array([float(step.width_)])), first, second])


@estimate.register(BlendedClassifier)
@estimate.register(BlendedRegressor)
def _(model: BlendedClassifier | BlendedRegressor, x: Block) -> Block:
    return _summed(model, _each(model, x))


@estimate.register
def _(model: StackedRegressor, x: Block) -> Block:
    return _summed(model, _each(model, x)) + np.array(model.levels_)


@estimate.register
def _(model: StackedClassifier, x: Block) -> Block:
    floor = x.writer.constant(FLOOR)
    each = [
        x.writer.add("Max", one, floor, width=one.width).apply("Log") for one in _each(model, x)
    ]
    return (_summed(model, each) + np.array(model.levels_)).apply("Softmax", axis=1)


@estimate.register(PupilClassifier)
@estimate.register(PupilRegressor)
def _(model: PupilClassifier | PupilRegressor, x: Block) -> Block:
    return estimate(model.model_, x.columns(range(*model.side_)))


def _each(model: Blended, x: Block) -> list[Block]:
    """What the members say."""
    sides = [x.columns(range(start, stop)) for start, stop in model.sides_]
    return [
        estimate(member, sides[scaled])
        for member, scaled in zip(model.members_, model.scaled, strict=True)
    ]


def _summed(model: Blended, each: list[Block]) -> Block:
    parts = [one * float(share) for one, share in zip(each, model.shares, strict=True)]
    return sum(parts[1:], parts[0])
