"""A model of a logarithm, as nodes."""

from __future__ import annotations

from tasks.graph.estimators import estimate
from tasks.graph.writer import Block
from tasks.models.logged import Logged


@estimate.register
def _(model: Logged, x: Block) -> Block:
    logs, writer = estimate(model.model_, x), x.writer
    above = writer.add("Max", logs, writer.constant(model.low_), width=1)
    within = writer.add("Min", above, writer.constant(model.high_), width=1)
    return within.apply("Exp") * float(model.factor_)
