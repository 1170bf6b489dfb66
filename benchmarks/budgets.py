"""Whether minutes and memory hold where rows are many or wide, or teach nothing.

    python -m benchmarks.budgets [--minutes 1] [--memory 3] [--cases wide tall ...]

Each case is trained by the stages of `perennial train`, up to the question whether there is enough data,
in a process of its own. Prints the seconds of search, final fit and that question against
`constraints.train_minutes`, and the most that this process with its children held (PSS, looked at ten
times a second) against `constraints.memory_gb`, and which model came out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.validation import watched


def _table(columns: dict[str, np.ndarray], push: np.ndarray, rng: np.random.Generator) -> pa.Table:
    late = push + rng.logistic(size=len(push)) > 0
    return pa.table(columns | {"late": np.where(late, "yes", "no")})


def wide(rng: np.random.Generator) -> pa.Table:
    """3,000 rows of 5,000 numbers, of which ten tell something."""
    values = rng.normal(size=(3_000, 5_000)).astype(np.float32)
    columns = {f"n{at}": values[:, at] for at in range(values.shape[1])}
    return _table(columns, values[:, :10].sum(axis=1), rng)


def tall(rng: np.random.Generator) -> pa.Table:
    """Three million rows of ten numbers and a text of 40 levels."""
    rows = 3_000_000
    values = rng.normal(size=(rows, 10)).astype(np.float32)
    columns: dict[str, np.ndarray] = {f"n{at}": values[:, at] for at in range(10)}
    levels = rng.integers(0, 40, rows)
    columns["place"] = np.array([f"place {at}" for at in range(40)])[levels]
    return _table(columns, values[:, 0] * values[:, 1] + values[:, 2] + levels % 3 - 1, rng)


def constant(rng: np.random.Generator) -> pa.Table:
    """100,000 rows whose inputs say nothing: one value each, or noise."""
    columns = {f"n{at}": np.full(100_000, float(at)) for at in range(10)}
    return _table(columns | {"noise": rng.normal(size=100_000)}, np.zeros(100_000), rng)


def duplicates(rng: np.random.Generator) -> pa.Table:
    """200 rows, a thousand times each."""
    values = np.tile(rng.normal(size=(200, 10)), (1_000, 1))
    columns = {f"n{at}": values[:, at] for at in range(10)}
    late = np.tile(rng.random(200) < 0.5, 1_000)
    return pa.table(columns | {"late": np.where(late, "yes", "no")})


def rare(rng: np.random.Generator) -> pa.Table:
    """100,000 rows, 40 of the one class."""
    values = rng.normal(size=(100_000, 10))
    columns = {f"n{at}": values[:, at] for at in range(10)}
    late = np.zeros(100_000, bool)
    late[np.argsort(-values[:, :4].sum(axis=1))[:80:2]] = True
    return pa.table(columns | {"late": np.where(late, "yes", "no")})


CASES: dict[str, Callable[[np.random.Generator], pa.Table]] = {
    "wide": wide, "tall": tall, "constant": constant, "duplicates": duplicates, "rare": rare,
}  # fmt: skip


def trained(path: str, minutes: float, memory: float) -> dict[str, object]:
    """In this process: the stages, and what the budget was spent on."""
    from charter import Charter, Refusal
    from tasks.appraise import appraise
    from tasks.engineer import engineer
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.split import split
    from tasks.tune import tune
    from tasks.validate import validate

    charter = Charter.model_validate(
        {
            "name": "bench",
            "goal": {"target": {"column": "late", "task": "binary"}},
            "constraints": {"train_minutes": minutes, "memory_gb": memory},
            "evaluation": {"metric": "roc_auc", "split": {"by": "random", "holdout": 0.2}},
            "data": {"source": {"kind": "parquet", "path": path}, "quarantine_share": 1.0},
        }
    )
    began = time.perf_counter()
    try:
        table = validate(charter, ingest(charter)).table
        profile = explore(charter, table)
        training = split(charter, table, profile).training
        recipe = engineer(charter, training, profile)
        before = time.perf_counter() - began
        study = appraise(charter, training, recipe, tune(charter, training, recipe)).study
    except Refusal as refusal:
        return {"refused": str(refusal), "before": time.perf_counter() - began}
    spent = time.perf_counter() - began - before
    best = next(rung for rung in study.ladder if rung.taken)
    return {
        "before": before, "spent": spent, "family": study.family, "score": best.score,
        "rows": study.searched_rows or study.model_rows or training.rows,
    }  # fmt: skip


def measured(name: str, minutes: float, memory: float) -> str:
    """One case, told."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "rows.parquet"
        pq.write_table(CASES[name](np.random.default_rng(0)), path)
        asked = [sys.executable, "-m", "benchmarks.budgets", "--child", str(path)]
        asked += ["--minutes", str(minutes), "--memory", str(memory)]
        found = watched(asked, cwd=temporary, PERENNIAL_HOME=f"{temporary}/root")
    if "refused" in found:
        return f"{name}: refused after {found['before']:.0f} s: {found['refused']}"
    spent = f"{found['spent']:.0f} s of {60 * minutes:.0f} ({found['spent'] / 60 / minutes:.2f})"
    room = f"{found['gib']:.2f} GiB of {memory:g} ({found['gib'] / memory:.2f})"
    return (
        f"{name}: {spent}, {room}; {found['family']}, ROC AUC {found['score']:.3f}, searched on "
        f"{found['rows']:,} rows; the stages before took {found['before']:.0f} s"
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--memory", type=float, default=3.0)
    options.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    options.add_argument("--child", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        print(json.dumps(trained(given.child, given.minutes, given.memory)))
    else:
        for case in given.cases:
            print(measured(case, given.minutes, given.memory), flush=True)
