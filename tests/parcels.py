"""Six hundred parcels in every form that a charter of `configs/sources/` reads.

    .venv/bin/python -m tests.parcels     # writes data/parcels/, so that the charters can be trained

The same rows in each. Two weights are impossible, and go to quarantine by a rule of the charters.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from openpyxl import Workbook

ROWS = 600
IMPOSSIBLE = (17, 333)
"""The rows with a weight below nought."""


def table(rows: int = ROWS) -> pa.Table:
    """Heavy parcels that go far are late; express ones seldom."""
    draw = np.random.default_rng(7)
    weight = np.round(draw.gamma(2.0, 2.0, rows) + 0.1, 2)
    distance = draw.integers(5, 900, rows)
    express = draw.random(rows) < 0.3
    risk = -3.0 + 0.25 * weight + distance / 250 - 1.5 * express
    late = draw.random(rows) < 1 / (1 + np.exp(-risk))
    weight[[row for row in IMPOSSIBLE if row < rows]] = -1.0
    sent = 1_767_225_600 + np.arange(rows) * 3_600 + draw.integers(0, 3_000, rows)
    depots = np.array(["01A", "02B", "07C", "11D"])
    return pa.table(
        {
            "parcel": pa.array([f"P{row:05}" for row in range(rows)]),
            "sent": pa.array(sent * 1_000_000).cast(pa.timestamp("us", "UTC")),
            "depot": pa.array(depots[draw.integers(0, 4, rows)].tolist()),
            "weight": pa.array(weight),
            "distance": pa.array(distance),
            "express": pa.array(express),
            "late": pa.array(late),
        }
    )


def write(folder: Path) -> None:
    """Every form; what is there is written anew."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = table()
    plain = [
        row | {"sent": row["sent"].isoformat().replace("+00:00", "Z")} for row in rows.to_pylist()
    ]
    semicolons = pacsv.WriteOptions(delimiter=";")
    with gzip.open(folder / "parcels.csv.gz", "wb") as file:
        pacsv.write_csv(rows, file, semicolons)
    lines = "".join(f"{json.dumps(row)}\n" for row in plain)
    (folder / "parcels.jsonl").write_text(lines, encoding="utf-8")
    for number, part in enumerate((rows.slice(0, 400), rows.slice(400))):
        path = folder / "parts" / f"half={number + 1}" / "parcels.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, path)
    _workbook(folder / "parcels.xlsx", plain)
    _database(folder / "parcels.sqlite", plain)
    _delta(folder / "delta", rows)


def _workbook(path: Path, rows: list[dict[str, object]]) -> None:
    book = Workbook(write_only=True)
    book.create_sheet("notes").append(["What stands here is for people."])
    sheet = book.create_sheet("parcels")
    for row in ([*rows[0]], *([*row.values()] for row in rows)):
        sheet.append(row)
    book.save(path)


def _database(path: Path, rows: list[dict[str, object]]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE parcels ({', '.join(rows[0])})")
        marks = ", ".join("?" * len(rows[0]))
        values = [tuple(row.values()) for row in rows]
        database.executemany(f"INSERT INTO parcels VALUES ({marks})", values)
        database.commit()


def _delta(folder: Path, rows: pa.Table) -> None:
    """Version 0 is what the charter reads; the one after it lacks half of the rows."""
    from deltalake import DeltaTable, write_deltalake

    if not DeltaTable.is_deltatable(str(folder)):
        write_deltalake(str(folder), rows)
        write_deltalake(str(folder), rows.slice(0, ROWS // 2), mode="overwrite")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "data/parcels"))
