"""What a model will weigh, said before it is trained.

Each family's `foresee` gives the bytes of its nodes in `model.onnx` and the microseconds that one
row takes in them, from its parameters and the shape of the data alone. The figures per number,
leaf and step were fitted to graphs of the catalogue on two cores; the conformance suite holds each
family to `WITHIN` and `WITHIN_TIME`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WITHIN = 3.0
"""What came out is at most this many times more or less than what was foreseen, in bytes …"""
WITHIN_TIME = 10.0
"""… and in microseconds, which depend on the machine."""
NUMBER = 8.0
"""Bytes of one number."""
LEAF = 38.0
"""Bytes of a leaf with its split."""


@dataclass(frozen=True)
class Shape:
    """What is known before training."""

    rows: int
    columns: int
    """After preparation."""
    classes: int
    """0 for numbers."""

    @property
    def outputs(self) -> int:
        """Numbers that a model computes for each row: one for numbers and for two classes."""
        return self.classes if self.classes > 2 else 1


@dataclass(frozen=True)
class Foreseen:
    """What a graph will weigh."""

    bytes: float
    micros: float
    """Of one row."""

    def __add__(self, other: Foreseen) -> Foreseen:
        return Foreseen(self.bytes + other.bytes, self.micros + other.micros)


def leaves(rows: float, depth: float, least: float) -> float:
    """About how many leaves a tree grows: what its depth allows and what its rows allow, and less
    than either where both are near."""
    by_depth, by_rows = math.exp2(depth), max(1.0, rows / (2.0 * max(1.0, least)))
    return max(1.0, 1.0 / (1.0 / by_depth + 1.0 / by_rows))


def trees(count: float, leaves_each: float, table: int = 0) -> Foreseen:
    """An ensemble; `table`: numbers that each leaf holds in a table beside it."""
    total = count * leaves_each
    steps = count * (1.0 + math.log2(1.0 + leaves_each))
    return Foreseen(total * (LEAF + NUMBER * table), micros=10.0 + 0.02 * steps)


def matrix(numbers: float) -> Foreseen:
    """Matrices that a row is multiplied with."""
    return Foreseen(NUMBER * numbers, micros=10.0 + 0.0005 * numbers)
