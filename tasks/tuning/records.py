"""What a study leaves for later stages: the trial table and the out-of-fold predictions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serving.home import place
from tasks.tuning.choice import Contender
from tasks.tuning.ground import Ground
from tasks.tuning.ladder import Ladder

TRIALS = pa.schema(
    [
        ("number", pa.int64()),  # in the order they were begun, all families together
        ("family", pa.string()),
        ("state", pa.string()),  # complete, pruned or failed
        ("score", pa.float64()),
        ("seconds", pa.float64()),
        ("params", pa.string()),  # JSON
        ("why", pa.string()),
    ]
)


def trials(ladder: Ladder) -> list[dict[str, Any]]:
    """Every trial, oldest first."""
    entries = [(entry, name) for name, climb in ladder.tried.items() for entry in climb.entries]
    entries.sort(key=lambda pair: pair[0].began)
    return [
        {
            "number": number, "family": name, "state": entry.state, "score": entry.score,
            "seconds": entry.seconds, "params": json.dumps(entry.params), "why": entry.why,
        }
        for number, (entry, name) in enumerate(entries)
    ]  # fmt: skip


def keep_trials(ground: Ground, rows: list[dict[str, Any]]) -> str:
    return _write(ground, "trials.parquet", pa.Table.from_pylist(rows, schema=TRIALS))


def keep_out_of_fold(ground: Ground, winner: Contender) -> str:
    """Columns row, truth, and p_0, p_1 … or value."""
    columns: dict[str, Any] = {"row": np.concatenate(ground.survey.tests), "truth": ground.truth}
    if winner.answers.ndim == 1:
        columns["value"] = winner.answers
    else:
        columns |= {f"p_{at}": column for at, column in enumerate(winner.answers.T)}
    return _write(ground, "out_of_fold.parquet", pa.table(columns))


def _write(ground: Ground, name: str, table: pa.Table) -> str:
    where = ground.folder.file(name)
    draft = place(ground.folder.file(f".{name}"))
    pq.write_table(table, draft)
    draft.replace(place(where))
    return where
