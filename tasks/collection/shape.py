"""The log of what happened at run time: its place, its columns, and how they follow the table."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

from charter import Charter, Refusal
from tasks import lake
from tasks.lake import Table

PREDICTION = "prediction"
"""Text: the id of the prediction, which several rows share where a truth came late or changed."""
KNOWN_AT = "known_at"
"""Time, UTC: when the row became known, which is when it was predicted."""
OURS = pa.schema([(PREDICTION, pa.string()), (KNOWN_AT, pa.timestamp("us", "UTC"))])


def log_place(project: str) -> str:
    """Where the log of a project is, relative to the root."""
    return f"tables/{project}/collected"


def validated(charter: Charter) -> Table:
    """The newest validated table, whose columns the log takes."""
    table = lake.latest(f"tables/{charter.name}/table", charter.name)
    if table is None:
        raise Refusal(
            "collect",
            f"found no validated table of {charter.name}",
            "wanted the types that run-time rows get",
            "Run `perennial train` first.",
        )
    return table


def log_schema(charter: Charter, table: Table, log: Table | None) -> pa.Schema:
    """The table's columns and ours; a column keeps the type that the log has for it."""
    schema = lake.dataset(table).schema.remove_metadata()
    taken = [name for name in OURS.names if name in schema.names]
    if taken:
        raise Refusal(
            "data.source",
            f"found a column {taken[0]}",
            "wanted another name: rows that are collected at run time carry this one themselves",
            "Rename the column in the source.",
        )
    there = pa.schema([]) if log is None else lake.dataset(log).schema
    fields = [field.with_type(_agreed(charter, field, there)) for field in schema]
    return pa.schema([*fields, *OURS])


def taken_for(field: pa.Field, kind: pa.DataType) -> bool:
    """Whether values of the type can stand in the column: the same type, or whole as fractional."""
    same: bool = field.type == kind
    return same or bool(pt.is_floating(field.type) and pt.is_integer(kind))


def _agreed(charter: Charter, field: pa.Field, there: pa.Schema) -> pa.DataType:
    if field.name not in there.names:
        return field.type
    kind = there.field(field.name).type
    if kind == field.type or (pt.is_floating(kind) and pt.is_integer(field.type)):
        return kind
    raise other_type(charter, field.name, field.type, kind)


def other_type(charter: Charter, name: str, table: pa.DataType, log: pa.DataType) -> Refusal:
    """The refusal of a column that changed its type since rows were collected."""
    return Refusal(
        f"tables/{charter.name}, column {name}",
        f"found {table} in the validated table and {log} in {log_place(charter.name)}",
        "wanted one type in both",
        f"Give {name} the type {log} again, in data.columns or in the suite; or rename it.",
    )
