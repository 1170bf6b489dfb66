"""One person out of the journal, so that not even freed pages hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from serving.journaling.database import Database
from serving.journaling.tables import (
    CONTRADICTION,
    DUPLICATE,
    FIRST,
    batches,
    devices,
    feedback,
    predictions,
)

_p, _f, _b, _d = predictions.c, feedback.c, batches.c, devices.c
KINDS = {FIRST: _b.firsts, DUPLICATE: _b.duplicates, CONTRADICTION: _b.contradictions}
CHUNK = 500
LEAST = 6
"""Characters of a text from which on it is looked for inside of a device's name."""


def erase(
    database: Database, project: str, hints: Sequence[str], theirs: Callable[[dict[str, Any]], bool]
) -> int:
    """Delete the predictions whose row is theirs, with their truths; gives how many.

    `hints` are texts of which such a row has one; devices that are called so go, too. SQLite overwrites what it deletes and the log
    before it, PostgreSQL writes the tables anew.
    """
    with database.writing(project) as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        names = _theirs(connection, project, hints, theirs)
        for start in range(0, len(names), CHUNK):
            _delete(connection, project, _p.id.in_(names[start : start + CHUNK]))
        connection.execute(sa.delete(devices).where(_d.project == project, _called(hints)))
    _clear(database)
    return len(names)


def _called(hints: Sequence[str]) -> sa.ColumnElement[bool]:
    within = [_d.device.contains(one, autoescape=True) for one in hints if len(one) >= LEAST]
    return sa.or_(_d.device.in_(hints), *within)


def _theirs(
    connection: sa.Connection, project: str, hints: Sequence[str],
    theirs: Callable[[dict[str, Any]], bool],
) -> list[str]:  # fmt: skip
    near = sa.or_(*(_p.row.contains(hint, autoescape=True) for hint in hints))
    found = connection.execute(sa.select(_p.id, _p.row).where(_p.project == project, near))
    return [name for name, row in found if theirs(orjson.loads(row))]


def drop(database: Database, project: str, names: Sequence[str]) -> None:
    """Delete the predictions with these ids, with their truths; SQLite overwrites them at once."""
    with database.writing(project) as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        for start in range(0, len(names), CHUNK):
            _delete(connection, project, _p.id.in_(names[start : start + CHUNK]))


def expire(database: Database, project: str, before: float) -> int:
    """Delete predictions from before this moment, with their truths; gives how many."""
    with database.writing(project) as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        gone = _delete(connection, project, _p.at < before)
    if gone or database.is_sqlite:  # what an earlier try could not clear, too
        _clear(database)
    return gone


def _delete(connection: sa.Connection, project: str, which: sa.ColumnElement[bool]) -> int:
    """The project's predictions that are meant, and their truths; gives how many predictions.

    Batches hold what they have left, since `counts` goes by them.
    """
    mine = sa.and_(_p.project == project, which)
    theirs = sa.and_(_f.project == project, _f.prediction_id.in_(sa.select(_p.id).where(mine)))
    told = sa.select(_f.batch, _f.kind, sa.func.count()).where(theirs, _f.batch.is_not(None))
    for batch, kind, count in connection.execute(told.group_by(_f.batch, _f.kind)).all():
        _lower(connection, project, batch, KINDS[kind], count)
    asked = sa.select(_p.batch, sa.func.count()).where(mine, _p.batch.is_not(None))
    for batch, count in connection.execute(asked.group_by(_p.batch)).all():
        _lower(connection, project, batch, _b.predictions, count)
    connection.execute(sa.delete(feedback).where(theirs))
    return int(connection.execute(sa.delete(predictions).where(mine)).rowcount)


def _lower(
    connection: sa.Connection, project: str, number: int, column: sa.Column[Any], by: int
) -> None:
    mine = sa.and_(_b.project == project, _b.number == number)
    connection.execute(sa.update(batches).where(mine).values({column: column - by}))


def left(database: Database, project: str, hints: Sequence[str]) -> int:
    """Rows, and names of devices, that still hold one of the texts."""
    near = [_p.row.contains(hint, autoescape=True) for hint in hints]
    near += [_p.answer.contains(hint, autoescape=True) for hint in hints]
    with database.reading() as connection:
        query = sa.select(sa.func.count()).where(_p.project == project, sa.or_(*near))
        named = sa.select(sa.func.count()).where(_d.project == project, _called(hints))
        return sum(int(connection.scalar(one) or 0) for one in (query, named))


def _clear(database: Database) -> None:
    """Nothing of what was deleted stays in the log or in pages."""
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        if database.is_sqlite:
            raw = plain.connection.dbapi_connection
            assert raw is not None
            (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise TimeoutError(
                    f"{database.url.database}: another program has been reading since before the "
                    "deletion, so what was deleted still stands in the log. End it and run again."
                )
        else:
            for table in (predictions.name, feedback.name, devices.name):
                plain.exec_driver_sql(f"VACUUM (FULL) {table}")
