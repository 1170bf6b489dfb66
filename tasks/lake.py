"""The one door to Delta Lake: versioned tables.

Files are written here and only committed by deltalake: its own writer hands batches to several
writers at once and so loses the order of the rows (1.6.6). A file's name carries its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from charter import Frozen
from serving.home import place
from tasks.deltafiles import FIRST, check, commit, moved, opened, paths, said, widened
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


ATTEMPTS = 20


def write(
    where: str,
    project: str,
    batches: pa.RecordBatchReader,
    fingerprint: str,
    grown: Callable[[], str | None] | None = None,
) -> Table:
    """Overwrite the table in one commit, or return the version that has this fingerprint.

    `grown` is asked when all batches were read (`tasks/increment.py`). Streams; peak memory is a few
    batches. Atomic: a killed write leaves the last version. The schema may hold what Delta can give
    back unchanged (no unsigned numbers, nanoseconds or dictionaries); a batch that does not have it
    exactly is a TypeError.
    """
    from deltalake.exceptions import CommitFailedError

    if (known := find(where, project, fingerprint)) is not None:
        return known
    check(batches.schema)
    handle = opened(place(where), FIRST)
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
            metadata = {"fingerprint": fingerprint, "rows": table.rows}
            if grown is not None and (read_to := grown()) is not None:
                metadata["grown"] = read_to
            mark = ("write", table.version)
            commit(handle, place(where), "overwrite", schema, files, metadata, mark)
            return table
        except CommitFailedError:  # another writer was quicker; its version stays in the history
            if (known := find(where, project, fingerprint)) is not None:
                return known
            if attempt == ATTEMPTS - 1:
                raise
            handle = opened(place(where), FIRST)
            table = table.model_copy(update={"version": handle.version() + 1})
    raise AssertionError("the last attempt returns or raises")


def append(
    where: str,
    project: str,
    batches: pa.RecordBatchReader,
    mark: str,
    counts: Mapping[str, int] | None = None,
) -> Table:
    """Add the rows behind all earlier ones in one commit, once per `mark`; the table as it is then.

    Costs O(new rows). Atomic and safe when two do it at once: the commit carries the mark as an
    application transaction and stands on the very version in which the mark was not found. A
    column that is new is null in earlier rows, one that is absent is null in these; one of another
    type is a TypeError. `counts` are summed up over all appends, `counted` gives the sums.
    """
    from deltalake.exceptions import CommitFailedError

    check(batches.schema)
    schema = batches.schema.remove_metadata()
    files: list[tuple[str, int]] | None = None
    for attempt in range(ATTEMPTS):
        handle = widened(place(where), opened(place(where), schema), schema)
        before = said(place(where), handle.version())
        if handle.transaction_version(mark) is not None:
            break
        version = handle.version() + 1
        if files is None:
            files = list(write_files(place(where), version, schema, batches))
        else:
            files = [(moved(place(where), name, version), rows) for name, rows in files]
        metadata = _sums(before, counts or {}) | {
            "fingerprint": hashlib.sha256(
                f"{before.get('fingerprint')}{mark}".encode()
            ).hexdigest(),
            "rows": int(before.get("rows", 0)) + sum(rows for _, rows in files),
        }
        try:
            commit(handle, place(where), "append", schema, files, metadata, (mark, version))
            break
        except CommitFailedError:  # another writer was quicker
            if attempt == ATTEMPTS - 1:
                raise
    table = latest(where, project)
    assert table is not None
    return table


def latest(where: str, project: str) -> Table | None:
    """The newest version, None where nothing was ever written."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place(where))):
        return None
    return at(where, project, DeltaTable(place(where)).version())


def at(where: str, project: str, version: int) -> Table | None:
    """That version; None where there is none, or none that holds rows of ours."""
    if not (place(where) / "_delta_log" / f"{version:020}.json").exists():
        return None
    found = said(place(where), version)
    if "rows" not in found:
        return None
    return Table(
        project=project,
        where=where,
        version=version,
        rows=int(found["rows"]),
        fingerprint=str(found["fingerprint"]),
    )


