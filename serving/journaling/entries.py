"""What a batch holds: the same for ever, read in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from serving.journaling.labels import Truth, found, told
from serving.journaling.tables import feedback, predictions

CHUNK = 10_000

_p, _f = predictions.c, feedback.c


class Entry(NamedTuple):
    """One prediction of a batch, with the truth that was known when the batch was claimed."""

    id: str
    at: float
    release: int
    row: str
    truth: Truth | None
    known: bool
    correction: bool
    """The prediction was in an earlier batch; its truth is new or another one."""


Part = Callable[[sa.Connection, str, int, Any], tuple[list[Entry], Any]]


def fresh(
    connection: sa.Connection, project: str, number: int, after: Any
) -> tuple[list[Entry], Any]:
    """The next predictions of the batch behind `seq` `after`, and where to go on.

    Compared as a row, so that only the index over all three can be taken, on both databases.
    """
    place = sa.tuple_(_p.project, _p.batch, _p.seq)
    page = connection.execute(
        sa.select(predictions)
        .where(place > _row(project, number, after or 0), _p.batch.is_not(None))
        .order_by(_p.project, _p.batch, _p.seq)
        .limit(CHUNK)
    ).all()
    rows = [row for row in page if (row.project, row.batch) == (project, number)]
    log = told(connection, project, [row.id for row in rows])
    entries = [_entry(row, _latest(log, row.id, number), False) for row in rows]
    return entries, rows[-1].seq if rows else None


def corrected(
    connection: sa.Connection, project: str, number: int, after: Any
) -> tuple[list[Entry], Any]:
    """The next predictions of earlier batches whose truth this batch changed, by id."""
    place = sa.tuple_(_f.project, _f.batch, _f.prediction_id)
    page = connection.execute(
        sa.select(_f.project, _f.batch, _f.prediction_id)
        .where(place > _row(project, number, after or ""), _f.batch.is_not(None))
        .order_by(_f.project, _f.batch, _f.prediction_id)
        .limit(CHUNK)
    ).all()
    touched = list(dict.fromkeys(row[2] for row in page if row[:2] == (project, number)))
    rows = [row for row in found(connection, project, touched) if row.batch < number]
    log = told(connection, project, [row.id for row in rows])
    both = [(row, _latest(log, row.id, number), _latest(log, row.id, number - 1)) for row in rows]
    changed = [_entry(row, truth, True) for row, truth, before in both if truth != before]
    return changed, touched[-1] if touched else None


def _row(*values: object) -> sa.Tuple:
    return sa.tuple_(*map(sa.literal, values))


def _latest(log: dict[str, list[tuple[str, int | None]]], name: str, number: int) -> str | None:
    """The last truth that was claimed under this number or an earlier one."""
    claimed = [text for text, batch in log.get(name, ()) if batch is not None and batch <= number]
    return claimed[-1] if claimed else None


def _entry(row: Any, text: str | None, correction: bool) -> Entry:
    truth = None if text is None else orjson.loads(text)
    return Entry(row.id, row.at, row.release, row.row, truth, text is not None, correction)


def walk(read: Callable[[Any], tuple[list[Entry], Any]]) -> Iterator[list[Entry]]:
    """Chunk after chunk of what `read(after)` gives, until there is no more."""
    page, after = read(None)
    while after is not None:
        if page:
            yield page
        page, after = read(after)
