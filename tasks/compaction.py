"""Many small files of a table that only grows become few, in one commit, the rows in their order.

The names of files carry the version that they came with and so their place (`tasks/lake.py`). What
is put together takes the version of its newest part; the newest commit stays as it is, since it may
be of a batch that a kill cut short. Files that are large enough get a second name and are not read.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from serving.home import place
from tasks.deltafiles import METADATA, commit, paths, said
from tasks.rowgroups import FILE_BYTES, write_files

MANY = 16
"""Small files from which on it is worth while."""
SMALL = FILE_BYTES // 4
NUMBERED = len("0000000001-00000")

Files = list[tuple[str, int]]
"""Names and their rows."""


def compact(where: str, without: pc.Expression | None = None) -> int:
    """By how many files the table has fewer; rows that meet `without` are left out.

    Nothing changes where another writer was quicker. Killed, it leaves files that no version has.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    if not DeltaTable.is_deltatable(str(place(where))):
        return 0
    handle = DeltaTable(place(where))
    files = paths(handle)
    newest = max((_version(path) for path in files), default=0)
    old = [path for path in files if _version(path) < newest or without is not None]
    few = sum(_is_small(path) for path in old) < MANY
    if few and without is None:
        return 0
    made: Files = []
    try:
        for name, rows in _made(handle, place(where), old, without):
            made.append((name, rows))
        made += [_linked(path, _prefix(path)) for path in files if path not in set(old)]
        _commit(handle, place(where), made, changed=without is not None)
    except BaseException as error:
        for name, _ in made:
            (place(where) / name).unlink()
        if isinstance(error, CommitFailedError):
            return 0
        raise
    return len(files) - len(made)


def _commit(handle, folder: Path, made: Files, changed: bool) -> None:  # type: ignore[no-untyped-def]
    """What the last commit said of the rows stays true."""
    before = said(folder, handle.version())
    metadata = {name: before[name] for name in METADATA if name in before}
    if changed and "rows" in metadata:
        metadata["rows"] = sum(rows for _, rows in made)
    mark = ("compact", handle.version() + 1)
    commit(handle, folder, "overwrite", pa.schema(handle.schema()), made, metadata, mark)


def _made(  # type: ignore[no-untyped-def]
    handle, folder: Path, old: list[Path], without: pc.Expression | None
) -> Iterator[tuple[str, int]]:
    """Runs of small files as few files, large ones as they are, in their order."""
    schema, number = pa.schema(handle.schema()), 0
    if not old:
        return
    version = max(map(_version, old))
    for small, run in groupby(old, lambda path: _is_small(path) or without is not None):
        if small:
            rows = ds.dataset([str(path) for path in run], schema=schema, format="parquet")
            kept = rows.to_batches(filter=None if without is None else ~without)
            written = write_files(folder, version, schema, kept)
        else:
            written = (_linked(path, f"{version:010}-{0:05}") for path in run)
        for name, count in written:
            numbered = f"{version:010}-{number:05}{name[NUMBERED:]}"
            (folder / name).rename(folder / numbered)
            yield numbered, count
            number += 1


def _linked(path: Path, prefix: str) -> tuple[str, int]:
    name = f"{prefix}-{uuid.uuid4().hex}.parquet"
    os.link(path, path.with_name(name))
    return name, pq.read_metadata(path).num_rows


def _version(path: Path) -> int:
    return int(path.name[:10])


def _prefix(path: Path) -> str:
    return path.name[:NUMBERED]


def _is_small(path: Path) -> bool:
    return path.stat().st_size < SMALL
