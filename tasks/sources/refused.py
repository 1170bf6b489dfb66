"""Rows that a source cannot give, on their way to quarantine, or to a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from charter import Refusal
from tasks.quarantine import QUARANTINE

BATCH_ROWS = 4_096
BATCH_CHARACTERS = 8 * 2**20


class Refused(Protocol):
    """Takes the rows that a source cannot give."""

    def add(
        self, row: int, reasons: Sequence[str], record: str, place: Callable[[int], str]
    ) -> None:
        """Row `row` (from 0), why, as it stood; `place(row)` says it as `line 17`."""
        ...


class Spool:
    """Keeps refused rows in a file, so that memory stays flat however many there are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[tuple[int, list[str], str]] = []
        self._characters = 0
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self.count = 0

    def add(
        self, row: int, reasons: Sequence[str], record: str, place: Callable[[int], str]
    ) -> None:
        self._rows.append((row, list(reasons), record))
        self._characters += len(record)
        self.count += 1
        if len(self._rows) >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Every row so far, schema QUARANTINE; nothing can be added afterwards."""
        self._flush()
        if self._writer is None:
            return
        self._writer.close()
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_stream(file) as stream:
            yield from stream

    def _flush(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self._writer = pa.ipc.new_stream(str(self._path), QUARANTINE)
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*self._rows, strict=True), QUARANTINE, strict=True)
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=QUARANTINE))
        self._rows, self._characters = [], 0


class Strict:
    """Refuses the whole file at the first such row: scoring must not lose rows."""

    def __init__(self, name: str, shown: bool = True) -> None:
        """`shown`: the message may say what stands in the row."""
        self._name, self._shown = name, shown

    def add(
        self, row: int, reasons: Sequence[str], record: str, place: Callable[[int], str]
    ) -> None:
        said = f": {record[:200]}" if self._shown else ""
        raise Refusal(
            f"{self._name}, {place(row)}",
            f"found a row that cannot be read ({'; '.join(reasons)}){said}",
            "wanted every row to be readable, since each one gets its answer",
            "Correct the row, or take it out of the file.",
        )
