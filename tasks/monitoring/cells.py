"""A column cut into a few cells, so that any number of rows becomes a few counts that add up."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Literal

import numpy as np

from charter import Frozen

BINS = 20
LEVELS = 30
SUPPORT = 5
"""Rows that a text needs to be named; what is rarer may be about one person."""
RARE = 5_000
"""Rare texts that are remembered by their hash; with more of them nothing counts as unseen."""

Kind = Literal["number", "flag", "text"]


class Cells(Frozen):
    """The cells of one column: bins or texts, then what training never saw, then missing."""

    kind: Kind
    edges: tuple[float, ...] = ()
    """Numbers: smallest value seen, inner edges, largest value seen."""
    levels: tuple[str, ...] = ()
    """Texts with a cell of their own, most frequent first."""
    rare: tuple[str, ...] | None = ()
    """Hashes of the other texts seen; None: too many to know them again."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per cell."""
        if self.kind == "text":
            return (*self.levels, "other", "unseen", "missing")
        if self.kind == "flag":
            return ("false", "true", "missing")
        bins = tuple(
            f"{low:.4g} to {high:.4g}"
            for low, high in zip(self.edges, self.edges[1:], strict=False)
        )
        return (*bins, "below", "above", "missing")

    @property
    def unseen(self) -> tuple[int, ...]:
        """Places of the cells that training never saw."""
        size = len(self.names)
        return {"text": (size - 2,), "flag": (), "number": (size - 3, size - 2)}[self.kind]

    @property
    def missing(self) -> int:
        return len(self.names) - 1

    def places(self, values: np.ndarray) -> np.ndarray:
        """The cell of each value: float64 (NaN is missing), or object texts ("" is missing)."""
        if self.kind == "text":
            return self._of_texts(values)
        if self.kind == "flag":
            return np.where(np.isnan(values), 2, values != 0).astype(np.int64)
        return self._of_numbers(values)

    def count(self, values: np.ndarray) -> np.ndarray:
        """Rows per cell, int64; counts of two batches add up."""
        return np.bincount(self.places(values), minlength=len(self.names))

    def _of_numbers(self, values: np.ndarray) -> np.ndarray:
        if not self.edges:
            return np.where(np.isnan(values), 2, 1)
        edges, bins = np.asarray(self.edges), len(self.edges) - 1
        found = np.searchsorted(edges[1:-1], values, side="right")
        found[values < edges[0]] = bins
        found[values > edges[-1]] = bins + 1
        found[np.isnan(values)] = bins + 2
        return np.asarray(found)

    def _of_texts(self, values: np.ndarray) -> np.ndarray:
        known = self._known
        words, inverse = _distinct(values)
        places = np.array([self._of_text(word, known) for word in words], dtype=np.int64)
        return np.asarray(places[inverse])

    def _of_text(self, word: str, known: dict[str, int]) -> int:
        if word in known:
            return known[word]
        other = len(self.levels)
        return other if self.rare is None or hashed(word) in self._hashes else other + 1

    @cached_property
    def _known(self) -> dict[str, int]:
        return {level: at for at, level in enumerate(self.levels)} | {"": len(self.levels) + 2}

    @cached_property
    def _hashes(self) -> frozenset[str]:
        return frozenset(self.rare or ())


def cut_numbers(values: np.ndarray) -> Cells:
    """Bins with equal shares of the rows, or one for each of a few distinct values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Cells(kind="number")
    distinct = np.unique(known)
    if len(distinct) == 1:
        return Cells(kind="number", edges=(float(distinct[0]), float(distinct[0])))
    if len(distinct) <= BINS:
        inner = (distinct[:-1] + distinct[1:]) / 2
        edges = np.concatenate([distinct[:1], inner, distinct[-1:]])
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    return Cells(kind="number", edges=tuple(edges.tolist()))


def cut_flags() -> Cells:
    return Cells(kind="flag")


def cut_texts(values: np.ndarray) -> Cells:
    """The most frequent texts; the rest is known again by hash only."""
    words, inverse = _distinct(values)
    counts = np.bincount(inverse, minlength=len(words))
    ordered = sorted(range(len(words)), key=lambda at: (-counts[at], words[at]))
    ordered = [at for at in ordered if words[at]]
    named = [at for at in ordered[:LEVELS] if counts[at] >= SUPPORT]
    rest = [words[at] for at in ordered if at not in set(named)]
    rare = tuple(sorted(hashed(word) for word in rest)) if len(rest) <= RARE else None
    return Cells(kind="text", levels=tuple(words[at] for at in named), rare=rare)


def hashed(word: str) -> str:
    return hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _distinct(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Distinct texts and each value's place among them."""
    import pandas as pd

    codes, words = pd.factorize(np.asarray(values, dtype=object))
    return [str(word) for word in words], np.asarray(codes)
