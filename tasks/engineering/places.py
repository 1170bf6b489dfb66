"""Which columns of the prepared matrix each input makes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator
from sklearn.preprocessing import OneHotEncoder


def places(columns: ColumnTransformer) -> dict[str, list[int]]:
    """The positions of each input's own columns in what the fitted steps give, missing marks too."""
    found: dict[str, list[int]] = defaultdict(list)
    for member, step, names in columns.transformers_:
        if member == "remainder":
            continue
        span = columns.output_indices_[member]
        owners = _owners(step, list(names), span.stop - span.start)
        for place, name in enumerate(owners, span.start):
            found[name].append(place)
    return found


def _owners(step: Any, names: list[str], width: int) -> list[str]:
    """The input behind each column that the step gives."""
    if len(names) == 1:
        return names * width
    if isinstance(step, MissingIndicator):
        return [names[at] for at in step.features_]
    if isinstance(step, OneHotEncoder):
        rare = step.infrequent_categories_
        pairs = zip(names, step.categories_, rare, strict=True)
        return [
            name
            for name, levels, few in pairs
            for _ in range(len(levels) - (0 if few is None else len(few) - 1))
        ]
    return names
