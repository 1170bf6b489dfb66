"""`features`: how columns become inputs of a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from charter.data import Names
from charter.frozen import Frozen


class Features(Frozen):
    """What may be done to the columns."""

    drop: Names = ()
    """Columns that are not to be used, whatever they would bring."""
    pca: Literal["auto", "never"] = "auto"
    """`auto` tries principal components where numeric columns are redundant; kept only if it pays."""
    categories: int = Field(default=64, ge=2, le=10_000)
    """Most levels of one category that get a column of their own; rarer ones share one."""
    impact_repeats: int = Field(default=5, ge=2, le=100)
    """How often each column is permuted to measure its impact."""
