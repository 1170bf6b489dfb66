"""Logistic regression takes the quicker way, and comes to the same."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.models import linear
from tasks.models.linear import Logistic


def test_both_ways_lead_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20))
    y = np.where(X[:, 0] + rng.logistic(size=400) > 0, "late", "on time")
    few = Logistic(C=0.5).fit(X, y)
    monkeypatch.setattr(linear, "MANY", 10)
    many = Logistic(C=0.5).fit(X, y)
    assert (few.solver, many.solver) == ("newton-cholesky", "lbfgs")
    assert np.abs(few.predict_proba(X) - many.predict_proba(X)).max() < 1e-3


def test_more_classes_are_fitted_without_second_derivatives() -> None:
    X = np.random.default_rng(0).normal(size=(90, 3))
    assert Logistic().fit(X, np.arange(90) % 3).solver == "lbfgs"
