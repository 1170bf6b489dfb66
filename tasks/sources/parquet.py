"""Parquet, row group by row group: one file, or a folder of them with partitions in its names."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from charter import Refusal
from charter.data import ParquetSource
from tasks.sources.base import BATCH_ROWS, Raw, row_number
from tasks.sources.folder import check_there, files_now
from tasks.sources.growth import Held, Place
from tasks.sources.paths import OneFile, expanded
from tasks.sources.refused import Refused
from tasks.sources.texts import UNDECLARED, Reading
from tasks.sources.types import is_number, settle, settled

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file, and what the names of its folders say of all its rows."""

    path: Path
    name: str
    """Relative to the folder, where there is one."""
    partitions: Mapping[str, str | None]


class ParquetFile(OneFile[ParquetSource]):
    """Typed already; texts stay texts. Partitions are texts of which the meaning is read off."""

    clause: ClassVar[type] = ParquetSource
    _is_part = False
    _known: Place | None = None
    """Where those files end that come before the ones that are read."""

    def end(self, before: Place | None) -> Place:
        """The files that are there now, and what tells whether they stay as they are."""
        if not self._folder.is_dir():
            raise Refusal(
                f"{self.where}.path",
                f"found one file, {self.name}, in a source that grows",
                "wanted a folder, to which files are added (a Parquet file is never appended to)",
                "Name the folder, or take data.grows out of the charter.",
            )
        known = {} if before is None else before["files"]
        paths = {part.name: part.path for part in self._parts}
        check_there(paths, known)
        return {"files": files_now(paths, known)}

    def between(self, start: Place | None, end: Place, held: Held | None) -> Self:
        part = copy.copy(self)
        part._is_part, part._known = True, start
        known = {} if start is None else start["files"]
        new = (one for one in self._parts if one.name in end["files"] and one.name not in known)
        part._parts = tuple(new)
        part._seen = part._stamps()
        return part

    def waiting(self, end: Place) -> int:
        return 0

    def check_unchanged(self) -> None:
        """Files may have come while a part was read."""
        if not self._is_part:
            super().check_unchanged()
        elif self._stamps() != self._seen:
            raise self.changed_meanwhile()

    def fingerprint(self) -> str:
        if not self._folder.is_dir():
            return self.hashed("parquet")
        self._seen = self._stamps()
        digest = hashlib.sha256(b"parquet")
        for part in self._parts:
            with part.path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest() + part.name.encode())
        return digest.hexdigest()

    def raw(self, room: Path, refused: Refused) -> Raw:
        files = []
        for part in self._parts:
            with self._opened(part) as file:
                files.append((part, file.schema_arrow.remove_metadata(), file.metadata.num_rows))
        ends = np.cumsum([rows for _, _, rows in files])
        if self._known is None:
            self.refuse_empty(int(ends[-1]))
        schema = self._together([(part, found) for part, found, _ in files])
        partitions = frozenset(self._parts[0].partitions)

        def readings(column: str) -> tuple[Reading, ...]:
            return UNDECLARED if column in partitions else ()

        def place(row: int) -> str:
            number = int(np.searchsorted(ends, row, "right"))
            part, _, rows = files[number]
            return f"{part.name}, row {row - int(ends[number]) + rows + 1}"

        return Raw(
            schema,
            lambda: self._batches(schema),
            readings=readings,
            place=place if len(files) > 1 or self._known is not None else row_number,
        )

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(part.path for part in self._parts)

    @cached_property
    def _folder(self) -> Path:
        if self.stored is not None:
            return self.stored.path
        return expanded(self.source.path, f"{self.where}.path")

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        folder = self._folder
        if not folder.is_dir():
            return (Part(self.path, self.name, {}),)
        if (folder / "_delta_log").is_dir():
            raise self._refusal(
                f"found a Delta table, {self.name}",
                "Say kind: delta; its folder also holds files of rows that were removed.",
            )
        parts = tuple(
            Part(path, path.relative_to(folder).as_posix(), _partitions(path.relative_to(folder)))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(_hidden(name) for name in path.relative_to(folder).parts)
        )
        if not parts:
            raise self._refusal(f"found no files in {self.name}", "Export it again.")
        for part in parts:
            if part.partitions.keys() != parts[0].partitions.keys():
                raise self._refusal(
                    f"found {parts[0].name} and {part.name}, which are partitioned differently",
                    "Keep one way of naming the folders, as in month=2/part-0.parquet.",
                )
        return parts

    def _together(self, files: list[tuple[Part, pa.Schema]]) -> pa.Schema:
        """Every column of every file; one that a file does not have is null in its rows."""
        types: dict[str, pa.DataType] = {}
        from_part: dict[str, Part] = {}
        for part, schema in files:
            twice = sorted(name for name, times in Counter(schema.names).items() if times > 1)
            twice += sorted(part.partitions.keys() & set(schema.names))
            if twice:
                raise self._refusal(
                    f"found the name {', '.join(twice)} more than once in {part.name}",
                    "Rename the repeated columns where the file is made.",
                )
            for field in schema:
                known = types.get(field.name)
                common = field.type if known is None else _common(known, field.type)
                if common is None:
                    raise self._refusal(
                        f"found {field.name} as {known} in {from_part[field.name].name} "
                        f"and as {field.type} in {part.name}",
                        "Write the column with one type.",
                    )
                types[field.name] = common
                from_part.setdefault(field.name, part)
        types |= dict.fromkeys(files[0][0].partitions, pa.string())
        return pa.schema(list(types.items()))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for part in self._parts:
            with self._opened(part) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS):
                    yield self._shaped(batch, part, schema)

    def _shaped(self, batch: pa.RecordBatch, part: Part, schema: pa.Schema) -> pa.RecordBatch:
        columns = [self._column(batch, part, field) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _column(self, batch: pa.RecordBatch, part: Part, field: pa.Field) -> pa.Array:
        if field.name in part.partitions:
            return pa.repeat(pa.scalar(part.partitions[field.name], pa.string()), batch.num_rows)
        if (at := batch.schema.get_field_index(field.name)) < 0:
            return pa.nulls(batch.num_rows, field.type)
        values = batch.column(at)
        if values.type == field.type or pt.is_null(values.type):
            return values.cast(field.type)
        try:
            return settle(values, field.type)
        except pa.ArrowInvalid:  # its words quote the value, which may be a person's
            raise Refusal(
                f"{self.where}, column {field.name}",
                f"found a value in {part.name} that {field.type} cannot hold",
                "wanted one type that holds the values of all files",
                "Write the column with one type.",
            ) from None

    @contextmanager
    def _opened(self, part: Part) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
                yield file
        except (pa.ArrowInvalid, OSError) as error:
            raise Refusal(
                self.where,
                f"found {part.name} unreadable as Parquet ({error})",
                "wanted whole Parquet files",
                "Write it again, or say which kind of file it is: kind: csv.",
            ) from error

    def _refusal(self, found: str, remedy: str) -> Refusal:
        return Refusal(self.where, found, "wanted Parquet files with the same columns", remedy)


def _hidden(name: str) -> bool:
    """By custom no data, as `_SUCCESS` or `.part-0.crc`; a folder `_a=1` is one."""
    return name.startswith((".", "_")) and "=" not in name


def _partitions(path: Path) -> dict[str, str | None]:
    pairs = (name.split("=", 1) for name in path.parent.parts if "=" in name)
    return {unquote(name): None if value == NO_VALUE else unquote(value) for name, value in pairs}


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of both unchanged, or fails on the value that it cannot."""
    if one == other or pt.is_null(other):
        return one
    if pt.is_null(one):
        return other
    if is_number(one) and is_number(other):  # pandas writes whole numbers with gaps as floats
        both = {settled(one), settled(other)}
        return pa.float64() if pa.float64() in both else pa.int64()
    return settled(one) if settled(one) == settled(other) else None
