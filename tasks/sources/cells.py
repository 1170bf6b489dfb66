"""Values that know what they are, one by one (JSON, databases): kept as exact texts and typed at the end.

What a column means is settled by all of its values, so a spool holds their texts, and beside it
stands which kinds of values each column had: text that looks like a number stays text.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa

from charter import Refusal
from tasks.sources.growth import Held
from tasks.sources.texts import DECIMAL, FLAG, TIMES, UNDECLARED, WHOLE, Reading
from tasks.sources.types import NAIVE, UTC

Kind = Literal["number", "flag", "time", "text", "nested"]
Cell = tuple[Kind, str]
"""What a value is, and how it is written."""
Row = Mapping[str, Cell | None]

BATCH_ROWS = 8_192
BATCH_CHARACTERS = 8 * 2**20
MOST_COLUMNS = 10_000
NESTED = pa.list_(pa.string())
"""The type of a column that has values inside of values; the lake does not hold it."""
READINGS: dict[frozenset[Kind], tuple[Reading, ...]] = {
    frozenset({"number"}): (WHOLE, DECIMAL),
    frozenset({"flag"}): (FLAG,),
    frozenset({"time"}): TIMES,
    frozenset({"text"}): TIMES,  # neither JSON nor SQLite has times of its own
    frozenset(): UNDECLARED,  # no value, so anything
}


FITTING: dict[pa.DataType, frozenset[Kind]] = {
    pa.int64(): frozenset({"number", "nested"}),
    pa.float64(): frozenset({"number", "nested"}),
    pa.bool_(): frozenset({"flag", "nested"}),
    NAIVE: frozenset({"time", "text", "nested"}),
    UTC: frozenset({"time", "text", "nested"}),
}
"""Kinds of values that are read as this type; a nested one changes the whole column."""
Fitting = Mapping[str, tuple[frozenset[Kind], str]]


def fitting(held: Held | None) -> Fitting:
    """Of each column of the table, the kinds of values that it takes, and what others are not.

    Where the charter declares a role, the texts decide, as they do for a whole source.
    """
    if held is None:
        return {}
    means = {one.type: one.means for one in UNDECLARED}
    return {
        field.name: (FITTING[field.type], f"{field.name}: not {means[field.type]}")
        for field in held.schema
        if field.type in FITTING and held.declared(field.name) is None
    }


def misfits(row: Row, wanted: Fitting) -> list[str]:
    """What does not fit into the table, in words."""
    return [
        words
        for name, (kinds, words) in wanted.items()
        if (cell := row.get(name)) is not None and cell[0] not in kinds
    ]


class Cells:
    """Takes rows, whose columns need not be known beforehand; gives batches, again and again."""

    def __init__(self, path: Path, where: str, names: tuple[str, ...] = ()) -> None:
        self._path = path
        self._where = where
        self._kinds: dict[str, set[Kind]] = {name: set() for name in names}
        self._rows: list[Row] = []
        self._characters = 0
        self._parts: list[Path] = []
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._written: list[str] = []
        self.rows = 0

    def add(self, row: Row) -> None:
        self._rows.append(row)
        self.rows += 1
        for name, cell in row.items():
            kinds = self._kinds.setdefault(name, set())
            if cell is not None:
                kinds.add(cell[0])
                self._characters += len(cell[1])
        if len(self._rows) >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def close(self) -> None:
        """Nothing is added afterwards."""
        self._flush()
        if self._writer is not None:
            self._writer.close()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(
            [
                (name, NESTED if "nested" in kinds else pa.string())
                for name, kinds in self._kinds.items()
            ]
        )

    def readings(self, column: str) -> tuple[Reading, ...]:
        """What the texts may mean; a mixture is text."""
        return READINGS.get(frozenset(self._kinds[column]), ())

    def batches(self) -> Iterator[pa.RecordBatch]:
        schema = self.schema
        for part in self._parts:
            with pa.OSFile(str(part)) as file, pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    yield _widened(batch, schema)

    def digest(self) -> str:
        """SHA-256 of every value, its kind and its place."""
        digest = hashlib.sha256()
        for part in self._parts:
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        kinds = {name: sorted(kinds) for name, kinds in self._kinds.items()}
        digest.update(json.dumps(kinds).encode())
        return digest.hexdigest()

    def _flush(self) -> None:
        if not self._rows:
            return
        names = list(self._kinds)
        if len(names) > MOST_COLUMNS:
            raise Refusal(
                self._where,
                f"found more than {MOST_COLUMNS:,} different names of fields",
                "wanted rows with the same fields",
                "Put names that are values into a column of their own.",
            )
        if self._writer is None or names != self._written:
            self._begin(names)
        assert self._writer is not None
        texts: dict[str, list[str | None]] = defaultdict(list)
        for row in self._rows:
            for name in names:
                cell = row.get(name)
                texts[name].append(None if cell is None else cell[1])
        arrays = [pa.array(texts[name], pa.string()) for name in names]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, names=names))
        self._rows, self._characters = [], 0

    def _begin(self, names: list[str]) -> None:
        """Another part, since a stream has one schema."""
        if self._writer is not None:
            self._writer.close()
        self._parts.append(self._path.with_name(f"{self._path.name}.{len(self._parts)}"))
        self._written = names
        self._writer = pa.ipc.new_stream(
            str(self._parts[-1]),
            pa.schema([(name, pa.string()) for name in names]),
            options=pa.ipc.IpcWriteOptions(compression="lz4"),
        )


def _widened(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """With every column of the schema; those that hold more than values are left out."""
    arrays = [
        batch.column(field.name)
        if field.name in batch.schema.names and field.type != NESTED
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
