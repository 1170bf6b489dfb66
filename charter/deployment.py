"""`deployment`: where and how the release is brought out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from charter.frozen import Frozen
from charter.runtime import Cron, Span


class Canary(Frozen):
    """How a new release is tried on a share of the traffic, beside what is live, before it takes over.

    Both answer every row whose truth comes in meanwhile, whichever of them was asked; the new one
    takes over when it is better beyond doubt (`runtime.false_promotion_rate`, over all looks
    together) and is withdrawn when it is worse, fails or is slow, or when the time is over.
    """

    share: float = Field(gt=0, lt=1)
    """The part of the requests that the new release answers."""
    rows: int = Field(default=500, ge=50)
    """Rows with their truth from which on the two are compared; again each time they have doubled."""
    most: Span = "7d"
    """How long it lasts at most; what is not decided by then keeps what is live."""
    look: Cron = "0 * * * *"
    """When the two are compared, in `runtime.timezone`."""


Share = Annotated[float, Field(ge=0, lt=1)]


class Deployment(Frozen):
    """The service of the release and the proof that it has to pass first."""

    host: str = "127.0.0.1"
    """The address that `perennial serve` binds to; only this machine unless told otherwise."""
    port: int = Field(default=8080, ge=1, le=65_535)
    """Of the scoring service; `up` looks for a free one where it is not named."""
    parity_rows: int = Field(default=10_000, ge=1)
    """How many holdout rows the parity gate compares."""
    rehearsal_requests: int = Field(default=500, ge=100)
    """How many one-row requests the rehearsal times."""
    canary: Share | Canary = 0.0
    """The share of the traffic that a new release takes first, as in 0.1, or {share: 0.1, rows: 1000,
    most: 3d}; 0: it is live at once."""

    @property
    def trial(self) -> Canary | None:
        """How a new release is tried; None where it is live at once."""
        if isinstance(self.canary, Canary):
            return self.canary
        return Canary(share=self.canary) if self.canary else None
