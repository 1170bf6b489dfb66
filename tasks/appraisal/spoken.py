"""Gains as people read them."""

from __future__ import annotations


def signed(value: float) -> str:
    return f"+{figure(value)}" if value > 0 else figure(value)


def figure(value: float) -> str:
    """Two digits that count, with a real minus sign."""
    shown = f"{value:.2g}" if 1e-4 <= abs(value) < 100 else f"{value:.0f}" if value else "0"
    return shown.replace("-", "−")
