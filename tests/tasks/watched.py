"""A small release that has been answering for a while, in a real journal."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import sqlalchemy as sa

from charter import Charter
from charter.goal import Task
from serving import releases
from serving.home import home, place
from serving.journal import Journal
from serving.journaling.tables import predictions
from serving.packing import pack_rows
from serving.predictor import Predictor
from tasks.packaging.parity import as_sent
from tests.tasks import packaged

NOW = datetime(2024, 7, 1, tzinfo=UTC)
"""Two weeks after the last training row."""
BEGAN = datetime(2024, 6, 17, tzinfo=UTC)


def released(
    monkeypatch: pytest.MonkeyPatch, task: Task = "binary", count: int = 6_000, **runtime: Any
) -> Charter:
    """The charter of a project with a live release; its rows cover half a year."""
    monkeypatch.setattr(packaged, "PARTS", ("hour", "weekday"))
    made = packaged.case(
        task, "linear", count, runtime={"label_wait": "7d", **runtime},
        data={"source": {"kind": "csv", "path": "small.csv"}, "time": "at"},
        evaluation={"split": {"by": "time", "holdout": "28d"}},
    )  # fmt: skip
    bundle = made.package()
    folder = home() / "releases" / made.charter.name
    number = releases.add(folder, place(bundle.where))
    releases.publish(folder, number, None)
    _backdate(folder)
    return made.charter


@contextmanager
def once(folder: Path, task: Task = "binary", count: int = 6_000) -> Iterator[Charter]:
    """The same for a whole module of tests, in a root of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(folder))
        yield released(patch, task, count)


def copied(charter: Charter, model: Path, root: Path, **runtime: Any) -> Charter:
    """The released project brought to the root of one test, with other words on run time."""
    shutil.copytree(model, root)
    return charter.model_copy(update={"runtime": charter.runtime.model_copy(update=runtime)})


def _backdate(folder: Path) -> None:
    live = releases.live(folder)
    assert live is not None
    moved = live.model_copy(update={"at": BEGAN.isoformat()})
    (folder / "live.json").write_text(moved.model_dump_json())


def week(count: int, seed: int = 1, task: Task = "binary", days: int = 7) -> pa.Table:
    """Rows like those of the training, evenly over the days before `NOW`."""
    table = packaged.rows(task, count, seed)
    step = timedelta(days=days) / count
    moments = [NOW - step * (count - at) for at in range(count)]
    at = table.column_names.index("at")
    return table.set_column(at, "at", pa.array(moments, pa.timestamp("us", "UTC")))


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def answer(
    charter: Charter, table: pa.Table, *, labelled: float = 0.0, flipped: float = 0.0
) -> list[str]:
    """Let the live release answer the rows at their own time, and tell part of the truth.

    `flipped` is the share of truths that are the other class: the world has changed.
    """
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    assert live is not None
    predictor = Predictor(folder / str(live.release))
    rows = as_sent(predictor.signature, table)
    found = predictor.predict(pack_rows(predictor.signature, rows))
    names = [
        f"{charter.name}-{live.release}-{at}-{zlib.crc32(repr(rows[0]).encode())}"
        for at in range(len(rows))
    ]
    journal = Journal(charter.name)
    with journal._database.writing(charter.name) as connection:
        connection.execute(
            sa.insert(predictions),
            [
                {
                    "project": charter.name, "id": name, "at": moment.timestamp(),
                    "release": live.release, "row": orjson.dumps(row).decode(),
                    "answer": orjson.dumps(said).decode(),
                }
                for name, row, said, moment in zip(
                    names, rows, _said(predictor, found), table["at"].to_pylist(), strict=True
                )
            ],
        )  # fmt: skip
    random = np.random.default_rng(3)
    told = [at for at in range(len(rows)) if random.random() < labelled]
    truth = table["answer"].to_pylist()
    other = {"yes": "no", "no": "yes"}
    journal.feedback(
        [
            (names[at], other.get(truth[at], truth[at]) if random.random() < flipped else truth[at])
            for at in told
        ],
        NOW.timestamp(),
    )
    journal.close()
    return names


def _said(predictor: Predictor, found: Any) -> list[dict[str, Any]]:
    if found.values is not None:
        return [{"prediction": value} for value in found.values.tolist()]
    classes = predictor.signature.classes
    return [
        {"prediction": label, "probabilities": dict(zip(classes, row, strict=True))}
        for label, row in zip(found.labels, found.probabilities.tolist(), strict=True)
    ]
