"""Delta's own side of a table: opening it, which files a version has, which types it keeps."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.types as pt

# The first version is an empty table of this shape: a table made with a naive timestamp may hold
# one later too, others would have to be upgraded in a commit of its own.
FIRST = pa.schema([("written", pa.timestamp("us"))])
# Lineage names versions, so neither their log nor their files may expire.
FOREVER = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
# What our commits say of themselves, so that nothing has to be counted again.
METADATA = ("fingerprint", "rows", "counts", "grown")


def opened(folder: Path, schema: pa.Schema):  # type: ignore[no-untyped-def]
    """The latest version; an empty table of the schema is made where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return DeltaTable.create(folder, schema, mode="ignore", configuration=FOREVER)
    except CommitFailedError:  # made by another at this moment
        return DeltaTable(folder)


def widened(folder: Path, handle, schema: pa.Schema):  # type: ignore[no-untyped-def]
    """The table with every column of the schema; a column of another type is a TypeError."""
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.exceptions import CommitFailedError

    while True:
        there = pa.schema(handle.schema())
        for field in schema:
            if field.name in there.names and there.field(field.name).type != field.type:
                raise TypeError(
                    f"{field.name} is {there.field(field.name).type} in the table, not {field.type}"
                )
        new = [field for field in Schema.from_arrow(schema).fields if field.name not in there.names]
        if not new:
            return handle
        before = said(folder, handle.version())
        kept = {name: before[name] for name in METADATA if name in before}
        try:
            handle.alter.add_columns(new, commit_properties=CommitProperties(kept, 0))
            return handle
        except CommitFailedError:  # another writer was quicker
            handle = DeltaTable(folder)


def commit(  # type: ignore[no-untyped-def]
    handle,
    folder: Path,
    mode: Literal["append", "overwrite"],
    schema: pa.Schema,
    files: list[tuple[str, int]],
    metadata: Mapping[str, object],
    mark: tuple[str, int],
) -> None:
    """Make the files part of the version after the handle's, or raise CommitFailedError."""
    from deltalake import CommitProperties, Transaction

    handle.create_write_transaction(
        [_action(folder, name, rows) for name, rows in files],
        mode,
        schema,
        commit_properties=CommitProperties(
            custom_metadata=dict(metadata),
            app_transactions=[Transaction(*mark)],
            max_commit_retries=0,  # so that it is this version or none
        ),
    )


def said(folder: Path, version: int) -> dict[str, Any]:
    """What the commit of this version says, our own words included.

    Read off the log itself: `history` of deltalake 1.6 answers for the newest version, whatever
    the version of its handle.
    """
    lines = (folder / "_delta_log" / f"{version:020}.json").read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = next(
        (line["commitInfo"] for line in map(json.loads, lines) if "commitInfo" in line), {}
    )
    return found


@dataclass(frozen=True)
class Life:
    """The versions that have a file: from `added` on, up to but without `removed`."""

    added: int
    removed: int | None = None

    def within(self, oldest: int, versions: Collection[int]) -> bool:
        """Whether one of the versions has it, or one from the oldest on."""
        if self.removed is None or self.removed > oldest:
            return True
        return any(self.added <= version < self.removed for version in versions)


@dataclass(frozen=True)
class Log:
    """The whole log of a table, read once."""

    files: dict[str, Life]
    written: list[float]
    """When each version was committed, in seconds since 1970; from version 0 on."""

    def current(self, since: float) -> int:
        """The version that was current then, or the first."""
        return max((at for at, time in enumerate(self.written) if time <= since), default=0)


def history(folder: Path) -> Log | None:
    """What each version added and removed; None where a part of the log is not there any more."""
    names = sorted(path for path in (folder / "_delta_log").glob("*.json") if path.stem.isdecimal())
    if [int(path.stem) for path in names] != list(range(len(names))):
        return None
    files: dict[str, Life] = {}
    written: list[float] = []
    for version, path in enumerate(names):
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if "add" in line:
                files[line["add"]["path"]] = Life(version)
            elif "remove" in line and (known := files.get(line["remove"]["path"])):
                files[line["remove"]["path"]] = Life(known.added, version)
            elif "commitInfo" in line:
                written.append(line["commitInfo"]["timestamp"] / 1000)
    return Log(files, written) if len(written) == len(names) else None


def moved(folder: Path, name: str, version: int) -> str:
    """The file under the name of another version."""
    renamed = f"{version:010}{name[10:]}"
    (folder / name).rename(folder / renamed)
    return renamed


def paths(handle) -> list[Path]:  # type: ignore[no-untyped-def]
    return sorted(Path(uri) for uri in handle.file_uris())


def check(schema: pa.Schema) -> None:
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
