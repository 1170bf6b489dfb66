"""The table that a retrain learns from: the source, and what happened since."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from charter import Charter
from tasks import lake
from tasks.collect import Collected
from tasks.lake import Table
from tasks.progress import report
from tasks.renewal.choice import Choice
from tasks.validation.whole import connected

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows have to be put together differently."""


def renew(charter: Charter, table: Table, collected: Collected) -> Table:
    """The validated rows and the collected ones as one table, `tables/<name>/renewed`.

    Of each prediction the latest entry counts, which is its correction where there is one; of rows
    with the same key (where the charter names one and the row has it) the latest with a label.
    Then `runtime.window`: of a span, what is newer than the newest label less the span; of a
    number, as many of the newest rows with labels; rows without `data.time` count as the oldest.
    The columns are those of the validated table: what only the log has is left out, what a row of
    the log does not have is null, and a column of another type is a Refusal. Source rows come
    first, in their order, then the log by `data.time` and as it grew. The same inputs are written
    once.
    """
    fingerprint = _fingerprint(charter, table, collected.table)
    where = f"tables/{charter.name}/renewed"
    known = lake.find(where, charter.name, fingerprint)
    if known is not None:
        return known
    schema = lake.dataset(table).schema.remove_metadata()
    with connected(charter, lake.dataset(table)) as connection:
        choice = Choice(connection, charter, table, collected.table, schema)
        batches = _batches(table, choice)
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        renewed = lake.write(where, charter.name, reader, fingerprint)
    new = collected.table.rows if collected.table else 0
    log.info("%d rows of %d in the source and %d in the log", renewed.rows, table.rows, new)
    return renewed


def _batches(table: Table, choice: Choice) -> Iterator[pa.RecordBatch]:
    keep = np.zeros(table.rows, dtype=bool)
    keep[choice.source_rows()] = True
    start = 0
    for batch in lake.read(table):
        mine = keep[start : start + batch.num_rows]
        start += batch.num_rows
        report("renew", start, max(table.rows, 1), "rows of the source")
        yield batch if mine.all() else batch.filter(pa.array(mine))
    yield from choice.log_rows()


def _fingerprint(charter: Charter, table: Table, collected: Table | None) -> str:
    """Of the rows, and of every clause that decides which of them stay."""
    said = [
        WAY,
        [table.where, table.version, table.fingerprint],
        collected and [collected.where, collected.version, collected.fingerprint],
        charter.data.key,
        charter.data.time,
        charter.goal.target.column,
        charter.model_dump(mode="json")["runtime"]["window"],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
