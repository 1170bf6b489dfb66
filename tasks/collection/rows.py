"""A batch of the journal as one Arrow table, and what did not fit its types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter
from serving.journal import Entry
from tasks.collection.shape import KNOWN_AT, PREDICTION
from tasks.collection.values import column, moments

Inputs = Callable[[int], frozenset[str]]
"""The columns that a release asks for; none for a release that is gone, or 0."""


@dataclass(frozen=True)
class Rows:
    """The entries of a batch, in their order; arrays of shape (rows,)."""

    table: pa.Table
    known: np.ndarray
    """Whether the truth is there, or none is needed (`goal.target.sought`); bool."""
    correction: np.ndarray
    """Whether an earlier batch had the prediction; bool."""
    carried: dict[str, np.ndarray]
    """Per column, whether the row has it, or should: what the model asks for counts; bool."""
    misfits: dict[int, list[str]]
    """Position of a row to what does not fit its types."""
    entries: list[Entry]
    mark: str
    """Of everything in the batch; no other batch of any journal has it."""

    def only(self, kept: np.ndarray) -> Rows:
        """The rows that `kept` (bool) names."""
        new = np.cumsum(kept) - 1
        return Rows(
            table=self.table.filter(pa.array(kept)),
            known=self.known[kept],
            correction=self.correction[kept],
            carried={name: there[kept] for name, there in self.carried.items()},
            misfits={int(new[at]): said for at, said in self.misfits.items() if kept[at]},
            entries=[entry for entry, stays in zip(self.entries, kept, strict=True) if stays],
            mark=self.mark,
        )

    def record(self, position: int) -> str:
        """The row as it stood, for the quarantine."""
        entry = self.entries[position]
        told = {"prediction": entry.id, "at": entry.at, "release": entry.release}
        truth = {"truth": entry.truth} if entry.known else {}
        return json.dumps({**told, **truth, "row": orjson.loads(entry.row)}, ensure_ascii=False)


@dataclass
class Reading:
    """Turns chunks of a batch into `Rows`."""

    charter: Charter
    schema: pa.Schema
    """Of the log."""
    inputs: Inputs
    veiled: Callable[[str], str] | None = None
    """Makes of a row as JSON one without names of persons."""
    _tables: list[pa.Table] = field(default_factory=list)
    _carried: list[dict[str, np.ndarray]] = field(default_factory=list)
    _misfits: dict[int, list[str]] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)

    def read(self, number: int, chunks: Iterable[list[Entry]]) -> Rows:
        """All chunks of the batch together."""
        digest = hashlib.sha256()
        for chunk in chunks:
            for entry in chunk:
                digest.update(f"{entry.id}\0{entry.truth!r}\0".encode())
            veiled = self.veiled
            self._add([one._replace(row=veiled(one.row)) for one in chunk] if veiled else chunk)
        names = self.schema.names
        needless = self.charter.goal.target.sought is not None
        return Rows(
            table=pa.concat_tables([self.schema.empty_table(), *self._tables]),
            known=np.array([entry.known or needless for entry in self._entries], dtype=bool),
            correction=np.array([entry.correction for entry in self._entries], dtype=bool),
            carried={
                name: np.concatenate([np.empty(0, bool), *(part[name] for part in self._carried)])
                for name in names
            },
            misfits=self._misfits,
            entries=self._entries,
            mark=f"collect:{self.charter.name}:{number}:{digest.hexdigest()[:32]}",
        )

    def _add(self, chunk: list[Entry]) -> None:
        rows: list[dict[str, object]] = [orjson.loads(entry.row) for entry in chunk]
        start = len(self._entries)
        self._entries += chunk
        self._carried.append(self._carries(chunk, rows))
        arrays = [self._array(one, chunk, rows, start) for one in self.schema]
        self._tables.append(pa.Table.from_arrays(arrays, schema=self.schema))

    def _array(
        self, one: pa.Field, chunk: list[Entry], rows: list[dict[str, object]], start: int
    ) -> pa.Array:
        if one.name == PREDICTION:
            return pa.array([entry.id for entry in chunk], one.type)
        at = np.array([entry.at for entry in chunk], dtype=np.float64)
        if one.name == KNOWN_AT:
            return moments(at, one.type)
        if one.name == self.charter.goal.target.column:
            values: list[object] = [entry.truth if entry.known else None for entry in chunk]
        else:
            values = [row.get(one.name) for row in rows]
        array, misfits = column(values, one.type)
        for position, wanted in misfits.items():
            self._misfits.setdefault(start + position, []).append(f"{one.name}: not {wanted}")
            self._carried[-1][one.name][position] = False  # nothing more is asked of it
        if one.name == self.charter.data.time and array.null_count:
            array = pc.coalesce(array, moments(at, one.type))
        return array

    def _carries(self, chunk: list[Entry], rows: list[dict[str, object]]) -> dict[str, np.ndarray]:
        carried = {}
        asked = [self.inputs(entry.release) for entry in chunk]
        for name in self.schema.names:
            found = [name in row or name in names for row, names in zip(rows, asked, strict=True)]
            carried[name] = np.array(found, dtype=bool)
        target = self.charter.goal.target.column
        carried[target] = np.array([entry.known for entry in chunk], dtype=bool)
        return carried
