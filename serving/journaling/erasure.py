"""One person out of the journal, so that not even freed pages hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from serving.journaling.database import Database
from serving.journaling.tables import feedback, predictions

_p, _f = predictions.c, feedback.c
CHUNK = 500


def erase(
    database: Database, project: str, hints: Sequence[str], theirs: Callable[[dict[str, Any]], bool]
) -> int:
    """Delete the predictions whose row is theirs, with their truths; gives how many.

    `hints` are texts of which such a row has one. SQLite overwrites what it deletes and the log
    before it, PostgreSQL writes the tables anew.
    """
    with database.writing(project) as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        names = _theirs(connection, project, hints, theirs)
        for start in range(0, len(names), CHUNK):
            some = names[start : start + CHUNK]
            connection.execute(
                sa.delete(feedback).where(_f.project == project, _f.prediction_id.in_(some))
            )
            connection.execute(sa.delete(predictions).where(_p.id.in_(some)))
    _clear(database)
    return len(names)


def _theirs(
    connection: sa.Connection, project: str, hints: Sequence[str],
    theirs: Callable[[dict[str, Any]], bool],
) -> list[str]:  # fmt: skip
    near = sa.or_(*(_p.row.contains(hint, autoescape=True) for hint in hints))
    found = connection.execute(sa.select(_p.id, _p.row).where(_p.project == project, near))
    return [name for name, row in found if theirs(orjson.loads(row))]


def expire(database: Database, project: str, before: float) -> int:
    """Delete predictions from before this moment, with their truths; gives how many."""
    with database.writing(project) as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        old = sa.select(_p.id).where(_p.project == project, _p.at < before)
        connection.execute(
            sa.delete(feedback).where(_f.project == project, _f.prediction_id.in_(old))
        )
        gone = connection.execute(
            sa.delete(predictions).where(_p.project == project, _p.at < before)
        ).rowcount
    if gone:
        _clear(database)
    return int(gone)


def left(database: Database, project: str, hints: Sequence[str]) -> int:
    """Rows that still hold one of the texts."""
    near = [_p.row.contains(hint, autoescape=True) for hint in hints]
    near += [_p.answer.contains(hint, autoescape=True) for hint in hints]
    with database.reading() as connection:
        query = sa.select(sa.func.count()).where(_p.project == project, sa.or_(*near))
        return int(connection.scalar(query) or 0)


def _clear(database: Database) -> None:
    """Nothing of what was deleted stays in the log or in pages."""
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        if database.is_sqlite:
            raw = plain.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for table in (predictions.name, feedback.name):
                plain.exec_driver_sql(f"VACUUM (FULL) {table}")
