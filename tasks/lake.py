"""The one door to Delta Lake: versioned tables and the quarantine.

Files are written here and only committed by deltalake: its own writer hands batches to several
writers at once and so loses the order of the rows (1.6.6). A file's name carries its place.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.types as pt

from charter import Frozen
from serving.home import place
from tasks.rowgroups import write_files


class Table(Frozen):
    """One version of one Delta table."""

    project: str
    where: str
    """Folder of the table, relative to the root, as in `tables/flights/landed`."""
    version: int
    rows: int
    fingerprint: str
    """SHA-256 of what the table was made from; the same input makes no new version."""


class Quarantine(Frozen):
    """Rows refused by one stage in one run, with their reasons."""

    project: str
    where: str
    stage: str
    fingerprint: str
    rows: int
    reasons: dict[str, int] = {}
    """Rows per reason; a row with two reasons counts in both."""


QUARANTINE = pa.schema(
    [
        ("row", pa.int64()),  # position in what the stage read, from 0
        ("reasons", pa.list_(pa.string())),
        ("record", pa.string()),  # the whole row as JSON, or the line as it stood
    ]
)
KEPT = pa.schema([("stage", pa.string()), ("fingerprint", pa.string()), *QUARANTINE])
ATTEMPTS = 20
# The first version is an empty table of this shape: a table made with a naive timestamp may hold
# one later too, others would have to be upgraded in a commit of its own.
FIRST = pa.schema([("written", pa.timestamp("us"))])
# Lineage names versions, so neither their log nor their files may expire.
FOREVER = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}


def write(where: str, project: str, batches: pa.RecordBatchReader, fingerprint: str) -> Table:
    """Overwrite the table in one commit, or return the version that has this fingerprint.

    Streams; peak memory is a few batches. Atomic: a killed write leaves the last version. The
    schema may hold what Delta can give back unchanged (no unsigned numbers, nanoseconds or
    dictionaries); a batch that does not have it exactly is a TypeError.
    """
    from deltalake.exceptions import CommitFailedError

    if (known := find(where, project, fingerprint)) is not None:
        return known
    _check(batches.schema)
    handle = _opened(place(where), FIRST)
    schema = batches.schema.remove_metadata()
    files = list(write_files(place(where), handle.version() + 1, schema, batches))
    table = Table(
        project=project,
        where=where,
        version=handle.version() + 1,
        rows=sum(rows for _, rows in files),
        fingerprint=fingerprint,
    )
    for attempt in range(ATTEMPTS):
        try:
            _commit(handle, table, schema, files)
            return table
        except CommitFailedError:  # another writer was quicker; its version stays in the history
            if (known := find(where, project, fingerprint)) is not None:
                return known
            if attempt == ATTEMPTS - 1:
                raise
            handle = _opened(place(where), FIRST)
            table = table.model_copy(update={"version": handle.version() + 1})
    raise AssertionError("the last attempt returns or raises")


def find(where: str, project: str, fingerprint: str) -> Table | None:
    """The version that was made from this fingerprint, if the latest version is it."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place(where))):
        return None
    handle = DeltaTable(place(where))
    commit = handle.history(1)[0]
    if commit.get("fingerprint") != fingerprint:
        return None
    if not all(path.exists() for path in _paths(handle)):
        return None
    return Table(
        project=project,
        where=where,
        version=handle.version(),
        rows=int(commit["rows"]),
        fingerprint=fingerprint,
    )


def dataset(table: Table) -> ds.Dataset:
    """The version's files as an Arrow dataset, in the order they were written.

    Register it with DuckDB, or scan it.
    """
    from deltalake import DeltaTable

    handle = DeltaTable(place(table.where), version=table.version)
    files = [str(path) for path in _paths(handle)]
    return ds.dataset(files, schema=pa.schema(handle.schema()), format="parquet")


def read(
    table: Table, columns: list[str] | None = None, rows: int = 131_072
) -> Iterator[pa.RecordBatch]:
    """The version's rows in the order they were written, at most `rows` per batch."""
    yield from dataset(table).to_batches(
        columns=columns, batch_size=rows, batch_readahead=2, fragment_readahead=1
    )