def erase(table: Table) -> None:
    """Remove what this version brought, unless the newest one has it too; it cannot be read again."""
    from deltalake import DeltaTable

    newest = set(paths(DeltaTable(place(table.where))))
    for path in paths(DeltaTable(place(table.where), version=table.version)):
        if path not in newest or latest(table.where, table.project) == table:
            path.unlink(missing_ok=True)


def is_whole(table: Table) -> bool:
    """Whether every file of the version is still there."""
    from deltalake import DeltaTable

    return all(path.exists() for path in paths(DeltaTable(place(table.where), table.version)))


def whole_versions(where: str, project: str) -> list[int]:
    """The versions that can be read, oldest first."""
    names = (path.stem for path in (place(where) / "_delta_log").glob("*.json"))
    tables = (at(where, project, int(name)) for name in sorted(names) if name.isdecimal())
    return [table.version for table in tables if table is not None and is_whole(table)]


def counted(where: str, version: int) -> dict[str, int]:
    """The sums of what `append` was told to count, up to this version."""
    found = said(place(where), version)
    return {name: int(number) for name, number in json.loads(found.get("counts", "{}")).items()}


def appended(where: str, mark: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows that were appended under the mark, in their order."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place(where))):
        return
    handle = DeltaTable(place(where))
    version = handle.transaction_version(mark)
    if version is not None:
        mine = [path for path in paths(handle) if path.name.startswith(f"{version:010}-")]
        yield from files_of(handle, mine).to_batches(columns=columns)


def find(where: str, project: str, fingerprint: str) -> Table | None:
    """The version that was made from this fingerprint, if the latest version is it."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place(where))):
        return None
    handle = DeltaTable(place(where))
    found = said(place(where), handle.version())
    if found.get("fingerprint") != fingerprint:
        return None
    if not all(path.exists() for path in paths(handle)):
        return None
    return Table(
        project=project,
        where=where,
        version=handle.version(),
        rows=int(found["rows"]),
        fingerprint=fingerprint,
    )


def dataset(table: Table) -> ds.Dataset:
    """The version's files as an Arrow dataset, in the order they were written.

    Register it with DuckDB, or scan it.
    """
    from deltalake import DeltaTable

    handle = DeltaTable(place(table.where), version=table.version)
    return files_of(handle, paths(handle))


def read(
    table: Table, columns: list[str] | None = None, rows: int = 131_072
) -> Iterator[pa.RecordBatch]:
    """The version's rows in the order they were written, at most `rows` per batch."""
    yield from dataset(table).to_batches(
        columns=columns, batch_size=rows, batch_readahead=2, fragment_readahead=1
    )


def span(table: Table, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """The rows from position `start` up to `stop`, read from no more row groups than hold them."""
    rows, before = dataset(table), 0
    for fragment in rows.get_fragments():
        for group in fragment.row_groups:
            first, last = max(start - before, 0), min(stop - before, group.num_rows)
            if first < last:
                part = fragment.subset(row_group_ids=[group.id])
                (batch,) = part.to_table(schema=rows.schema).combine_chunks().to_batches()
                yield batch.slice(first, last - first)
            before += group.num_rows


def files_of(handle, files: list[Path]) -> ds.Dataset:  # type: ignore[no-untyped-def]
    """Some of a version's files as an Arrow dataset, in this order."""
    names = [str(path) for path in files]
    return ds.dataset(names, schema=pa.schema(handle.schema()), format="parquet")


def _sums(before: Mapping[str, object], counts: Mapping[str, int]) -> dict[str, object]:
    earlier: dict[str, int] = json.loads(str(before.get("counts", "{}")))
    names = {*earlier, *counts}
    sums = {name: earlier.get(name, 0) + counts.get(name, 0) for name in sorted(names)}
    return {"counts": json.dumps(sums)}
