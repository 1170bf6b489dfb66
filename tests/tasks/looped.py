"""A project whose model was trained, and what its journal is told afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import sqlalchemy as sa

from charter import Charter
from serving.bundle import Manifest
from serving.home import place
from serving.journal import Journal
from serving.journaling.tables import predictions
from serving.releases import add, live, publish
from serving.signature import Input, Signature
from tasks import lake
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.quarantine import Quarantine, refused_rows
from tasks.validate import validate

START = datetime(2026, 1, 1, tzinfo=UTC)
TRAINED = 300
SCHEMA = pa.schema(
    {
        "trip": pa.int64(),
        "at": pa.timestamp("us"),
        "distance": pa.float64(),
        "carrier": pa.string(),
        "stops": pa.int64(),
        "express": pa.bool_(),
        "delay": pa.float64(),
        "late": pa.bool_(),
    }
)
"""`trip` is the key, `delay` is known only later, `late` is the target."""
RULES = [
    {"column": "distance", "between": [1, 6000]},
    {"columns": ["carrier", "delay"], "not_null": True},
]


def charter(runtime: dict[str, Any] | None = None, **data: Any) -> Charter:
    told = {
        "source": {"kind": "csv", "path": "toy.csv"}, "key": ["trip"], "time": "at",
        "known_later": ["delay"], "rules": RULES,
    }  # fmt: skip
    return Charter.model_validate(
        {
            "name": "toy",
            "goal": {"target": {"column": "late"}},
            "data": told | data,
            "runtime": {"label_wait": "3d"} | (runtime or {}),
        }
    )


def trained(told: Charter | None = None) -> Table:
    """Land and validate the first rows; the suite is inferred under the working directory."""
    rng = np.random.default_rng(3)
    rows = {
        "trip": list(range(TRAINED)),
        "at": [START.replace(tzinfo=None) + timedelta(hours=n) for n in range(TRAINED)],
        "distance": rng.uniform(80, 5000, TRAINED).tolist(),
        "carrier": rng.choice(["AA", "DL", "UA"], TRAINED).tolist(),
        "stops": rng.integers(0, 4, TRAINED).tolist(),
        "express": [(True, False, None)[n % 3] for n in range(TRAINED)],
        "delay": rng.normal(size=TRAINED).tolist(),
        "late": (rng.random(TRAINED) < 0.3).tolist(),
    }
    table = pa.table(rows, schema=SCHEMA)
    landed = lake.write("tables/toy/landed", "toy", table.to_reader(), "f" * 64)
    nothing = Quarantine(
        project="toy", where="tables/toy/quarantine", stage="ingest", fingerprint="f", rows=0
    )
    ingested = Ingested(table=landed, quarantine=nothing, source_rows=TRAINED)
    return validate(told or charter(), ingested).table


def release(collected: int | None = None) -> None:
    """Make a release live whose model asks for all but `stops`, and was trained on this version."""
    inputs = [
        Input(name="distance", kind="number"),
        Input(name="carrier", kind="text"),
        Input(name="express", kind="flag"),
    ]
    signature = Signature(
        project="toy", target="late", task="binary", inputs=tuple(inputs), classes=("false", "true")
    )
    tables = {} if collected is None else {"tables/toy/collected": collected}
    manifest = Manifest(
        project="toy", fingerprint=f"{collected}", created=START, files={}, tables=tables
    )
    bundle = place(f"bundles/toy/{collected}")
    bundle.mkdir(parents=True)
    (bundle / "signature.json").write_text(signature.model_dump_json())
    (bundle / "manifest.json").write_text(manifest.model_dump_json())
    folder = place("releases/toy")
    now = live(folder)
    publish(folder, add(folder, bundle), now.release if now else None)


def row(number: int, **other: object) -> dict[str, object]:
    """What a client sends for a trip."""
    return {
        "distance": 100.0 + number % 4000, "carrier": ("AA", "DL", "UA")[number % 3],
        "express": number % 2 == 0, "trip": number,
        "at": f"{START + timedelta(days=20, minutes=number):%Y-%m-%dT%H:%M:%SZ}",
    } | other  # fmt: skip


def named(number: int) -> str:
    """The id of a prediction."""
    return f"00000000-0000-7000-8000-{number:012x}"


def predicted(rows: Iterable[tuple[str, datetime, dict[str, object]]], number: int = 1) -> None:
    """Answers of the service, as they stand in the journal."""
    told = [
        {"project": "toy", "id": name, "at": at.timestamp(), "release": number,
         "row": orjson.dumps(sent).decode(), "answer": "{}"}
        for name, at, sent in rows
    ]  # fmt: skip
    with journal() as opened, opened._database.writing("toy") as connection:
        connection.execute(sa.insert(predictions), told)


@contextmanager
def journal() -> Iterator[Journal]:
    """The journal, closed afterwards."""
    with closing(Journal("toy")) as opened:
        yield opened


def told(truths: Iterable[tuple[str, Any]], at: datetime = START) -> Any:
    """Feedback; gives the receipt."""
    with journal() as opened:
        return opened.feedback(list(truths), at.timestamp())


def log() -> list[dict[str, Any]]:
    """Every row of the log, in its order."""
    table = lake.latest("tables/toy/collected", "toy")
    return [] if table is None else list(_rows(lake.read(table)))


def refused(quarantine: Quarantine) -> dict[str, list[str]]:
    """The id of each refused prediction of the last batch, and why."""
    found = _rows(refused_rows(quarantine))
    return {json.loads(one["record"])["prediction"]: one["reasons"] for one in found}


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()
