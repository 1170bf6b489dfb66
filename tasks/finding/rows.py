"""Drawn rows, and the table with its target filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Refusal
from tasks import lake
from tasks.exploration.target import known_target
from tasks.lake import Table
from tasks.progress import report
from tasks.splitting.sides import moments

JUDGING = 0.3
"""The share of the drawn rows that only judges."""

TYPES = {"VARCHAR": pa.string(), "BOOLEAN": pa.bool_()}

Answer = Callable[[pa.RecordBatch], pa.Array]
"""The target of each row of a batch."""


def checked(charter: Charter, table: Table) -> None:
    """Refuse a table without the target, or with one that something else was found for."""
    schema, sought = lake.dataset(table).schema, charter.goal.target.sought
    known_target(charter, schema.names)
    assert sought is not None
    there, wanted = schema.field(charter.goal.target.column).type, TYPES[sought.kind]
    if there != wanted:
        raise Refusal(
            f"charter.{sought.where}",
            f"found a table whose {charter.goal.target.column} is {there}", f"wanted {wanted}",
            "Train without --table-version, or with a version from before it was found.",
        )  # fmt: skip


def drawn(
    charter: Charter, table: Table, names: list[str], most: int, later: str | None = None
) -> tuple[pa.Table, pa.Table]:
    """Rows to find something in and other ones to judge that by, at most `most` together, each in
    the table's order.

    `later` names a time: the rows that judge are then the latest.
    """
    rng = np.random.default_rng(charter.evaluation.seed)
    chosen = rng.permutation(table.rows)[:most]
    if later is not None:
        when = _times(table, later)
        chosen = chosen[np.argsort(-when[chosen], kind="stable")]  # a missing time is never late
    side = np.zeros(table.rows, dtype=np.int8)  # 1: finds, 2: judges
    side[chosen] = 1
    side[chosen[: int(JUDGING * len(chosen))]] = 2
    parts: tuple[list[pa.RecordBatch], list[pa.RecordBatch]] = ([], [])
    start = 0
    for batch in lake.read(table, names):
        mine = side[start : start + batch.num_rows]
        start += batch.num_rows
        for at, kept in enumerate(parts, start=1):
            kept.append(batch.filter(pa.array(mine == at)))
    fields = lake.dataset(table).schema.remove_metadata()
    schema = pa.schema([fields.field(name) for name in names])
    fit, judge = (pa.Table.from_batches(kept, schema) for kept in parts)
    if min(fit.num_rows, judge.num_rows) < 2:
        sought = charter.goal.target.sought
        assert sought is not None
        raise Refusal(
            f"charter.{sought.where}", f"found {table.rows:,} rows",
            f"wanted some to find {sought.things} in and others to judge them by",
            "Bring more rows.",
        )  # fmt: skip
    return fit, judge


def filled(
    charter: Charter, stage: str, table: Table, where: str, fingerprint: str, answer: Answer
) -> Table:
    """The table with what `answer` says as its target, written to `where`; told as `stage`."""
    target = charter.goal.target.column
    schema = lake.dataset(table).schema.remove_metadata()
    place = schema.get_field_index(target)

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in lake.read(table):
            done += batch.num_rows
            report(stage, done, max(table.rows, 1), "rows")
            yield batch.set_column(place, schema.field(place), answer(batch))

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    return lake.write(where, charter.name, reader, fingerprint)


def tally(charter: Charter, table: Table) -> Counter[object]:
    """Rows of each answer in the table's target; None: of no answer."""
    target, found = charter.goal.target.column, Counter[object]()
    for batch in lake.read(table, [target]):
        for one in pc.value_counts(batch.column(target)).to_pylist():
            found[one["values"]] += one["counts"]
    return found


def _times(table: Table, name: str) -> np.ndarray:
    """Seconds, shape (rows,); what is missing is earlier than everything."""
    found = [
        moments(pa.chunked_array([batch.column(name)]), name) for batch in lake.read(table, [name])
    ]
    return np.asarray(np.nan_to_num(np.concatenate([np.empty(0), *found]), nan=-np.inf))
