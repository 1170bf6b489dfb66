"""What mitigations make of fitted estimators, as nodes; the formulas are in `tasks.mitigation`."""

from __future__ import annotations

import numpy as np

from tasks.graph.estimators import both, estimate
from tasks.graph.preparation import prepare
from tasks.graph.writer import Block
from tasks.mitigation.estimators import EDGE, Adjusted, Erased, Mixture


@prepare.register
def _(step: Erased, x: Block) -> Block:
    return x - (x - np.asarray(step.mean_)) @ np.asarray(step.taken_)


@estimate.register
def _(model: Mixture, x: Block) -> Block:
    total = Block(x.writer, x.writer.constant(np.array([model.constant])), 1)
    for member, share in zip(model.members, model.shares, strict=True):
        total = estimate(member, x).columns([1]) * float(share) + total
    return both(_within(total))


@estimate.register
def _(model: Adjusted, x: Block) -> Block:
    total = estimate(model.model, x).columns([1]) + float(model.offset)
    for helper, seen, shifts in zip(model.helpers, model.seen, model.shifts, strict=True):
        total = total + estimate(helper, x) @ np.asarray(shifts)[seen][:, None]
    return both(_within(total, EDGE))


def _within(value: Block, edge: float = 0.0) -> Block:
    """Held within 0 and 1, at least `edge` away from both."""
    low = value.writer.add("Max", value, value.writer.constant(edge), width=value.width)
    return value.writer.add("Min", low, value.writer.constant(1.0 - edge), width=value.width)
