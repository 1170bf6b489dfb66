"""Which models the charter's constraints allow."""

from __future__ import annotations

from charter.constraints import Constraints
from tasks.tuning.scale import Weight

APART = 1e-5
"""Largest difference allowed between a pipeline and its graph."""


def broken(constraints: Constraints, weight: Weight) -> str:
    """Which constraint the model breaks, in words; empty where it keeps them all."""
    if weight.mb > constraints.model_mb:
        return f"too large: {weight.mb:.1f} MB > {constraints.model_mb:g} MB"
    if weight.row_ms > constraints.latency_p99_ms:
        return f"too slow: {weight.row_ms:.1f} ms a row > {constraints.latency_p99_ms:g} ms"
    if weight.difference > APART:
        return f"its graph differs from its pipeline by {weight.difference:.1g} > {APART:g}"
    return ""
