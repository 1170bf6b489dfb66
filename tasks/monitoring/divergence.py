"""How far two distributions are apart, as a number from 0 (the same) to 1 (nothing in common)."""

from __future__ import annotations

import numpy as np


def divergence(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits along the last axis (Lin, Divergence Measures Based on
    the Shannon Entropy, 1991); its root is a distance. Shares or counts, shape (..., cells)."""
    ours = ours / ours.sum(axis=-1, keepdims=True)
    theirs = theirs / theirs.sum(axis=-1, keepdims=True)
    middle = (ours + theirs) / 2
    found = entropy(middle) - (entropy(ours) + entropy(theirs)) / 2
    return np.asarray(np.clip(found, 0.0, 1.0))


def entropy(shares: np.ndarray) -> np.ndarray:
    """Shannon entropy in bits along the last axis."""
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=-1))
