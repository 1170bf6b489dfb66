"""Rows of rare classes, drawn again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from charter.goal import Task
from charter.tuning import GeneratorName
from tasks.generators.base import Sample, lacking, uneven


class Oversample:
    """Random oversampling with replacement, until each class has as many rows as the largest."""

    name: GeneratorName = "oversample"
    about: str = "rare rows drawn again"

    def hindrance(self, task: Task, truth: np.ndarray) -> str:
        return uneven(task, truth, least=2)

    def generate(self, real: Sample, seed: int) -> Sample:
        random = np.random.default_rng(seed)
        drawn = [
            random.choice(np.flatnonzero(real.truth == label), count)
            for label, count in lacking(real.truth).items()
        ]
        chosen = np.concatenate([np.empty(0, dtype=np.int64), *drawn])
        frame = real.frame.iloc[chosen].reset_index(drop=True)
        return replace(real, frame=frame, truth=real.truth[chosen])
