"""What a device reads beside the graph, and rows to test itself with that are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.device.paper import PAPER, Column, Paper, Proof
from serving.golden import Golden
from serving.proof import TOLERANCE
from serving.signature import Decision, Signature
from tasks.packaging.asked import Asked
from tasks.packaging.hostile import as_table
from tasks.packaging.parity import Row, answers

__all__ = ["PAPER", "mixed", "paper"]

SEED = 0
_ABSENT = object()


def mixed(pipeline: Any, signature: Signature, rows: Sequence[Row]) -> Asked:
    """Each column of the rows shuffled by itself: as usual and as hostile as they, and of nobody.

    The bundle stays where it was made; this goes to every device.
    """
    draw = np.random.default_rng(SEED)
    made: list[Row] = [{} for _ in rows]
    for column in signature.inputs:
        cells = [row.get(column.name, _ABSENT) for row in rows]
        for row, at in zip(made, draw.permutation(len(rows)).tolist(), strict=True):
            if cells[at] is not _ABSENT:
                row[column.name] = cells[at]
    wanted = answers(pipeline, signature, as_table(signature, made))
    return Asked(signature, made, [f"mixed row {i}" for i in range(len(made))], wanted)


def paper(signature: Signature, decision: Decision, proof: Golden) -> Paper:
    """The specification that every runner reads."""
    every = (*signature.inputs, *signature.carried)
    return Paper(
        project=signature.project, target=signature.target, task=signature.task,
        inputs=tuple(Column(name=one.name, kind=one.kind, required=one.required) for one in signature.inputs),
        columns=tuple(one.name for one in every), classes=signature.classes, say=signature.say,
        decision=decision, tolerance=TOLERANCE,
        proof=Proof(rows=proof.rows, probabilities=proof.probabilities, values=proof.values),
    )  # fmt: skip