def quarantine(
    project: str, stage: str, fingerprint: str, batches: Iterable[pa.RecordBatch]
) -> Quarantine:
    """Keep refused rows (schema QUARANTINE) once per stage and fingerprint.

    Safe to repeat and safe when two do it at once: the commit carries an application transaction
    and is made with the very handle that found none, so that the slower one fails and looks again.
    """
    where = f"tables/{project}/quarantine"
    refused = Quarantine(project=project, where=where, stage=stage, fingerprint=fingerprint, rows=0)
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return refused
    _append(refused, chain([first], filled))
    rows, reasons = 0, Counter[str]()
    for batch in refused_rows(refused):
        rows += batch.num_rows
        for count in pc.value_counts(batch.column("reasons").flatten()).to_pylist():
            reasons[count["values"]] += count["counts"]
    return refused.model_copy(update={"rows": rows, "reasons": dict(reasons.most_common())})


def refused_rows(refused: Quarantine) -> Iterator[pa.RecordBatch]:
    """The rows that a quarantine record stands for, schema QUARANTINE."""
    from deltalake import DeltaTable

    if not (place(refused.where) / "_delta_log").is_dir():
        return
    mine = (ds.field("stage") == refused.stage) & (ds.field("fingerprint") == refused.fingerprint)
    scanned = DeltaTable(place(refused.where)).to_pyarrow_dataset()
    for batch in scanned.to_batches(columns=QUARANTINE.names, filter=mine, batch_readahead=2):
        if batch.num_rows:
            yield batch.cast(QUARANTINE)


def _append(refused: Quarantine, batches: Iterator[pa.RecordBatch]) -> None:
    from deltalake import CommitProperties, Transaction, write_deltalake
    from deltalake.exceptions import CommitFailedError

    app = f"{refused.stage}:{refused.fingerprint}"
    handle = _opened(place(refused.where), KEPT)
    if handle.transaction_version(app) is not None:
        return
    kept = (_labelled(refused, batch) for batch in batches)
    try:
        write_deltalake(
            handle,
            pa.RecordBatchReader.from_batches(KEPT, kept),
            mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction(app, 1)]),
        )
    except CommitFailedError:
        if _opened(place(refused.where), KEPT).transaction_version(app) is None:
            raise


def _commit(handle, table: Table, schema: pa.Schema, files: list[tuple[str, int]]) -> None:  # type: ignore[no-untyped-def]
    from deltalake import CommitProperties, Transaction

    handle.create_write_transaction(
        [_action(place(table.where), name, rows) for name, rows in files],
        "overwrite",
        schema,
        commit_properties=CommitProperties(
            custom_metadata={"fingerprint": table.fingerprint, "rows": table.rows},
            app_transactions=[Transaction("write", table.version)],
            max_commit_retries=0,  # so that it is this version or none
        ),
    )


def _labelled(refused: Quarantine, batch: pa.RecordBatch) -> pa.RecordBatch:
    if not batch.schema.equals(QUARANTINE):
        raise TypeError(f"quarantine takes {QUARANTINE}, not {batch.schema}")
    labels = [pa.repeat(text, batch.num_rows) for text in (refused.stage, refused.fingerprint)]
    return pa.RecordBatch.from_arrays([*labels, *batch.columns], schema=KEPT)


def _opened(folder: Path, schema: pa.Schema):  # type: ignore[no-untyped-def]
    """The latest version; an empty table of the schema is made where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return DeltaTable.create(folder, schema, mode="ignore", configuration=FOREVER)
    except CommitFailedError:  # made by another at this moment
        return DeltaTable(folder)


def _paths(handle) -> list[Path]:  # type: ignore[no-untyped-def]
    return sorted(Path(uri) for uri in handle.file_uris())


def _check(schema: pa.Schema) -> None:
    from deltalake import Schema

    given_back = pa.schema(Schema.from_arrow(schema))
    # Nanoseconds come back from the schema, but want a feature that few readers have.
    nanoseconds = any(pt.is_timestamp(type) and type.unit == "ns" for type in schema.types)
    if nanoseconds or not given_back.equals(schema.remove_metadata()):
        raise TypeError(f"Delta would change the schema {schema} to {given_back}")


def _action(folder: Path, name: str, rows: int):  # type: ignore[no-untyped-def]
    from deltalake.transaction import AddAction

    size = (folder / name).stat().st_size
    now = int(time.time() * 1000)
    return AddAction(name, size, {}, now, True, json.dumps({"numRecords": rows}))
