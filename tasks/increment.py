"""One commit more of a table that grows as its source does, and what each of its commits says.

How far the source was read stands in the commit that brought the rows: the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from serving.home import place
from tasks.deltafiles import check, commit, said
from tasks.lake import Table
from tasks.rowgroups import write_files


def add(
    base: Table, batches: pa.RecordBatchReader, fingerprint: str, grown: Callable[[], str]
) -> Table | None:
    """The rows behind all of `base`, in one commit; None where another version is the newest.

    Costs O(new rows). `grown` is asked when all batches were read, and its answer is part of the
    commit. Of two that add to the same version at once, one gets None.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    folder, schema = place(base.where), batches.schema.remove_metadata()
    check(schema)
    handle = DeltaTable(folder)
    if handle.version() != base.version:
        return None
    version = base.version + 1
    written = list(write_files(folder, version, schema, batches))
    rows = base.rows + sum(count for _, count in written)
    files = [(name, count) for name, count in written if count]  # none where no row is new
    try:
        metadata = {"fingerprint": fingerprint, "rows": rows, "grown": grown()}
        commit(handle, folder, "append", schema, files, metadata, ("grow", version))
    except BaseException as error:
        _remove(folder, written)
        if isinstance(error, CommitFailedError):
            return None
        raise
    _remove(folder, [one for one in written if one not in files])
    return base.model_copy(update={"version": version, "rows": rows, "fingerprint": fingerprint})


def _remove(folder: Path, files: list[tuple[str, int]]) -> None:
    for name, _ in files:
        (folder / name).unlink()


def grown(table: Table) -> str | None:
    """What the version says of how far its source was read; None where it did not grow with one."""
    found = said(place(table.where), table.version).get("grown")
    return None if found is None else str(found)


def fingerprints(table: Table) -> Iterator[str]:
    """Of every commit that brought rows of this version: all at first, then what was new."""
    for told in _commits(table):
        yield str(told.get("fingerprint", ""))


def _commits(table: Table) -> Iterator[dict[str, Any]]:
    """What each of them says, oldest first."""
    told = grown(table)
    if told is None:
        return
    for version in range(int(json.loads(told)["since"]), table.version + 1):
        yield said(place(table.where), version)


def still_first(table: Table, fingerprint: str, rows: int) -> bool:
    """Whether the rows that the table had when this commit was its newest are its first ones yet.

    Where a person was forgotten since, rows are gone from among them, and others took their places.
    """
    counts = [
        (str(told.get("fingerprint", "")), int(told.get("rows", 0))) for told in _commits(table)
    ]
    places = [at for at, (name, _) in enumerate(counts) if name == fingerprint]
    if not places:
        return False
    since = [count for _, count in counts[places[-1] :]]
    return since[0] == rows and since == sorted(since)
