"""Both sides of a split as Parquet files, written in one pass over the table."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.lake import Table, dataset, read
from tasks.quarantine import QUARANTINE


def write_sides(table: Table, held: np.ndarray, training: np.ndarray, folder: Path) -> None:
    """Write `training.parquet` and `holdout.parquet` in the order of the table; atomic each.

    Streams; `held` and `training` are bool, one value per row of the table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    schema = dataset(table).schema
    wanted = {"training.parquet": training, "holdout.parquet": held}
    drafts = {name: folder / f".{name}.{os.getpid()}" for name in wanted}
    try:
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(pq.ParquetWriter(draft, schema, compression="zstd"))
                for name, draft in drafts.items()
            }
            for first, batch in numbered(read(table)):
                for name, mask in wanted.items():
                    mine = pa.array(mask[first : first + batch.num_rows])
                    writers[name].write_batch(batch.filter(mine))
        for name, draft in drafts.items():
            settle(draft, folder / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each batch with the position of its first row."""
    first = 0
    for batch in batches:
        yield first, batch
        first += batch.num_rows


def settle(draft: Path, path: Path) -> None:
    """Onto the disk and under its name."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def left_out(table: Table, reasons: dict[str, np.ndarray]) -> Iterator[pa.RecordBatch]:
    """The rows that a reason (bool, one value per row) keeps out of both sides, as QUARANTINE."""
    out = np.logical_or.reduce(list(reasons.values()))
    if not out.any():
        return
    for first, batch in numbered(read(table)):
        rows = np.flatnonzero(out[first : first + batch.num_rows])
        if not len(rows):
            continue
        records = batch.take(pa.array(rows)).to_pylist()
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(rows + first, pa.int64()),
                pa.array(
                    [[why for why, mask in reasons.items() if mask[row + first]] for row in rows],
                    pa.list_(pa.string()),
                ),
                pa.array([json.dumps(record, default=str) for record in records], pa.string()),
            ],
            schema=QUARANTINE,
        )
