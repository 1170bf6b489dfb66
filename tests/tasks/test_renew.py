"""Source and log become one table: corrections, keys, windows and columns."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from charter import Charter, Refusal
from serving.home import place
from tasks import lake
from tasks.collect import Collected
from tasks.lake import Table
from tasks.quarantine import Quarantine
from tasks.renew import renew
from tests.tasks.looped import START, charter, named

SOURCE = pa.schema(
    {"trip": pa.int64(), "at": pa.timestamp("us"), "x": pa.float64(), "late": pa.bool_()}
)
LOG = pa.schema(
    [*SOURCE, ("prediction", pa.string()), ("known_at", pa.timestamp("us", "UTC"))]
)  # fmt: skip
Line = tuple[int | None, int | None, float | None, bool | None]
"""Trip, day, x and whether it was late."""


@pytest.fixture(autouse=True)
def _own(root: Path) -> None:
    pass


def source(*lines: Line, schema: pa.Schema = SOURCE, name: str = "a") -> Table:
    rows = [dict(zip(SOURCE.names, _dated(line), strict=True)) for line in lines]
    table = pa.Table.from_pylist(rows, schema=schema)
    return lake.write("tables/toy/table", "toy", table.to_reader(), name)


def log(*entries: tuple[int, Line], schema: pa.Schema = LOG, mark: str = "a") -> Table:
    """Each with the number of its prediction, which is the day on which it was made."""
    rows = [
        dict(zip(SOURCE.names, _dated(line), strict=True))
        | {"prediction": named(number), "known_at": START + timedelta(days=number)}
        for number, line in entries
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    return lake.append("tables/toy/collected", "toy", table.to_reader(), mark)


def _dated(line: Line) -> tuple[Any, ...]:
    trip, day, x, late = line
    at = None if day is None else START.replace(tzinfo=None) + timedelta(days=day)
    return trip, at, x, late


def words(window: Any = "all", **data: Any) -> Charter:
    return charter({"window": window}, rules=[], known_later=[], **data)


def collected(table: Table | None) -> Collected:
    nothing = Quarantine(project="toy", where="q", stage="collect", fingerprint="", rows=0)
    return Collected(
        project="toy", table=table, batch=None, folded=0, unlabelled=0, corrected=0,
        quarantine=nothing, waiting=0, orphans=0, fresh=0,
    )  # fmt: skip


def rows(told: Charter, table: Table, entries: Table | None) -> list[Any]:
    """The column x of the renewed table; nothing else tells the rows apart in these tests."""
    renewed = renew(told, table, collected(entries))
    assert lake.dataset(renewed).schema.equals(lake.dataset(table).schema)
    found = [x for batch in lake.read(renewed) for x in batch.column("x").to_pylist()]
    assert len(found) == renewed.rows
    return found


def test_source_rows_come_first_then_the_log_by_time_and_as_it_grew() -> None:
    table = source((1, 5, 1.0, True), (2, 4, 2.0, False))
    entries = log(
        (3, (13, 9, 3.0, True)), (4, (14, 8, 4.0, True)), (5, (15, 9, 5.0, None)),
        (6, (16, None, 6.0, True)),
    )  # fmt: skip
    assert rows(words(), table, entries) == [1.0, 2.0, 4.0, 3.0, 5.0, 6.0]
    assert rows(words(time=None), table, entries) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_without_a_log_the_source_is_all() -> None:
    table = source((1, 5, 1.0, True), (2, 4, 2.0, None))
    assert rows(words(), table, None) == [1.0, 2.0]


def test_the_latest_entry_of_a_prediction_counts() -> None:
    table = source((1, 1, 1.0, True))
    log((1, (11, 2, 2.0, None)), (2, (12, 2, 3.0, True)))
    entries = log((1, (11, 2, 20.0, True)), mark="b")
    assert rows(words(), table, entries) == [1.0, 3.0, 20.0]


def test_of_one_key_the_latest_with_a_label_counts_wherever_it_stands() -> None:
    table = source((1, 1, 1.0, True), (2, 1, 2.0, True), (3, 1, 3.0, None), (4, 1, 4.0, True))
    log((9, (1, 1, 10.0, False)), (8, (1, 1, 11.0, False)))  # the later prediction wins
    entries = log(
        (10, (2, 1, 12.0, None)),  # without a label it gives way to the source
        (11, (3, 1, 13.0, None)),  # neither has one: the later
        (12, (None, 1, 14.0, True)), (13, (None, 1, 15.0, True)),  # no key, nothing to compare
        mark="b",
    )  # fmt: skip
    assert rows(words(), table, entries) == [2.0, 4.0, 10.0, 13.0, 14.0, 15.0]
    assert rows(words(key=[]), table, entries) == [
        1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0
    ]  # fmt: skip


def test_a_window_of_a_span_counts_back_from_the_newest_label() -> None:
    table = source((1, 1, 1.0, True), (2, 8, 2.0, True), (3, None, 3.0, True))
    entries = log(
        (1, (11, 10, 4.0, True)), (2, (12, 2, 5.0, True)), (3, (13, 30, 6.0, None))
    )  # fmt: skip
    assert rows(words({"last": "7d"}), table, entries) == [2.0, 4.0, 6.0]


def test_a_window_of_a_number_counts_labelled_rows_newest_first() -> None:
    day = [(n, n, float(n), True) for n in range(150)]
    table = source(*day[:100])
    entries = log(*((n, line) for n, line in enumerate(day[100:])), (99, (999, 149, -1.0, None)))
    wanted = [float(n) for n in range(50, 150)] + [-1.0]
    told = words({"last": 100})
    assert rows(told, table, entries) == wanted
    assert rows(told, source(*day[:99], name="b"), None) == wanted[:0] + [
        float(n) for n in range(99)
    ]
    assert rows(words({"last": 100}, time=None), table, entries) == wanted


def test_columns_follow_the_table() -> None:
    table = source((1, 1, 1.0, True))
    gone = pa.schema([*(field for field in LOG if field.name != "x"), ("old", pa.string())])
    whole = LOG.set(LOG.get_field_index("x"), pa.field("x", pa.int64()))
    entries = log((1, (11, 2, None, True)), schema=gone)
    assert rows(words(), table, entries) == [1.0, None]
    place("tables/toy/collected").rename(place("tables/toy/elsewhere"))
    entries = log((1, (11, 2, 7, True)), schema=whole, mark="b")
    assert rows(words(), table, entries) == [1.0, 7.0]


def test_a_column_of_another_type_is_refused_in_words() -> None:
    texts = LOG.set(LOG.get_field_index("x"), pa.field("x", pa.string()))
    table, entries = source((1, 1, 1.0, True)), log((1, (11, 2, None, True)), schema=texts)
    with pytest.raises(
        Refusal, match="column x: found double in the validated table and string"
    ) as refusal:
        renew(words(), table, collected(entries))
    assert refusal.value.remedy.startswith("Give x the type string again")


def test_the_same_again_is_the_same_version_and_another_clause_is_another() -> None:
    table, entries = source((1, 1, 1.0, True)), log((1, (11, 2, 2.0, True)))
    first = renew(words(), table, collected(entries))
    assert renew(words(), table, collected(entries)) == first
    assert renew(words(key=[]), table, collected(entries)).version == first.version + 1
    more = log((2, (12, 2, 3.0, True)), mark="b")
    assert renew(words(), table, collected(more)).rows == 3
