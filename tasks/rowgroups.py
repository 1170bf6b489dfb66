"""Batches into Parquet files, in order: memory stays at one row group, names sort as rows do."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 131_072
GROUP_BYTES = 32 * 2**20
FILE_BYTES = 256 * 2**20


def write_files(
    folder: Path, version: int, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[str, int]]:
    """Write the batches to files whose names sort in their order; give names and row counts.

    A batch that does not have the schema exactly is a TypeError.
    """
    token = uuid.uuid4().hex
    grouped = groups(schema, batches)
    try:
        group = next(grouped, None)
        number = 0
        while group is not None or number == 0:  # an empty table has one empty file
            path, rows = folder / f"{version:010}-{number:05}-{token}.parquet", 0
            with path.open("wb") as sink:
                with (
                    pq.ParquetWriter(sink, schema, compression="zstd") as writer,
                    ThreadPoolExecutor(1) as beside,
                ):
                    while group is not None and sink.tell() < FILE_BYTES:
                        size = group.num_rows
                        writing = beside.submit(writer.write_table, group, row_group_size=size)
                        rows += size
                        group = next(grouped, None)  # is made while this one is written
                        writing.result()
                sink.flush()
                os.fsync(sink.fileno())
            yield path.name, rows
            number += 1
    except BaseException:
        for path in folder.glob(f"*-{token}.parquet"):
            path.unlink()
        raise


def groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Small batches together, so that row groups are worth scanning."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if not batch.schema.remove_metadata().equals(schema):
            raise TypeError(f"the table takes {schema}, not {batch.schema}")
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pa.Table.from_batches(waiting, schema)
            waiting, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(waiting, schema)
