"""How sure a share is."""

from __future__ import annotations

from math import sqrt

Z = 1.959964


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of some rows (Wilson, Probable Inference, 1927)."""
    share, z2 = hits / rows, Z * Z / rows
    middle = (share + z2 / 2) / (1 + z2)
    half = Z * sqrt(share * (1 - share) / rows + z2 / rows / 4) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)
