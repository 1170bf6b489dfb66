"""`goal.target.clusters`: groups that nobody has named yet, found in the rows themselves."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from charter.sought import Sought

ClusteringName = Literal["kmeans", "mixture", "hdbscan"]


class Clusters(Sought):
    """Which groups are looked for, by what, and how clear they have to be."""

    clause: ClassVar[str] = "clusters"
    things: ClassVar[str] = "groups"
    kind: ClassVar[str] = "VARCHAR"

    least: int = Field(default=2, ge=2, le=20)
    """Fewest groups."""
    most: int = Field(default=8, ge=2, le=20)
    """Most groups."""
    families: tuple[ClusteringName, ...] | Literal["auto"] = "auto"
    """Ways of finding groups that are tried; `auto`: all."""
    silhouette: float = Field(default=0.15, ge=-1, le=1)
    """Smallest mean silhouette, from -1 to 1, on rows that the groups were not found in."""
    stability: float = Field(default=0.6, ge=0, le=1)
    """Smallest mean agreement (adjusted Rand index) of groups found in other draws of the rows."""

    @model_validator(mode="after")
    def _in_order(self) -> Clusters:
        if self.least > self.most:
            raise ValueError(f"least is {self.least} and most {self.most}: least comes first")
        return self
