"""What it costs to fold new rows, when the log and the journal hold little and when they hold much.

    .venv/bin/python benchmarks/collect.py [--small 1000000] [--large 30000000] [--new 10000]
        [--rounds 7] [--journal 1.0]

Both projects have a log of that many rows, appended in batches as `collect` does, and a journal
(SQLite) that holds the share `--journal` of as many predictions, folded. Then the same new
predictions with their truths, 1 % of them bad, are folded in each, in turn, in this process.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from charter import Charter
from serving.home import place
from serving.journal import Journal
from tasks import lake
from tasks.collect import Collected, collect

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100_000
NUMBERS, TEXTS = 8, 4
SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us", "UTC")),
        *((f"n{at}", pa.float64()) for at in range(NUMBERS)),
        *((f"t{at}", pa.string()) for at in range(TEXTS)),
        ("answer", pa.bool_()),
    ]
)
LOG = pa.schema([*SCHEMA, ("prediction", pa.string()), ("known_at", pa.timestamp("us", "UTC"))])
WORDS = pa.array([f"level {at}" for at in range(50)])
CHARTER = Charter.model_validate(
    {
        "name": "bench",
        "goal": {"target": {"column": "answer"}},
        "data": {
            "source": {"kind": "csv", "path": "bench.csv"},
            "time": "at",
            "rules": [
                {"columns": [f"n{at}" for at in range(NUMBERS)], "between": [-100, 100]},
                {"columns": [f"t{at}" for at in range(TEXTS)], "not_null": True},
            ],
        },
    }
)


def named(first: int, rows: int) -> list[str]:
    return [f"00000000-0000-7000-8000-{number:012x}" for number in range(first, first + rows)]


def batch(schema: pa.Schema, first: int, rows: int) -> pa.RecordBatch:
    """Rows as they stand in the tables."""
    random = np.random.default_rng(first)
    at = pa.array(np.arange(first, first + rows) * 1_000_000).cast(pa.timestamp("us", "UTC"))
    columns: list[Any] = [at, *(pa.array(random.normal(size=rows)) for _ in range(NUMBERS))]
    columns += [WORDS.take(pa.array(random.integers(0, 50, rows))) for _ in range(TEXTS)]
    columns += [pa.array(random.random(rows) < 0.3), pa.array(named(first, rows)), at]
    return pa.RecordBatch.from_arrays(columns[: len(schema)], schema=schema)


def filled(rows: int, history: int) -> None:
    """A validated table, a log of `rows` rows, a journal of `history` folded predictions."""
    first = batch(SCHEMA, 0, 1_000)
    reader = pa.RecordBatchReader.from_batches(SCHEMA, [first])
    lake.write("tables/bench/table", "bench", reader, "first")
    for start in range(0, rows, BATCH):
        part = batch(LOG, start, min(BATCH, rows - start))
        reader = pa.RecordBatchReader.from_batches(LOG, [part])
        lake.append("tables/bench/collected", "bench", reader, f"{start}", {"labelled": BATCH})
    Journal("bench").close()
    with sqlite3.connect(place("journal/journal.db")) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for start in range(0, history, BATCH):
            connection.executemany(
                "INSERT INTO predictions (project, id, at, release, row, answer, batch) "
                "VALUES ('bench', ?, ?, 1, ?, '{}', 1)",
                folded(start, min(BATCH, history - start)),
            )
        if history:
            connection.execute(
                "INSERT INTO batches VALUES ('bench', 1, 0, 0, ?, 0, 0, 0)", (history,)
            )
    connection.close()


def folded(first: int, rows: int) -> Iterator[tuple[str, float, str]]:
    sent = orjson.dumps({f"n{at}": 0.5 for at in range(NUMBERS)}).decode()
    return ((name, float(first), sent) for name in named(first, rows))


def arrive(first: int, rows: int) -> None:
    """New predictions with their truths."""
    table = batch(SCHEMA, first, rows)
    names, told = named(first, rows), []
    for position, row in enumerate(table.to_pylist()):
        truth = row.pop("answer")
        row |= {"at": row["at"].isoformat(), "n0": 1e6 if position % 100 == 0 else row["n0"]}
        told.append((names[position], orjson.dumps(row).decode(), truth))
    journal = Journal("bench")
    journal.arrive(told, START.timestamp())
    journal.close()


def seconds(first: int, rows: int) -> tuple[float, Collected]:
    arrive(first, rows)
    began = time.perf_counter()
    collected = collect(CHARTER, START + timedelta(days=1))
    return time.perf_counter() - began, collected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=30_000_000)
    parser.add_argument("--new", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--journal", type=float, default=1.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perennial-collect-") as folder:
        os.environ.pop("PERENNIAL_JOURNAL_URL", None)
        os.chdir(folder)  # where no suite is
        taken: dict[int, list[float]] = {asked.small: [], asked.large: []}
        for size in taken:
            os.environ["PERENNIAL_HOME"] = str(Path(folder) / f"{size}")
            began = time.perf_counter()
            filled(size, round(size * asked.journal))
            print(f"{size:>12,} rows made in {time.perf_counter() - began:.0f} s", flush=True)
        for turn in range(asked.rounds + 1):
            for size, times in taken.items():
                os.environ["PERENNIAL_HOME"] = str(Path(folder) / f"{size}")
                took, collected = seconds(size + turn * asked.new, asked.new)
                assert collected.folded + collected.quarantine.rows == asked.new
                assert collected.table is not None
                assert collected.table.rows == size + (turn + 1) * collected.folded
                times += [took] if turn else []  # the first imports
    for size, times in taken.items():
        middle, ends = statistics.median(times), f"{min(times):.2f} to {max(times):.2f}"
        print(f"{asked.new:,} rows into {size:>12,}: {middle:.2f} s ({ends})")
    ratio = statistics.median(taken[asked.large]) / statistics.median(taken[asked.small])
    print(f"ratio {ratio:.2f} (limit 1.3)")


if __name__ == "__main__":
    main()
