"""More rows than memory holds: searched on drawn ones, fitted on all, streamed.

    python -m benchmarks.external [--rows 20000000] [--memory 3] [--minutes 8]

Rows of ten numbers and a class are written batch by batch into a table of the lake, which is then
explored, split, engineered, tuned and judged, in a process of its own. Prints the seconds of each
stage, the most that this process with its children held (PSS, looked at ten times a second), the
rows of the final fit, and the ROC AUC on the holdout beside that of the same parameters fitted in
memory on the drawn rows alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from benchmarks.validation import watched
from charter import Charter
from serving.home import place
from tasks import lake

if TYPE_CHECKING:
    from tasks.engineer import Recipe
    from tasks.split import Split
    from tasks.tune import Study

BATCH = 250_000
COLUMNS = 10
Made = TypeVar("Made")
SCHEMA = pa.schema([*((f"n{at}", pa.float32()) for at in range(COLUMNS)), ("late", pa.string())])


def drawn(rows: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Inputs, float32, and whether it is late."""
    rng = np.random.default_rng(seed)
    for first in range(0, rows, BATCH):
        values = rng.normal(size=(min(BATCH, rows - first), COLUMNS)).astype(np.float32)
        push = values[:, 0] * values[:, 1] + values[:, 2] + np.sin(2 * values[:, 3])
        yield values, push + rng.logistic(size=len(push)) > 0


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    for values, late in drawn(rows):
        columns = [pa.array(values[:, at]) for at in range(COLUMNS)]
        columns.append(pa.array(np.where(late, "yes", "no")))
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def trained(rows: int, minutes: float, memory: float) -> dict[str, object]:
    """In this process: the stages."""
    from tasks.engineer import engineer
    from tasks.evaluate import evaluate
    from tasks.explore import explore
    from tasks.split import split
    from tasks.tune import tune

    charter = Charter.model_validate(
        {
            "name": "bench",
            "goal": {"target": {"column": "late", "task": "binary"}},
            "constraints": {"train_minutes": minutes, "memory_gb": memory},
            "evaluation": {"metric": "roc_auc", "split": {"by": "random", "holdout": 0.1}},
            "data": {"source": {"kind": "parquet", "path": "rows.parquet"}},
        }
    )
    seconds: dict[str, float] = {}

    def timed(name: str, run: Callable[[], Made]) -> Made:
        began = time.perf_counter()
        made = run()
        seconds[name] = round(time.perf_counter() - began, 1)
        print(f"{name}: {seconds[name]} s", file=sys.stderr, flush=True)
        return made

    reader = pa.RecordBatchReader.from_batches(SCHEMA, batches(rows))
    table = timed("write", lambda: lake.write("tables/bench/valid", "bench", reader, str(rows)))
    profile = timed("explore", lambda: explore(charter, table))
    sides = timed("split", lambda: split(charter, table, profile))
    recipe = timed("engineer", lambda: engineer(charter, sides.training, profile))
    study = timed("tune", lambda: tune(charter, sides.training, recipe))
    card = timed("evaluate", lambda: evaluate(charter, sides, recipe, study))
    fewer = timed("beside", lambda: in_memory(charter, sides, recipe, study))
    return {
        "seconds": seconds, "family": study.family, "training": sides.training.rows,
        "searched": study.drawn_rows or sides.training.rows,
        "fitted": study.model_rows or sides.training.rows,
        "auc": next(one.value for one in card.measures if one.name == "roc_auc"), "fewer": fewer,
    }  # fmt: skip


def in_memory(charter: Charter, sides: Split, recipe: Recipe, study: Study) -> float:
    """ROC AUC on the holdout of the winner's parameters, fitted on the drawn rows alone."""
    from tasks.metrics import measure
    from tasks.models import family
    from tasks.models.shelf import take
    from tasks.packaging.parity import answers
    from tasks.split import open_holdout
    from tasks.splitting.searched import searched
    from tasks.tuning.bench import load
    from tasks.tuning.sandbox import Sandbox
    from tasks.tuning.scale import finish

    arguments = charter, searched(charter, sides.training), recipe
    with Sandbox(load, arguments, memory_gb=charter.constraints.memory_gb) as sandbox:
        sandbox.call(finish, family(study.family), study.params, None, "fewer.skops", seconds=600)
    held = open_holdout(sides.holdout, "benchmark", "beside the model of all rows")
    said = answers(take(place("fewer.skops")), recipe.signature, held.table)
    return measure("roc_auc", held.truth, said)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--memory", type=float, default=3.0)
    options.add_argument("--minutes", type=float, default=8.0)
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        print(json.dumps(trained(given.rows, given.minutes, given.memory)))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            asked = [
                sys.executable,
                "-m",
                "benchmarks.external",
                "--child",
                "--rows",
                str(given.rows),
            ]
            asked += ["--memory", str(given.memory), "--minutes", str(given.minutes)]
            found = watched(asked, cwd=temporary, PERENNIAL_HOME=f"{temporary}/root")
        print(
            f"{given.rows:,} rows, {found['training']:,} of them to train: searched on "
            f"{found['searched']:,}, {found['family']} fitted on {found['fitted']:,}; at most "
            f"{found['gib']:.2f} GiB of {given.memory:g}\n"
            f"ROC AUC on the holdout {found['auc']:.5f}, fitted on the drawn rows alone "
            f"{found['fewer']:.5f}\nseconds: "
            + ", ".join(f"{name} {spent}" for name, spent in found["seconds"].items())
        )
