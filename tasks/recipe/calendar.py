"""Times as the parts of a calendar."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tasks.recipe.clock import PARTS, PERIOD, Part, circle, parts


class Calendar(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns of seconds since 1970 (UTC) become calendar parts, column by column.

    `cyclic` gives sine and cosine of each part instead of its number, for learners that
    measure distances. Output order: for each column, each part of `parts`, sine before cosine.
    """

    def __init__(self, parts: tuple[Part, ...] = PARTS, cyclic: bool = False) -> None:
        self.parts = parts
        self.cyclic = cyclic

    def fit(self, X: Any, y: object = None) -> Self:
        self.n_features_in_ = np.asarray(X).shape[1]
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Seconds, shape (rows, columns), to parts, shape (rows, columns * parts [* 2])."""
        check_is_fitted(self, "n_features_in_")
        seconds = np.asarray(X, dtype=np.float64)
        columns = [
            value for column in seconds.T for value in quantities(column, self.parts, self.cyclic)
        ]
        return np.column_stack(columns) if columns else np.empty((len(seconds), 0))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """`time hour`, or `time hour sine` and `time hour cosine`."""
        check_is_fitted(self, "n_features_in_")
        default = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        names = default if input_features is None else input_features
        ends = [" sine", " cosine"] if self.cyclic else [""]
        return np.asarray(
            [f"{name} {part}{end}" for name in names for part in self.parts for end in ends],
            dtype=object,
        )


def quantities(seconds: np.ndarray, wanted: tuple[Part, ...], cyclic: bool) -> list[np.ndarray]:
    """The output columns of one column of seconds."""
    found = parts(seconds, np.floor)
    if not cyclic:
        return [found[part] for part in wanted]
    return [value for part in wanted for value in circle(found[part], PERIOD[part], np.sin)]
