"""More rows than memory holds: searched on drawn ones, boosting fitted on all, streamed.

    python -m benchmarks.external [--rows 20000000] [--memory 3] [--minutes 8] [--trees 40]

Rows of ten numbers and a class are written batch by batch into a table of the lake, which is then
explored, split, engineered, tuned and judged, in a process of its own. Then boosting of so many
trees is fitted in the sandbox of the search: on the drawn rows, and on all of them, which wait in memory
as bytes or in pages on disk. Prints the seconds of each part, the rows that the final fit of the search had,
the ROC AUC on the holdout, and the most that this process with its children held (PSS, looked at ten times
a second).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
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
    from tasks.tuning.bench import Bench

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


def trained(rows: int, minutes: float, memory: float, trees: int) -> dict[str, object]:
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
    beside = {
        name: timed(name, partial(boosted, charter, sides, recipe, trees, name))
        for name in ("drawn rows", "all rows", "all rows in pages")
    }
    return {
        "seconds": seconds, "family": study.family, "training": sides.training.rows,
        "searched": study.drawn_rows or sides.training.rows,
        "fitted": study.model_rows or sides.training.rows,
        "auc": next(one.value for one in card.measures if one.name == "roc_auc"), "beside": beside,
    }  # fmt: skip


def boosted(charter: Charter, sides: Split, recipe: Recipe, trees: int, name: str) -> float:
    """ROC AUC on the holdout of boosting that was fitted on these rows, without what reading them takes."""
    from benchmarks.external import crowd
    from tasks.metrics import measure
    from tasks.models import family
    from tasks.models.shelf import take
    from tasks.packaging.parity import answers
    from tasks.split import open_holdout
    from tasks.splitting.searched import searched
    from tasks.tuning.bench import load
    from tasks.tuning.sandbox import Sandbox
    from tasks.tuning.scale import finish
    from tasks.tuning.whole import Whole

    whole = None if name == "drawn rows" else Whole(sides.training)
    arguments = charter, searched(charter, sides.training), recipe, 2, None, whole
    one = family("boosting")
    params = {**one.start, "trees": trees}
    with Sandbox(load, arguments, memory_gb=charter.constraints.memory_gb) as sandbox:
        sandbox.ready(600)
        if name == "all rows in pages":
            sandbox.call(crowd, seconds=1)
        sandbox.call(finish, one, params, None, "beside.skops", seconds=3_600)
    held = open_holdout(sides.holdout, "benchmark", "beside the model of all rows")
    said = answers(take(place("beside.skops")), recipe.signature, held.table)
    return measure("roc_auc", held.truth, said)


def crowd(bench: Bench) -> None:
    """As if there were no room for rows in memory."""
    bench.room = 1.0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--memory", type=float, default=3.0)
    options.add_argument("--minutes", type=float, default=8.0)
    options.add_argument("--trees", type=int, default=40)
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        print(json.dumps(trained(given.rows, given.minutes, given.memory, given.trees)))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            asked = [sys.executable, "-m", "benchmarks.external", "--child"]
            for name in ("rows", "memory", "minutes", "trees"):
                asked += [f"--{name}", str(getattr(given, name))]
            found = watched(asked, cwd=temporary, PERENNIAL_HOME=f"{temporary}/root")
        print(
            f"{given.rows:,} rows, {found['training']:,} of them to train: searched on "
            f"{found['searched']:,}, {found['family']} fitted on {found['fitted']:,}; at most "
            f"{found['gib']:.2f} GiB of {given.memory:g}; ROC AUC on the holdout {found['auc']:.5f}\n"
            f"{given.trees} trees: "
            + ", ".join(f"{name} {value:.5f}" for name, value in found["beside"].items())
            + "\nseconds: "
            + ", ".join(f"{name} {spent}" for name, spent in found["seconds"].items())
        )
