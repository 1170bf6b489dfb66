"""Preparation and estimator in one pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sklearn.pipeline import Pipeline

from charter.goal import Task
from tasks.models.base import Family, Value
from tasks.recipe.preparation import preparation

if TYPE_CHECKING:
    from tasks.engineer import Recipe


def pipeline(
    recipe: Recipe,
    family: Family,
    task: Task,
    params: Mapping[str, Value],
    seed: int = 0,
    device: str = "cpu",
) -> Pipeline:
    """The steps `prepare` and `model`, unfitted; fits the frames of `tasks.recipe.inputs`."""
    return Pipeline(
        [
            ("prepare", preparation(recipe, family.style)),
            ("model", family.build(task, params, seed, device)),
        ]
    )
