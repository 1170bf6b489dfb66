"""How far a row is from all others, beside its inputs."""

from __future__ import annotations

import numpy as np

from tasks.graph.estimators import estimate
from tasks.graph.writer import Block
from tasks.models.oddness import OddnessClassifier


@estimate.register
def _(model: OddnessClassifier, x: Block) -> Block:
    away = (x - model.middle_) @ model.root_
    axis = x.writer.constant([1], np.int64)
    squared = x.writer.add("ReduceSumSquare", away, axis, width=1, keepdims=1)
    wider = x.writer.join([x, (squared + 1.0).apply("Log")])
    return estimate(model.linear_, (wider - model.scaler_.mean_) / model.scaler_.scale_)
