"""A tree as rules: one for each leaf, with the tests on one column drawn together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tasks.printing.cells import Cell

TRUTH = 0.5


@dataclass(frozen=True)
class Path:
    """What holds on the way to a leaf, per prepared column: above, and at most."""

    bounds: dict[int, tuple[float, float]] = field(default_factory=dict)

    def left(self, column: int, threshold: float) -> Path:
        low, high = self.bounds.get(column, (-math.inf, math.inf))
        return replace(self, bounds={**self.bounds, column: (low, min(high, threshold))})

    def right(self, column: int, threshold: float) -> Path:
        low, high = self.bounds.get(column, (-math.inf, math.inf))
        return replace(self, bounds={**self.bounds, column: (max(low, threshold), high)})


def leaves(tree: Any) -> Iterator[tuple[Path, np.ndarray, int]]:
    """Path, answer and training rows of each leaf, from left to right."""
    waiting = [(0, Path())]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            yield path, tree.value[node, 0], int(tree.n_node_samples[node])
            continue
        column, threshold = int(tree.feature[node]), float(tree.threshold[node])
        waiting.append((int(tree.children_right[node]), path.right(column, threshold)))
        waiting.append((int(tree.children_left[node]), path.left(column, threshold)))


def spoken(path: Path, cells: list[Cell]) -> str:
    """The conditions in words; all of them hold at the leaf."""
    said = [_words(cells[column], low, high) for column, (low, high) in path.bounds.items()]
    return " and ".join(said) or "always"


def _words(cell: Cell, low: float, high: float) -> str:
    name, weight = cell.terms[0]
    if cell.statement:
        return cell.statement if low >= TRUTH - 1 and low > -math.inf else cell.denial
    if cell.levels:
        return _levels(name, cell.levels, low, high)
    low, high = ((bound - cell.constant) / weight for bound in (low, high))
    if low == -math.inf:
        return f"{name} ≤ {high:.6g}"
    return f"{name} > {low:.6g}" if high == math.inf else f"{low:.6g} < {name} ≤ {high:.6g}"


def _levels(name: str, levels: tuple[str, ...], low: float, high: float) -> str:
    """Numbers of levels back to the levels; what training did not see has the number -1."""
    chosen = [level for place, level in enumerate(levels) if low < place <= high]
    unknown = low < -1.0 <= high
    others = [level for level in levels if level not in chosen]
    if len(others) < len(chosen):
        but = " or new" if not unknown else ""
        return f"{name} is not {_listed(others)}{but}" if others or but else f"{name} is anything"
    return f"{name} is {_listed([*chosen, *(['new'] if unknown else [])])}"


def _listed(words: list[str]) -> str:
    return " or ".join(words) if words else "any"
