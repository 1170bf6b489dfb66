"""Rows on their way in: the charter's source with roles, joins and target, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Charter, Refusal
from charter.data import CsvSource, ExcelSource, FileSource, JsonLinesSource, ParquetSource, Role
from serving.signature import Input, Kind
from tasks.ingestion.joins import joined_sources, prepare, workbench
from tasks.rowgroups import groups
from tasks.scratch import scratch
from tasks.sources import opened, rows
from tasks.sources.excel import is_workbook
from tasks.sources.jsonl import is_json_lines
from tasks.sources.refused import Strict

ROLE: dict[Kind, Role] = {"number": "number", "flag": "flag", "time": "time", "text": "text"}


def roles(charter: Charter) -> dict[str, Role | None]:
    """What the charter says of each column; `data.time` is a time unless it says otherwise."""
    said = {name: column.role for name, column in charter.data.columns.items()}
    if charter.data.time is not None and said.get(charter.data.time) is None:
        said[charter.data.time] = "time"
    said |= dict.fromkeys(charter.privacy.identifiers, "identifier")  # hashes are texts
    return said


def gathered(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small batches together, so that each join is worth its start."""
    for group in groups(schema, batches):
        yield from group.combine_chunks().to_batches()


def is_early(charter: Charter, batch: pa.RecordBatch) -> pa.Array:
    """Which rows lie before `data.until`; those without a time count as early."""
    until, name = charter.data.until, charter.data.time
    assert until is not None
    assert name is not None
    column = batch.column(name)
    if not pt.is_timestamp(column.type):
        raise Refusal(
            "data.until",
            f"found {name} as {column.type}",
            "wanted a time column to compare with",
            "Name a column with ISO 8601 times in data.time.",
        )
    moment = until if isinstance(until, datetime) else datetime.combine(until, time())
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if column.type.tz is None:
        moment = moment.replace(tzinfo=None)
    return pc.fill_null(pc.less(column, pa.scalar(moment, column.type)), True)


@contextmanager
def rows_for_scoring(
    charter: Charter, path: Path, inputs: Sequence[Input] = ()
) -> Iterator[pa.RecordBatchReader]:
    """A file's rows, in order and none left out, with the charter's casts and joins.

    `inputs` of the release's signature decide the types, so that a file with few rows is read as
    the training data were. A join is made where its keys are there and its columns are not; the
    target is not needed. A row that cannot be read is a Refusal that names its line. CSV files are
    read with the options of the charter's source where that is CSV; Parquet is told by its bytes, JSON lines
    and workbooks by the name.
    """
    known = {**roles(charter), **{column.name: ROLE[column.kind] for column in inputs}}
    source = opened(_clause(charter, path), "input")
    with scratch("score") as room, workbench(charter, room) as connection:
        shown = not charter.privacy.guards
        incoming = rows(source, known, room, Strict(source.name, shown))
        joins = prepare(
            connection, charter, incoming.schema, known, room, joined_sources(charter), scoring=True
        )
        schema = pa.schema([*incoming.schema, *(field for join in joins for field in join.added)])

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in gathered(incoming.schema, incoming.batches):
                for join in joins:
                    batch = join.apply(connection, batch)
                yield batch

        yield pa.RecordBatchReader.from_batches(schema, batches())


def _clause(charter: Charter, path: Path) -> FileSource:
    if path.is_file():
        with path.open("rb") as file:
            if file.read(4) == b"PAR1":
                return ParquetSource(kind="parquet", path=str(path))
    if is_json_lines(path):
        return JsonLinesSource(kind="jsonl", path=str(path))
    source = charter.data.source
    if is_workbook(path):
        known = source if isinstance(source, ExcelSource) else ExcelSource(kind="excel", path="")
        return known.model_copy(update={"path": str(path)})
    if isinstance(source, CsvSource):
        return source.model_copy(update={"path": str(path)})
    return CsvSource(kind="csv", path=str(path))
