"""`goal.target.anomalies`: rows that are unlike the others, which nobody has named yet."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from charter.sought import Sought

DetectorName = Literal["distance", "isolation_forest", "neighbours"]


class Anomalies(Sought):
    """How many rows are odd, what finds them, and how sure it has to be."""

    clause: ClassVar[str] = "anomalies"
    things: ClassVar[str] = "odd rows"
    kind: ClassVar[str] = "BOOLEAN"

    share: float = Field(default=0.01, ge=0.0002, le=0.2)
    """Share of the rows that are called odd, those that are least like the others."""
    detectors: tuple[DetectorName, ...] | Literal["auto"] = "auto"
    """Ways of finding odd rows that are tried; `auto`: all."""
    known: str | None = None
    """A column that says which rows are odd, with two values; no input and not learned from, the
    odd rows that are found are compared with it."""
    stability: float = Field(default=0.5, ge=0, le=1)
    """Smallest mean overlap (Jaccard index) of the odd rows that two halves of the rows find."""
    planted: float = Field(default=0.85, ge=0, le=1)
    """Smallest ROC AUC with which rows that were given one far value are told from real ones."""
