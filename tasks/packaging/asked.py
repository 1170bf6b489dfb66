"""Rows as a client asks them, each with what the fitted pipeline answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from serving.golden import Golden
from serving.signature import Signature
from tasks.packaging.hostile import as_table, hostile
from tasks.packaging.parity import Parity, Row, answers, as_sent, compare


@dataclass(frozen=True)
class Asked:
    """Rows in order; the three lists are of one length."""

    signature: Signature
    rows: list[Row]
    cases: list[str]
    wanted: np.ndarray
    """What the pipeline answers, shape (rows, classes), or (rows, 1) for values."""

    def few(self, most: int) -> Asked:
        """At most this many, evenly spread."""
        places = even(len(self.rows), most)
        return Asked(
            self.signature,
            [self.rows[i] for i in places],
            [self.cases[i] for i in places],
            self.wanted[places],
        )

    def then(self, other: Asked) -> Asked:
        """These rows, then the others."""
        wanted = np.concatenate([self.wanted, other.wanted])
        return Asked(self.signature, self.rows + other.rows, self.cases + other.cases, wanted)

    def compared(self, found: np.ndarray) -> Parity:
        return compare(self.signature, self.wanted, found, self.cases)

    def record(self, decide: Callable[[np.ndarray], list[str]]) -> Golden:
        """The rows as the bundle keeps them."""
        if self.signature.task == "regression":
            values = tuple(self.wanted[:, 0].tolist())
            return Golden(rows=self._cells(), cases=tuple(self.cases), values=values)
        return Golden(
            rows=self._cells(),
            cases=tuple(self.cases),
            probabilities=tuple(map(tuple, self.wanted.tolist())),
            labels=tuple(decide(self.wanted)),
        )

    def _cells(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.rows)


def ordinary_answers(pipeline: Any, signature: Signature, table: pa.Table) -> Asked:
    """Rows of the lake."""
    rows = as_sent(signature, table)
    cases = [f"holdout row {i}" for i in range(len(rows))]
    return Asked(signature, rows, cases, answers(pipeline, signature, table))


def hostile_answers(pipeline: Any, signature: Signature, bases: Sequence[Row]) -> Asked:
    """Hostile rows made from ordinary ones."""
    found = hostile(signature, bases)
    rows = [row for _, row in found]
    wanted = answers(pipeline, signature, as_table(signature, rows))
    return Asked(signature, rows, [what for what, _ in found], wanted)


def even(rows: int, most: int) -> list[int]:
    """At most `most` positions, evenly spread."""
    found: list[int] = np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(int)).tolist()
    return found
