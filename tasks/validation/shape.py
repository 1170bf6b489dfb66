"""The gate before any row is judged: the columns that were there, of the types that they had.

Great Expectations cannot say these types on pandas 3 (texts, whole numbers with gaps, times with a
zone), so the Arrow schema is compared here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from charter import Charter, Refusal, Verdict
from tasks import lake
from tasks.lake import Table
from tasks.validation.expectation import Expectation, listed
from tasks.validation.rules import field
from tasks.validation.suite import Suite


def conform(charter: Charter, table: Table, suite: Suite, path: str) -> tuple[pa.Schema, Verdict]:
    """The schema that the rows get, and whether there is anything new.

    A column that is gone or holds another type is refused. Whole numbers where there were
    fractions, and a column without any value, are cast: they say nothing else.
    """
    schema = lake.dataset(table).schema
    problems = []
    for name, wanted in suite.columns.items():
        if name not in schema.names:
            problems.append(f"{name} is missing")
        elif not _fits(table, schema.field(name), wanted):
            problems.append(f"{name} holds {schema.field(name).type}, not {wanted}")
        elif str(schema.field(name).type) != wanted:
            retyped = schema.field(name).with_type(_type(path, name, wanted))
            schema = schema.set(schema.get_field_index(name), retyped)
    if problems:
        raise Refusal(
            path,
            "; ".join(problems),
            "wanted the columns and types of the suite",
            "Repair the source; or name the type in charter.data.columns; or, if the data are "
            f"meant to have changed, edit or delete {path} so that it is inferred again.",
        )
    return schema, _news(suite, schema, charter.goal.target.column)


def known(expectations: Sequence[Expectation], schema: pa.Schema) -> None:
    """Refuse an expectation on a column that is not there."""
    for expectation in expectations:
        for name in expectation.columns:
            field(schema, str(name), expectation.where)


def cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly the types of the schema; a value that would change is refused."""
    if batch.schema.equals(schema):
        return batch
    try:
        return batch.cast(schema)
    except pa.ArrowInvalid as error:
        raise Refusal(
            "validate",
            f"a value does not survive the cast to the suite's type: {error}",
            "wanted values that fit",
            "Repair the source, or correct the type in the suite.",
        ) from None


def _fits(table: Table, column: pa.Field, wanted: str) -> bool:
    if str(column.type) == wanted:
        return True
    if types.is_integer(column.type) and wanted in ("double", "float"):
        return True
    return _empty(table, column.name)


def _empty(table: Table, name: str) -> bool:
    batches = lake.read(table, columns=[name])
    return all(pc.count(batch.column(0)).as_py() == 0 for batch in batches)


def _type(path: str, name: str, wanted: str) -> pa.DataType:
    if wanted in ("timestamp[us]", "timestamp[us, tz=UTC]"):
        return pa.timestamp("us", tz="UTC" if "UTC" in wanted else None)
    if wanted == "date32[day]":
        return pa.date32()
    try:
        return pa.type_for_alias(wanted)
    except ValueError:
        raise Refusal(
            path,
            f"meta.columns.{name} is {wanted!r}",
            "wanted an Arrow type such as int64, double, string, bool or timestamp[us]",
            "Correct the type.",
        ) from None


def _news(suite: Suite, schema: pa.Schema, target: str) -> Verdict:
    new = [name for name in schema.names if name not in suite.columns and name != target]
    if not suite.columns:
        new = []
    said = f"all {len(suite.columns)} columns of the suite are there with their types"
    return Verdict(
        gate="validate.columns",
        passed=not new,
        message=f"{said}; not in the suite: {listed(new)}" if new else said,
        numbers={"columns": len(schema.names), "new": len(new)},
        level="warn",
    )
