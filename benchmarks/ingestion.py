"""What it costs to ingest a file, beside a bare Arrow copy of it to Parquet.

    .venv/bin/python benchmarks/ingestion.py [--rows 1000000 4000000] [--rounds 3]

The copy reads the file with Arrow's own types (CSV) or as it is (Parquet), batch by batch, and
writes Parquet in row groups of the same size with the same compression: no check, no hash, no
quarantine. Both run in processes of their own, in turn; the quickest round counts. The table has
19 columns much as the flights have: whole and decimal numbers with gaps, codes, texts, a time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from charter import Charter
from tasks.ingest import ingest

KINDS = ("csv", "parquet")
MOST = {"csv": 2.0, "parquet": 1.5}
"""How many times the time of the copy it may take."""
PART = 250_000
GROUP = 131_072


def parts(rows: int) -> Iterator[pa.Table]:
    for first in range(0, rows, PART):
        yield part(first, min(PART, rows - first))


def part(first: int, rows: int) -> pa.Table:
    draw = np.random.default_rng(first)
    columns: dict[str, pa.Array] = {"row": pa.array(np.arange(first, first + rows))}
    for at in range(5):
        gaps = draw.random(rows) < 0.02
        columns[f"whole{at}"] = pa.array(draw.integers(-60, 2400, rows), mask=gaps)
    for at in range(4):
        columns[f"decimal{at}"] = pa.array(np.round(draw.normal(size=rows) * 100, 2))
    for at, levels in enumerate((3, 16, 105, 4000)):
        words = pa.array([f"{level:05X}" if at else f"E{level}R" for level in range(levels)])
        columns[f"code{at}"] = words.take(pa.array(draw.integers(0, levels, rows)))
    names = pa.array([f'Gate {level}, "{level % 7}"' for level in range(50)])
    columns["text"] = names.take(pa.array(draw.integers(0, 50, rows)))
    columns["flag"] = pa.array(draw.random(rows) < 0.3)
    for at in range(2):
        columns[f"year{at}"] = pa.array(draw.integers(2010, 2015, rows))
    seconds = 1_356_998_400 + np.arange(first, first + rows) * 60
    columns["at"] = pa.array(seconds * 1_000_000).cast(pa.timestamp("us"))
    return pa.table(columns)


def write(kind: str, path: Path, rows: int) -> None:
    schema = part(0, 1).schema
    with path.open("wb") as file:
        writer = pacsv.CSVWriter(file, schema) if kind == "csv" else pq.ParquetWriter(file, schema)
        with writer:
            for table in parts(rows):
                writer.write_table(table)


def copy(kind: str, path: Path, to: Path) -> int:
    """The bare copy; how many rows."""
    rows = 0
    if kind == "csv":
        read = pacsv.open_csv(path)
        schema, batches = read.schema, iter(read)
    else:
        file = pq.ParquetFile(path)
        schema, batches = file.schema_arrow, file.iter_batches(GROUP)
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            rows += batch.num_rows
            if sum(one.num_rows for one in waiting) >= GROUP:
                writer.write_table(pa.Table.from_batches(waiting), row_group_size=2**20)
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), row_group_size=2**20)
    return rows


def bring(kind: str, path: Path, to: Path) -> int:
    os.environ["PERENNIAL_HOME"] = str(to)
    source = {"kind": kind, "path": str(path)}
    said = {"name": "bench", "goal": {"target": {"column": "row"}}, "data": {"source": source}}
    return ingest(Charter.model_validate(said)).table.rows


def one(way: str, kind: str, path: Path, to: Path) -> dict[str, float]:
    """In this process: seconds of the work itself, and the most memory in MB."""
    started = time.perf_counter()
    rows = (copy if way == "copy" else bring)(kind, path, to)
    seconds = time.perf_counter() - started
    return {"rows": rows, "seconds": seconds, "mb": _peak()}


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured(way: str, kind: str, path: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        to = Path(folder) / "copy.parquet" if way == "copy" else Path(folder)
        command = [sys.executable, __file__, "--one", way, kind, str(path), str(to)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 4_000_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--kinds", nargs="+", default=KINDS)
    options.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        way, kind, path, to = given.one
        print(json.dumps(one(way, kind, Path(path), Path(to))))
        return
    print("kind      rows       copy s  ingest s  times  at most  copy MB  ingest MB")
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kinds:
            for rows in given.rows:
                path = Path(folder) / f"rows.{kind}"
                write(kind, path, rows)
                rounds = [
                    (measured("copy", kind, path), measured("ingest", kind, path))
                    for _ in range(given.rounds)
                ]
                bare, ours = (
                    min((pair[side] for pair in rounds), key=lambda found: found["seconds"])
                    for side in (0, 1)
                )
                assert bare["rows"] == ours["rows"] == rows
                times = ours["seconds"] / bare["seconds"]
                print(
                    f"{kind:8} {rows:>10,} {bare['seconds']:>8.2f} {ours['seconds']:>9.2f} "
                    f"{times:>6.2f} {MOST[kind]:>8.1f} {bare['mb']:>8.0f} {ours['mb']:>10.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
