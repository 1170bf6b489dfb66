"""The one door to Delta Lake: versioned tables and the quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.dataset as ds

from charter import Frozen


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


def write(where: str, project: str, batches: pa.RecordBatchReader, fingerprint: str) -> Table:
    """Overwrite the table in one commit, or return the version that has this fingerprint.

    Streams; peak memory is a few batches. Atomic: a killed write leaves the last version.
    """
    raise NotImplementedError


def find(where: str, project: str, fingerprint: str) -> Table | None:
    """The version that was made from this fingerprint, if the latest version is it."""
    raise NotImplementedError


def dataset(table: Table) -> ds.Dataset:
    """The version's files as an Arrow dataset (register it with DuckDB, or scan it)."""
    raise NotImplementedError


def read(
    table: Table, columns: list[str] | None = None, rows: int = 131_072
) -> Iterator[pa.RecordBatch]:
    """The version's rows in the order they were written, at most `rows` per batch."""
    raise NotImplementedError


def quarantine(
    project: str, stage: str, fingerprint: str, batches: Iterable[pa.RecordBatch]
) -> Quarantine:
    """Keep refused rows (schema QUARANTINE) once per stage and fingerprint."""
    raise NotImplementedError
