"""Two preparations side by side, and what a blend makes of them, as nodes."""

from __future__ import annotations

import numpy as np

from tasks.graph.estimators import estimate, same
from tasks.graph.preparation import Raw, prepare, unwritable
from tasks.graph.writer import Block
from tasks.models.blended import BlendedClassifier, BlendedRegressor
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
    sides = [x.columns(range(start, stop)) for start, stop in model.sides_]
    parts = [
        estimate(member, sides[scaled]) * float(share)
        for member, scaled, share in zip(model.members_, model.scaled, model.shares, strict=True)
    ]
    return sum(parts[1:], parts[0])
