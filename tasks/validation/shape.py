"""The gate before any row is judged: the columns that were there, of the types that they had.

Great Expectations cannot say these types on pandas 3 (texts, whole numbers with gaps, times with a
zone), so the Arrow schema is compared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from charter import Charter, Refusal, Verdict
from tasks import lake
from tasks.ingest import Ingested
from tasks.validation.change import changes
from tasks.validation.expectation import Expectation, listed
from tasks.validation.proposal import forget, propose
from tasks.validation.rules import field
from tasks.validation.suite import Suite


def conform(
    charter: Charter, ingested: Ingested, suite: Suite, path: Path, rules: Sequence[Expectation]
) -> tuple[pa.Schema, Verdict]:
    """The schema that the rows get, and whether there is anything new.

    A column that is gone or holds another type is refused. Whole numbers where there were
    fractions, and a column without any value, are cast: they say nothing else. Whatever changed, an
    edit of the suite is proposed.
    """
    found = changes(charter, ingested.table, suite)
    edits: tuple[str, ...] = ()
    if found:
        edits = propose(charter, ingested, rules, path, found).edits
    else:
        forget(charter)
    if any(change.kind != "new" for change in found):
        raise Refusal(
            str(path),
            "; ".join(change.words for change in found),
            "wanted the columns and types of the suite",
            "Repair the source; or name the type in charter.data.columns; or, if the data are meant "
            f"to have changed, {_accept(charter)} makes this edit of the suite: {'; '.join(edits)}.",
        )
    schema = lake.dataset(ingested.table).schema
    for name, wanted in suite.columns.items():
        if str(schema.field(name).type) != wanted:
            retyped = schema.field(name).with_type(_type(str(path), name, wanted))
            schema = schema.set(schema.get_field_index(name), retyped)
    return schema, _news(charter, suite, schema, [change.column for change in found])


def _accept(charter: Charter) -> str:
    return f"`perennial accept configs/{charter.name}.yaml`"


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


def _news(charter: Charter, suite: Suite, schema: pa.Schema, new: Sequence[str]) -> Verdict:
    said = f"all {len(suite.columns)} columns of the suite are there with their types"
    more = f"; not in the suite: {listed(new)} ({_accept(charter)} adds what is new)"
    return Verdict(
        gate="validate.columns",
        passed=not new,
        message=said + more if new else said,
        numbers={"columns": len(schema.names), "new": len(new)},
        level="warn",
    )
