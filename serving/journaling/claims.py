"""Batches: what is mature is claimed under a number, and stands under that number for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from charter import Frozen
from serving.journaling.labels import Truth, told
from serving.journaling.tables import batches, feedback, predictions

CHUNK = 10_000

Part = Callable[[sa.Connection, str, int, int], "tuple[list[Entry], int | None]"]

_p, _f, _b = predictions.c, feedback.c, batches.c


class Claim(Frozen):
    """A batch that is to be folded: how many predictions and how many labels it took."""

    number: int
    predictions: int
    labels: int


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


def unfinished(connection: sa.Connection, project: str) -> Claim | None:
    """The batch that was claimed and not folded."""
    row = connection.execute(
        sa.select(batches)
        .where(_b.project == project, _b.folded_at.is_(None))
        .order_by(_b.number)
        .limit(1)
    ).first()
    if row is None:
        return None
    labels = row.firsts + row.duplicates + row.contradictions
    return Claim(number=row.number, predictions=row.predictions, labels=labels)


def claim(
    connection: sa.Connection, project: str, now: float, wait: float, limit: int
) -> Claim | None:
    """Take what is mature under the next number; needs the project's writing lock."""
    latest = sa.select(sa.func.max(_b.number)).where(_b.project == project)
    number = (connection.scalar(latest) or 0) + 1
    count = _take_predictions(connection, project, number, now - wait, limit)
    _take_labels(connection, project, number, limit)
    kinds = dict.fromkeys(range(3), 0)
    found = connection.execute(
        sa.select(_f.kind, sa.func.count())
        .where(_f.project == project, _f.batch == number)
        .group_by(_f.kind)
    )
    kinds.update({row[0]: row[1] for row in found})
    labels = sum(kinds.values())
    if not count and not labels:
        return None
    connection.execute(
        sa.insert(batches).values(
            project=project, number=number, at=now, predictions=count,
            firsts=kinds[0], duplicates=kinds[1], contradictions=kinds[2],
        )
    )  # fmt: skip
    return Claim(number=number, predictions=count, labels=labels)


def _take_predictions(
    connection: sa.Connection, project: str, number: int, before: float, limit: int
) -> int:
    """Unclaimed predictions that have a truth or have waited long enough, oldest first."""
    free = sa.and_(_p.project == project, _p.batch.is_(None))
    answered = (
        sa.select(_p.seq)
        .join(feedback, _f.prediction_id == _p.id)
        .where(free, _f.project == project, _f.batch.is_(None))
    )
    mature = sa.union(answered, sa.select(_p.seq).where(free, _p.at <= before)).subquery()
    chosen = sa.select(mature.c.seq).order_by(mature.c.seq).limit(limit)
    return connection.execute(
        sa.update(predictions).where(_p.seq.in_(chosen)).values(batch=number)
    ).rowcount


def _take_labels(connection: sa.Connection, project: str, number: int, limit: int) -> None:
    """Unclaimed truths of the predictions of this batch, and of those of earlier ones."""
    free = sa.and_(_f.project == project, _f.batch.is_(None))
    take = sa.update(feedback).where(free).values(batch=number)
    ours = sa.select(_p.id).where(_p.project == project, _p.batch == number)
    connection.execute(take.where(_f.prediction_id.in_(ours)))
    late = (
        sa.select(_f.prediction_id)
        .join(predictions, _f.prediction_id == _p.id)
        .where(free, _p.project == project, _p.batch < number)
        .order_by(_f.seq)
        .limit(limit)
    )
    connection.execute(take.where(_f.prediction_id.in_(sa.select(late.subquery().c[0]))))


def fresh(
    connection: sa.Connection, project: str, number: int, after: int
) -> tuple[list[Entry], int | None]:
    """The next predictions of the batch behind `seq` `after`, and where to go on."""
    rows = connection.execute(
        sa.select(predictions)
        .where(_p.project == project, _p.batch == number, _p.seq > after)
        .order_by(_p.seq)
        .limit(CHUNK)
    ).all()
    log = told(connection, project, [row.id for row in rows])
    entries = [_entry(row, _latest(log, row.id, number), False) for row in rows]
    return entries, rows[-1].seq if rows else None


def corrected(
    connection: sa.Connection, project: str, number: int, after: int
) -> tuple[list[Entry], int | None]:
    """The next predictions of earlier batches whose truth this batch changed."""
    touched = sa.select(_f.prediction_id).where(_f.project == project, _f.batch == number)
    rows = connection.execute(
        sa.select(predictions)
        .where(_p.id.in_(touched), _p.project == project, _p.batch < number, _p.seq > after)
        .order_by(_p.seq)
        .limit(CHUNK)
    ).all()
    log = told(connection, project, [row.id for row in rows])
    found = [(row, _latest(log, row.id, number), _latest(log, row.id, number - 1)) for row in rows]
    changed = [_entry(row, truth, True) for row, truth, before in found if truth != before]
    return changed, rows[-1].seq if rows else None


def _latest(log: dict[str, list[tuple[str, int | None]]], name: str, number: int) -> str | None:
    """The last truth that was claimed under this number or an earlier one."""
    claimed = [text for text, batch in log.get(name, ()) if batch is not None and batch <= number]
    return claimed[-1] if claimed else None


def _entry(row: Any, text: str | None, correction: bool) -> Entry:
    truth = None if text is None else orjson.loads(text)
    return Entry(row.id, row.at, row.release, row.row, truth, text is not None, correction)


def walk(read: Callable[[int], tuple[list[Entry], int | None]]) -> Iterator[list[Entry]]:
    """Chunk after chunk of what `read(after)` gives, until there is no more."""
    after: int | None = -1
    while after is not None:
        found, after = read(after)
        if found:
            yield found
