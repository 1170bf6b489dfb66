"""What changes over time, per column and for the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from tasks.exploration.columns import Content
from tasks.exploration.store import Store, as_label, as_number
from tasks.exploration.target import Truth
from tasks.pages.figures import moment, number, share

DAY = 86_400.0
LENGTHS: tuple[tuple[str, float, float], ...] = (
    ("hour", 3_600.0, 3 * DAY),
    ("day", DAY, 120 * DAY),
    ("week", 7 * DAY, 800 * DAY),
    ("month", 365.25 / 12 * DAY, 20 * 365.25 * DAY),
    ("year", 365.25 * DAY, float("inf")),
)
"""Period, its length, and the longest span that is cut into it."""
MOST_LEVELS = 20
Array = np.ndarray


@dataclass(frozen=True)
class Course:
    """One column over the periods."""

    column: str
    what: str
    """What the values are: `mean`, `share of missing values`, `share of UA`."""
    values: tuple[float | None, ...]
    change: float
    """Share of the rows that would have to differ to undo the largest change, 0 to 1."""
    when: str
    """The period that begins after the largest change."""
    told: str
    """The change in one sentence."""


@dataclass(frozen=True)
class Courses:
    """Everything over time."""

    period: str
    periods: tuple[str, ...]
    rows: tuple[int, ...]
    target: tuple[tuple[str, tuple[float | None, ...], tuple[float | None, ...]], ...]
    """Name, value and half width of its 95 % interval per period: a share per class (two classes:
    the positive one), or the mean."""
    columns: tuple[Course, ...]
    """The target among them; largest change first."""


def courses(
    store: Store, truth: Truth, columns: Sequence[Content], time: Content
) -> Courses | None:
    """Cut the time column into periods; None where it spans less than two."""
    low, high = time.low, time.high
    if low is None or high is None or high <= low:
        return None
    period = next(name for name, _, longest in LENGTHS if high - low <= longest)
    bucket = f"CAST(epoch(date_trunc('{period}', make_timestamp(CAST({time.field.at} * 1e6 AS BIGINT)))) AS BIGINT)"
    store.connection.execute(
        f"CREATE OR REPLACE TEMP VIEW timed AS SELECT *, {bucket} AS bucket FROM data "
        f"WHERE {time.field.at} IS NOT NULL"
    )
    found = store.rows_of("SELECT bucket, count(*) FROM timed GROUP BY bucket ORDER BY bucket")
    starts = [int(start) for start, _ in found]
    if len(starts) < 2:
        return None
    names = tuple(
        moment(start)[: 16 if period == "hour" else 7 if period == "month" else 10]
        for start in starts
    )
    axis = _Axis(starts, names)
    given = {column.field: column for column in columns if column.name != time.name}
    seen = [
        course
        for part in store.parts("bucket", of="timed")
        for field in part.fields
        if field in given
        for course in _courses(part, given[field], axis)
    ]
    return Courses(
        period,
        names,
        tuple(int(rows) for _, rows in found),
        tuple(_target(store, truth, axis)),
        tuple(sorted(seen, key=lambda course: -course.change)),
    )


@dataclass(frozen=True)
class _Axis:
    starts: list[int]
    names: tuple[str, ...]

    def table(self, found: Sequence[Sequence[float | None]], width: int) -> Array:
        """Rows `(start, value, …)` as an array with one line per period."""
        at = {start: place for place, start in enumerate(self.starts)}
        table = np.zeros((len(self.starts), width))
        for start, *values in found:
            table[at[int(start or 0)]] = [value or 0.0 for value in values]
        return table


def _target(
    store: Store, truth: Truth, axis: _Axis
) -> Iterator[tuple[str, tuple[float | None, ...], tuple[float | None, ...]]]:
    if truth.task == "regression":
        value = as_number(truth.field)
        sums = f"count({value}), avg({value}), coalesce(stddev_samp({value}), 0)"
        found = axis.table(store.rows_of(f"SELECT bucket, {sums} FROM timed GROUP BY bucket"), 3)
        n, mean, std = found.T
        yield (
            f"Mean {truth.field.name}",
            _known(mean, n),
            _known(1.96 * std / np.sqrt(np.maximum(n, 1)), n),
        )
        return
    shown = truth.classes[-1:] if truth.task == "binary" else truth.classes[:5]
    for name in shown:
        at = truth.classes.index(name)
        sums = f"count(truth), avg(CAST(truth = {at} AS DOUBLE)) FILTER (WHERE truth IS NOT NULL)"
        found = axis.table(store.rows_of(f"SELECT bucket, {sums} FROM timed GROUP BY bucket"), 2)
        n, p = found.T
        yield (
            f"{truth.field.name} = {name}",
            _known(p, n),
            _known(1.96 * np.sqrt(p * (1 - p) / np.maximum(n, 1)), n),
        )


def _courses(store: Store, column: Content, axis: _Axis) -> Iterator[Course]:
    """The values, and the gaps where there are some."""
    if 0 < column.missing < store.rows:
        yield _gaps(store, column, axis)
    if column.distinct < 2:
        return
    if column.ordered and column.field.kind == "number" and column.std:
        yield _mean(store, column, axis)
    elif column.grouped and column.levels:
        yield _shares(store, column, axis)


def _gaps(store: Store, column: Content, axis: _Axis) -> Course:
    at = column.field.at
    found = store.rows_of(
        f"SELECT bucket, count(*), count(*) - count({at}) FROM {store.source} GROUP BY bucket"
    )
    n, gaps = axis.table(found, 2).T
    place, before, after = _break(n, gaps[:, None])
    told = f"missing in {share(before[0])} of the rows before, in {share(after[0])} from then on"
    values = _known(gaps / np.maximum(n, 1), n)
    return _course(
        column, "share of missing values", values, abs(after[0] - before[0]), axis, place, told
    )


def _mean(store: Store, column: Content, axis: _Axis) -> Course:
    value = as_number(column.field)
    found = store.rows_of(
        f"SELECT bucket, count({value}), sum({value}) FROM {store.source} GROUP BY bucket"
    )
    n, sums = axis.table(found, 2).T
    place, before, after = _break(n, sums[:, None])
    told = f"{number(float(before[0]))} on average before, {number(float(after[0]))} from then on"
    # Two normal distributions so far apart differ in this share of their rows (total variation).
    distance = abs(after[0] - before[0]) / (column.std or 1.0)
    change = erf(distance / (2 * sqrt(2)))
    return _course(column, "mean", _known(sums / np.maximum(n, 1), n), change, axis, place, told)


def _shares(store: Store, column: Content, axis: _Axis) -> Course:
    names = [name for name, _ in column.levels[:MOST_LEVELS]]
    label = as_label(column.field)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {label} = '{name.replace(chr(39), chr(39) * 2)}')"
        for name in names
    )
    found = store.rows_of(
        f"SELECT bucket, count({column.field.at}), {counts} FROM {store.source} GROUP BY bucket"
    )
    table = axis.table(found, len(names) + 1)
    n, rows = table[:, 0], table[:, 1:]
    place, before, after = _break(n, np.column_stack([rows, n - rows.sum(axis=1)]))
    moved = int(np.argmax(np.abs(after - before)[: len(names)]))
    told = f"{names[moved]} in {share(before[moved])} of the rows before, in {share(after[moved])} from then on"
    values = _known(rows[:, moved] / np.maximum(n, 1), n)
    change = float(np.abs(after - before).sum() / 2)
    return _course(column, f"share of {names[moved]}", values, change, axis, place, told)


def _break(n: Array, sums: Array) -> tuple[int, Array, Array]:
    """The cut with the largest change of the means, weighted so that short ends do not win.

    The weight is that of the CUSUM test for a change of the mean (Page, 1955).
    """
    rows, total = np.cumsum(n)[:-1], n.sum()
    held = np.cumsum(sums, axis=0)[:-1]
    first = held / np.maximum(rows, 1)[:, None]
    second = (sums.sum(axis=0) - held) / np.maximum(total - rows, 1)[:, None]
    weight = np.sqrt(rows * (total - rows)) / max(total, 1)
    at = int(np.argmax(weight * np.abs(second - first).sum(axis=1)))
    return at + 1, first[at], second[at]


def _course(
    column: Content,
    what: str,
    values: tuple[float | None, ...],
    change: float,
    axis: _Axis,
    place: int,
    told: str,
) -> Course:
    return Course(column.name, what, values, float(change), axis.names[place], told)


def _known(values: Array, n: Array) -> tuple[float | None, ...]:
    return tuple(float(v) if rows > 0 else None for v, rows in zip(values, n, strict=True))
