"""Where XGBoost fits: on the processor, or on a CUDA device where one can be used."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Literal

from charter import Refusal
from charter.tuning import FamilyName

FITTED_THERE: frozenset[FamilyName] = frozenset({"boosting"})
"""Families that can be fitted on a CUDA device."""


def resolve(device: str) -> Literal["cpu", "cuda"]:
    """`cpu` or `cuda` for the charter's `auto`, `cpu` or `cuda`.

    Raises a Refusal for `cuda` where no device can be used; `auto` takes the processor then.
    """
    if device == "cpu":
        return "cpu"
    missing = lacking()
    if not missing:
        return "cuda"
    if device == "auto":
        return "cpu"
    raise Refusal(
        "charter.constraints.device",
        "found cuda",
        f"but {missing}",
        "Write `device: auto`, or install xgboost in place of xgboost-cpu on a machine with a GPU.",
    )


@cache
def lacking() -> str:
    """What stands in the way of a CUDA device; empty where nothing does."""
    import numpy as np
    import xgboost

    if not xgboost.build_info().get("USE_CUDA", False):
        return "the installed XGBoost is built without CUDA"
    rows = np.array([[0.0], [1.0], [2.0], [3.0]])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            model = xgboost.XGBRegressor(n_estimators=1, device="cuda")
            model.fit(rows, rows[:, 0])
        except xgboost.core.XGBoostError as error:
            return f"XGBoost cannot use it: {str(error).splitlines()[0][:120]}"
    if any("changed from GPU to CPU" in str(one.message) for one in said):
        return "XGBoost finds no usable device"
    return ""
