"""The one door to Fairlearn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from charter.fairness import FairnessMetric

STEPS = 20


def mixture(
    estimator: Any,
    metric: FairnessMetric,
    limit: float,
    X: np.ndarray,
    y: np.ndarray,
    group: np.ndarray,
    steps: int,
) -> tuple[list[Any], list[float]]:
    """The classifiers that exponentiated gradient mixes, and their shares.

    Agarwal et al., A Reductions Approach to Fair Classification, 2018. `limit` is the largest
    difference between two groups; each may be half of it from the whole.
    """
    from fairlearn.reductions import (
        DemographicParity,
        EqualizedOdds,
        ExponentiatedGradient,
        TruePositiveRateParity,
    )

    kinds = {
        "demographic_parity": DemographicParity,
        "equalised_odds": EqualizedOdds,
        "equal_opportunity": TruePositiveRateParity,
    }
    found = ExponentiatedGradient(
        estimator, kinds[metric](difference_bound=limit / 2), eps=limit / 2,
        max_iter=max(2, min(STEPS, steps)),
    )  # fmt: skip
    with warnings.catch_warnings():  # 0.15 sets values by `.at`, which pandas 4 will refuse
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        # Its Series have to be called by texts, not by numbers.
        answer, member = pd.Series(y, name="answer"), pd.Series(group, name="group")
        found.fit(X, answer, sensitive_features=member)
    shares = np.asarray(found.weights_, dtype=np.float64)
    kept = [at for at in range(len(shares)) if shares[at] > 1e-3]
    total = float(shares[kept].sum())
    return [found.predictors_[at] for at in kept], [float(shares[at]) / total for at in kept]
