"""Tables that teach little or nothing: the search still ends with a model that answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.home import place
from tasks.models.shelf import take
from tasks.recipe.inputs import frame
from tasks.tune import tune
from tests.tasks import material

INPUTS = ("a", "b", "flag", "at", "colour", "place")


def _constant(table: pa.Table) -> pa.Table:
    """Every input holds one value, the same in all rows."""
    columns = {name: table[name].drop_null().slice(0, 1).to_pylist()[0] for name in INPUTS}
    made = {
        name: pa.array([value] * table.num_rows, table.schema.field(name).type)
        for name, value in columns.items()
    }
    return pa.table(made | {"answer": table["answer"]})


def _missing(table: pa.Table) -> pa.Table:
    """No input holds any value."""
    made = {name: pa.nulls(table.num_rows, table.schema.field(name).type) for name in INPUTS}
    return pa.table(made | {"answer": table["answer"]})


def _duplicates(table: pa.Table) -> pa.Table:
    """Eight rows, fifty times each."""
    return table.take(pa.array(np.tile(np.arange(8), table.num_rows // 8)))


def _rare(table: pa.Table) -> pa.Table:
    """One class has four rows."""
    answer = ["yes" if n < 4 else "no" for n in range(table.num_rows)]
    return table.set_column(table.num_columns - 1, "answer", pa.array(answer))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [_constant, _missing, _duplicates, _rare])
def test_a_valid_model_comes_out(root: Path, spoil: Callable[[pa.Table], pa.Table]) -> None:
    charter = material.charter(
        tuning={"families": ["dummy", "linear", "tree", "forest"], "trials": 2},
        constraints={"train_minutes": 3.0},
    )
    training = material.training("binary", 400)
    rows = spoil(pq.read_table(place(training.where)))
    pq.write_table(rows, place(training.where))
    recipe = material.recipe("binary")
    study = tune(charter, training, recipe)
    scores = [rung.score for rung in study.ladder if rung.score is not None]
    assert scores
    assert np.isfinite(scores).all()
    if spoil in (_constant, _missing):
        assert study.family == "dummy"  # nothing to learn: no rung above it pays
    model = take(place(study.model))
    chances = model.predict_proba(frame(recipe.signature, rows))
    assert chances.shape == (400, 2)
    assert np.isfinite(chances).all()
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-6)
