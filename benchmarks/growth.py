"""What 10,000 new lines cost in a file that grows, whatever has landed before.

    .venv/bin/python benchmarks/growth.py [--rows 1000000 10000000] [--new 10000] [--rounds 7]

A CSV file of so many rows lands; then new ones are appended and ingested, several times over. The
median of the rounds counts, in seconds of the processor, which do not depend on what else runs; the
ratio of the longest table to the shortest may be 1.3 at most (law 11: cost follows the new work).
Beside it stands what the whole file took, and a look that finds nothing new.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from charter import Charter
from tasks.ingest import ingest

PART = 500_000
MOST = 1.3


def append(path: Path, first: int, rows: int) -> None:
    for start in range(first, first + rows, PART):
        count = min(PART, first + rows - start)
        draw = np.random.default_rng(start)
        seconds = 1_356_998_400 + np.arange(start, start + count)
        names = pa.array([f'Gate {n}, "{n % 7}"' for n in range(50)])
        table = pa.table(
            {
                "row": np.arange(start, start + count),
                "at": pa.array(seconds * 1_000_000).cast(pa.timestamp("us")),
                "delay": pa.array(draw.integers(-60, 2400, count), mask=draw.random(count) < 0.02),
                "gate": names.take(pa.array(draw.integers(0, 50, count))),
                "late": draw.random(count) < 0.3,
            }
        )
        with path.open("ab") as file:
            options = pacsv.WriteOptions(include_header=file.tell() == 0)
            pacsv.write_csv(table, file, options)


def timed(charter: Charter, wanted: int) -> float:
    started = time.process_time()
    ingested = ingest(charter)
    seconds = time.process_time() - started
    assert (ingested.table.rows, ingested.anew) == (wanted, "")
    return seconds


def measured(rows: int, new: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PERENNIAL_HOME"] = f"{folder}/root"
        path = Path(folder) / "rows.csv"
        append(path, 0, rows)
        source = {"kind": "csv", "path": str(path)}
        charter = Charter.model_validate(
            {
                "name": "bench",
                "goal": {"target": {"column": "late"}},
                "data": {"source": source, "grows": True},
            }
        )
        whole, parts = timed(charter, rows), []
        for _ in range(rounds + 1):  # the first one warms up
            append(path, rows, new)
            rows += new
            parts.append(timed(charter, rows))
        return {
            "whole": whole, "new": statistics.median(parts[1:]), "nothing": timed(charter, rows),
        }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    options.add_argument("--new", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    print("      rows   whole s   new rows s   nothing new s")
    found = []
    for rows in given.rows:
        found.append(measured(rows, given.new, given.rounds))
        took = found[-1]
        print(
            f"{rows:>10,} {took['whole']:>9.2f} {took['new']:>12.3f} {took['nothing']:>15.3f}",
            flush=True,
        )
    ratio = found[-1]["new"] / found[0]["new"]
    print(f"{given.new:,} new rows: {ratio:.2f} times, at most {MOST:g}")


if __name__ == "__main__":
    main()
