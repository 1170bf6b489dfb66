"""Fitted pipelines on disk without pickle (skops): types are named, code is never stored."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from charter import Refusal

TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "tasks.mitigation.estimators.Adjusted",
    "tasks.mitigation.estimators.Erased",
    "tasks.mitigation.estimators.Mixture",
    "tasks.models.bayes.MixedNB",
    "tasks.models.blended.BlendedClassifier",
    "tasks.models.blended.BlendedRegressor",
    "tasks.models.heuristic.RulesClassifier",
    "tasks.models.heuristic.RulesRegressor",
    "tasks.models.linear.Logistic",
    "tasks.models.logged.Logged",
    "tasks.models.nearest.NearestClassifier",
    "tasks.models.nearest.NearestRegressor",
    "tasks.models.neural.LevelledMLP",
    "tasks.models.oddness.OddnessClassifier",
    "tasks.models.pupil.PupilClassifier",
    "tasks.models.pupil.PupilRegressor",
    "tasks.models.stacked.StackedClassifier",
    "tasks.models.stacked.StackedRegressor",
    "tasks.recipe.beside.Beside",
    "tasks.recipe.calendar.Calendar",
    "tasks.recipe.rules.FirstRule",
    "tasks.recipe.single.Single",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
"""Types beyond those that skops itself knows to be harmless; a file that names another is refused.

A booster travels as the bytes of `Booster.__getstate__`: XGBoost's own format, data and no code.
"""


def keep(pipeline: Any, path: Path) -> None:
    """Write the fitted pipeline; a killed write leaves the file that was there."""
    put(packed(pipeline), path)


def packed(pipeline: Any) -> bytes:
    """The fitted pipeline as the content of its file."""
    import skops.io

    content = bytes(skops.io.dumps(pipeline))
    _check("the fitted pipeline", data=content)
    return content


def put(content: bytes, path: Path) -> None:
    """Write what `packed` made, here or elsewhere; a killed write leaves the file that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def take(path: Path) -> Any:
    """Read a pipeline that `put` wrote; any type outside TRUSTED is refused before it is made."""
    import skops.io

    _check(str(path), file=path)
    return skops.io.load(path, trusted=list(TRUSTED))


def _check(where: str, **given: Any) -> None:
    import skops.io

    strange = sorted(set(skops.io.get_untrusted_types(**given)) - set(TRUSTED))
    if strange:
        raise Refusal(
            where,
            f"found types that are not ours: {', '.join(strange)}",
            "wanted scikit-learn, XGBoost and tasks.recipe only",
            "Train again; if the type is a new member of the house, add it to "
            "tasks.models.shelf.TRUSTED.",
        )
