"""The charter's rules as a step: which one holds for a row, and what it says."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from charter.heuristic import Test


class FirstRule(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Raw columns to the number of the first rule that holds, and what that rule says.

    `rules`: for each rule its tests as `plain` writes them. `says`: a number for each rule, and
    the last for where none holds.
    """

    def __init__(
        self, rules: tuple[tuple[Plain, ...], ...] = (), says: tuple[float, ...] = (0.0,)
    ) -> None:
        self.rules = rules
        self.says = says

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Float64, shape (rows, 2)."""
        holds = [np.logical_and.reduce([_passes(X, test) for test in rule]) for rule in self.rules]
        always = np.ones(len(X), dtype=bool)
        first = np.argmax(np.column_stack([*holds, always]), axis=1)
        return np.column_stack([first, np.asarray(self.says, dtype=np.float64)[first]])


Plain = tuple[str, str, float, tuple[float | str, ...]]
"""Column, sign, bound, values: what survives a file."""


def plain(test: Test, text: bool) -> Plain:
    """The test as plain values; `text`: whether the column holds texts."""
    among = tuple(str(one) if text else float(one) for one in test.among)
    return test.column, test.sign, test.bound, among


def _passes(X: pd.DataFrame, test: Plain) -> np.ndarray:
    name, sign, bound, among = test
    column = X[name]
    text = column.dtype.kind not in "fiub"
    values = column.to_numpy(dtype=object if text else np.float64)
    if sign == "missing":
        return np.asarray(values == "" if text else np.isnan(values), dtype=bool)
    if sign == "in":
        return np.asarray(np.isin(values, np.asarray(among, dtype=values.dtype)), dtype=bool)
    with np.errstate(invalid="ignore"):
        found = {
            "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
        }[sign](values, bound)  # fmt: skip
    return np.asarray(found, dtype=bool)
