"""Counts of the reference: rows per block and cell, with what a block has that no other has."""

from __future__ import annotations

import numpy as np

from tasks.monitoring.cells import Cells, hashed


def counted(cells: Cells, values: np.ndarray, block: np.ndarray, blocks: int) -> np.ndarray:
    """Rows per block and cell, int64, shape (blocks, cells); -1 is no block.

    A value that only one block has (of one block: only one row) counts as unseen: so often does a
    new day bring what was never seen (Good, The Population Frequencies of Species, 1953).
    """
    inside = block >= 0
    values, block = values[inside], block[inside]
    places = cells.places(values)
    new = _new(cells, values, block if blocks > 1 else np.arange(len(block)))
    places[new >= 0] = new[new >= 0]
    size = len(cells.names)
    flat = np.bincount(block * size + places, minlength=blocks * size)
    return flat.reshape(blocks, size)


def _new(cells: Cells, values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """The unseen cell that a row belongs to, seen from all other blocks; -1 for most rows."""
    found = np.full(len(values), -1)
    if cells.kind == "number" and cells.edges:
        below, above = cells.unseen
        found[_extreme(values, block)] = below
        found[_extreme(-values, block)] = above
    if cells.kind == "text" and cells.rare:
        found[_lonely(cells, values, block)] = cells.unseen[0]
    return found


def _extreme(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Rows below everything in the other blocks."""
    lowest = int(np.nanargmin(values))
    others = values[block != block[lowest]]
    if not len(others) or np.isnan(others).all():
        return np.zeros(len(values), dtype=bool)
    return np.asarray((block == block[lowest]) & (values < np.nanmin(others)))


def _lonely(cells: Cells, values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Rows with a rare text that no other block has."""
    rare = frozenset(cells.rare or ())
    homes: dict[str, int] = {}
    named = {*cells.levels, ""}
    for word, home in zip(values.tolist(), block.tolist(), strict=True):
        if word not in named:
            homes[word] = home if homes.get(word, home) == home else -1
    lonely = {word for word, home in homes.items() if home >= 0 and hashed(word) in rare}
    return np.array([word in lonely for word in values.tolist()], dtype=bool)
