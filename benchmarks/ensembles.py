"""The best single model, the greedy blend and the stack side by side, of the same trials.

    python -m benchmarks.ensembles [--tables ames diamonds churn] [--trials 6]

Tables of benchmarks/quality.py, without the rows that are held out there. Linear, forest, boosting and neural
have as many trials each, nothing given up early; what is mixed is their out-of-fold answers. Each score is
the mean over the folds, and no fold is judged with weights that it helped to choose. Prints them, with how
far each mixture is ahead of the best single model and the stack of the blend: 95 % intervals of a paired
bootstrap.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile

import pyarrow.parquet as pq

from benchmarks.quality import METRICS, TABLES, laid
from charter import Charter
from tasks.metrics import gain
from tasks.tuning.choice import Choice, Contender

FAMILIES = ("linear", "forest", "boosting", "neural", "blend", "stack")


def mixed(name: str, trials: int) -> Choice:
    """What every family and mixture came to on the table."""
    from tasks.engineer import engineer
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.models import LADDER
    from tasks.split import split
    from tasks.tuning.bench import load, survey
    from tasks.tuning.clock import Clock
    from tasks.tuning.crew import Alone
    from tasks.tuning.folder import Folder
    from tasks.tuning.ground import Ground
    from tasks.tuning.ladder import Ladder
    from tasks.tuning.sandbox import Sandbox
    from tasks.validate import validate

    charter = _charter(name, trials)
    table = validate(charter, ingest(charter)).table
    profile = explore(charter, table)
    training = split(charter, table, profile).training
    recipe = engineer(charter, training, profile)
    folder = Folder(charter.name, training.fingerprint)
    clock = Clock(folder.clock, 60 * charter.constraints.train_minutes)
    with Sandbox(load, (charter, training, recipe), memory_gb=4.0, watch=clock.tick) as sandbox:
        sizes = sandbox.call(survey, seconds=clock.left)
        ground = Ground(charter, training, sizes, sandbox, Alone(sandbox), clock, folder)
        ladder = Ladder(ground, LADDER)
        ladder.climb()
        return ladder.choice()


def _charter(name: str, trials: int) -> Charter:
    table, path = TABLES[name], laid(name) / "train.parquet"
    inputs = [column for column in pq.read_schema(path).names if column != table.target]
    return Charter.model_validate(
        {
            "name": name,
            "goal": {"target": {"column": table.target, "task": table.task}},
            "constraints": {"train_minutes": 60, "model_mb": 500, "latency_p99_ms": 1000},
            "evaluation": {
                "metric": METRICS[table.task],
                "split": {"by": "random", "holdout": 0.05},
                "beat": {},
            },
            "data": {
                "source": {"kind": "parquet", "path": str(path)},
                "quarantine_share": 1.0,
                "known_before": inputs,
            },
            "privacy": {"cleared": inputs},
            "tuning": {"families": FAMILIES, "trials": trials, "prune": False},
        }
    )


def told(name: str, choice: Choice) -> str:
    """One line of the table."""
    found = {one.family: one for one in choice.contenders}
    metric = METRICS[TABLES[name].task]
    blend, stack = found.pop("blend", None), found.pop("stack", None)
    single = max(found.values(), key=lambda one: gain(metric, one.score, 0.0))
    ahead = [
        f"{_named(one)} ({_ahead(choice, one, single)})"
        for one in (blend, stack)
        if one is not None
    ]
    both = _ahead(choice, stack, blend) if blend is not None and stack is not None else "-"
    return " | ".join([name, _named(single), *ahead, f"stack over blend {both}"])


def _named(one: Contender) -> str:
    return f"{one.family} {one.score:.5g}"


def _ahead(choice: Choice, one: Contender, other: Contender) -> str:
    found = choice.ahead(one, other)
    return f"{found.value:+.3g}, {found.low:.3g} to {found.high:.3g}"


def main(tables: list[str], trials: int) -> None:
    """Climb on each table and tell."""
    for name in tables:
        with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
            os.environ["PERENNIAL_HOME"] = temporary
            print(told(name, mixed(name, trials)), flush=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tables", nargs="+", default=["ames", "diamonds", "churn"], choices=TABLES)
    asked.add_argument("--trials", type=int, default=6)
    given = asked.parse_args()
    main(given.tables, given.trials)
