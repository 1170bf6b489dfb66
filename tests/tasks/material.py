"""Small training rows and their recipe, as the stages before tuning would hand them over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter
from charter.goal import Task
from serving.home import place
from serving.signature import Input, Signature
from tasks.engineer import Recipe
from tasks.split import Training

CLASSES: dict[Task, tuple[str, ...]] = {
    "binary": ("no", "yes"),
    "multiclass": ("high", "low", "mid"),
    "regression": (),
}
METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def charter(**clauses: Any) -> Charter:
    """A charter of the project `toy`."""
    needed = {
        "name": "toy",
        "goal": {"target": {"column": "answer"}},
        "data": {"source": {"kind": "csv", "path": "toy.csv"}},
    }
    return Charter.model_validate(needed | clauses)


def table(task: Task, rows: int, seed: int = 0, linear: bool = False) -> pa.Table:
    """Two numbers with gaps, a flag, a time and two texts; the answer hangs on most of them."""
    rng = np.random.default_rng(seed)
    a, b, noise = rng.normal(size=(3, rows))
    flag = rng.integers(0, 2, rows)
    colour = rng.choice(["red", "green", "blue", ""], size=rows, p=[0.4, 0.3, 0.2, 0.1])
    seconds = 1_600_000_000 + 3_600 * rng.integers(0, 24 * 300, rows)
    curve = 0.0 if linear else 1.2 * a * b
    value = 1.5 * a + curve + 0.8 * (colour == "red") + 0.5 * flag + 0.7 * noise
    answer: Any = 1_000 + 50 * value
    if task == "binary":
        answer = np.where(value > 0.4, "yes", "no")
    elif task == "multiclass":
        answer = np.asarray(["low", "mid", "high"])[np.digitize(value, [-0.5, 1.0])]
    return pa.table(
        {
            "a": pa.array(a, mask=rng.random(rows) < 0.1),
            "b": pa.array(b),
            "flag": pa.array(flag.astype(bool)),
            "at": pa.array(seconds * 1_000_000, pa.timestamp("us")),
            "colour": pa.array([text or None for text in colour]),
            "place": pa.array([f"p{n}" for n in rng.integers(0, 30, rows)]),
            "answer": pa.array(answer),
        }
    )


def training(task: Task, rows: int, seed: int = 0, linear: bool = False) -> Training:
    """The rows on disk, under the root."""
    where = f"splits/toy/{task}-{rows}-{seed}-{linear}.parquet"
    place(where).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(task, rows, seed, linear), place(where))
    return Training(
        project="toy", where=where, rows=rows, fingerprint=f"{task}{rows}{seed}{linear}",
        target="answer", task=task, classes=CLASSES[task], metric=METRIC[task],
    )  # fmt: skip


def recipe(task: Task) -> Recipe:
    """All columns as inputs."""
    inputs = (
        Input(name="a", kind="number"),
        Input(name="b", kind="number"),
        Input(name="flag", kind="flag"),
        Input(name="at", kind="time"),
        Input(name="colour", kind="text", levels=("red", "green", "blue")),
        Input(name="place", kind="text", levels=tuple(f"p{n}" for n in range(30))),
    )
    signature = Signature(
        project="toy", target="answer", task=task, inputs=inputs, classes=CLASSES[task]
    )
    return Recipe(
        project="toy", fingerprint=task, signature=signature, calendar=("at",),
        parts={"at": ("hour", "weekday")}, categories=64, page="",
    )  # fmt: skip
