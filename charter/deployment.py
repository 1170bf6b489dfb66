"""`deployment`: where and how the release is brought out."""

from __future__ import annotations

from pydantic import Field

from charter.frozen import Frozen


class Deployment(Frozen):
    """The service of the release and the proof that it has to pass first."""

    host: str = "127.0.0.1"
    """The address that `perennial serve` binds to; only this machine unless told otherwise."""
    port: int = Field(default=8080, ge=1, le=65_535)
    parity_rows: int = Field(default=10_000, ge=1)
    """How many holdout rows the parity gate compares."""
    rehearsal_requests: int = Field(default=500, ge=100)
    """How many one-row requests the rehearsal times."""
