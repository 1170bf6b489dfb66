"""Minutes and memory hold where rows are many or wide: a valid model comes out in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Charter
from serving.home import place
from tasks.engineer import engineer
from tasks.explore import explore
from tasks.ingest import ingest
from tasks.models.shelf import take
from tasks.recipe.inputs import frame
from tasks.split import split
from tasks.tune import tune
from tasks.validate import validate

MINUTES, MEMORY = 0.5, 2.0


def _wide(rng: np.random.Generator) -> pa.Table:
    """More columns than rows."""
    values = rng.normal(size=(400, 600)).astype(np.float32)
    return _judged(
        {f"n{at}": values[:, at] for at in range(600)}, 2 * values[:, :3].sum(axis=1), rng
    )


def _tall(rng: np.random.Generator) -> pa.Table:
    """So many rows that most families cannot take all of them in their time."""
    values = rng.normal(size=(300_000, 8)).astype(np.float32)
    columns: dict[str, np.ndarray] = {f"n{at}": values[:, at] for at in range(8)}
    columns["place"] = np.array([f"place {at}" for at in range(40)])[rng.integers(0, 40, 300_000)]
    return _judged(columns, values[:, 0] * values[:, 1] + values[:, 2], rng)


def _judged(columns: dict[str, np.ndarray], push: np.ndarray, rng: np.random.Generator) -> pa.Table:
    late = push + rng.logistic(size=len(push)) > 0
    return pa.table(columns | {"late": np.where(late, "yes", "no")})


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("make", [_wide, _tall])
def test_the_budget_holds(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[np.random.Generator], pa.Table],
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = make(np.random.default_rng(0))
    pq.write_table(rows, tmp_path / "rows.parquet")
    charter = Charter.model_validate(
        {
            "name": "budget",
            "goal": {"target": {"column": "late", "task": "binary"}},
            "constraints": {"train_minutes": MINUTES, "memory_gb": MEMORY},
            "evaluation": {"metric": "roc_auc", "split": {"by": "random", "holdout": 0.1}},
            "data": {"source": {"kind": "parquet", "path": "rows.parquet"}, "quarantine_share": 1},
            "tuning": {"learning_curve": False, "generate": "never"},
        }
    )
    table = validate(charter, ingest(charter)).table
    profile = explore(charter, table)
    training = split(charter, table, profile).training
    recipe = engineer(charter, training, profile)
    study = tune(charter, training, recipe)
    assert study.seconds <= 1.1 * 60 * MINUTES
    assert study.peak_gb <= 1.1 * MEMORY
    best = next(rung for rung in study.ladder if rung.taken)
    assert best.score is not None
    assert best.score > 0.6
    answers = take(place(study.model)).predict_proba(frame(recipe.signature, rows.slice(0, 100)))
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-6)
