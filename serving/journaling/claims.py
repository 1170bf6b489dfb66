"""Batches: what is mature is claimed under a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from charter import Frozen
from serving.journaling.labels import AT_ONCE, chunks, found
from serving.journaling.tables import batches, feedback, predictions

PAGE = 1_000

_p, _f, _b = predictions.c, feedback.c, batches.c


class Claim(Frozen):
    """A batch that is to be folded: how many predictions and how many labels it took."""

    number: int
    predictions: int
    labels: int


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
    chosen, late = _chosen(connection, project, now - wait, limit)
    for places in chunks(sorted(chosen), AT_ONCE):
        connection.execute(sa.update(predictions).where(_p.seq.in_(places)).values(batch=number))
    kinds = [0, 0, 0]
    for some in chunks([*chosen.values(), *late], AT_ONCE):
        taken = connection.scalars(
            sa.update(feedback)
            .where(_f.project == project, _f.batch.is_(None), _f.prediction_id.in_(some))
            .values(batch=number)
            .returning(_f.kind)
        )
        for kind in taken:
            kinds[kind] += 1
    count, labels = len(chosen), sum(kinds)
    if not count and not labels:
        return None
    connection.execute(
        sa.insert(batches).values(
            project=project, number=number, at=now, predictions=count,
            firsts=kinds[0], duplicates=kinds[1], contradictions=kinds[2],
        )
    )  # fmt: skip
    return Claim(number=number, predictions=count, labels=labels)


def _chosen(
    connection: sa.Connection, project: str, before: float, limit: int
) -> tuple[dict[int, str], list[str]]:
    """What is mature, and the ids of earlier batches that have an unclaimed truth.

    Mature predictions, `seq` to id, have a truth or are as old as `before`.
    """
    ripe = (
        sa.select(_p.seq, _p.id)
        .where(_p.project == project, _p.batch.is_(None), _p.at <= before)
        .order_by(_p.at, _p.seq)
        .limit(limit)
    )
    chosen = {row.seq: row.id for row in connection.execute(ripe)}
    late: list[str] = []
    for row in _labelled(connection, project):
        if row.batch is not None and len(late) < limit:
            late.append(row.id)
        elif row.batch is None and len(chosen) < limit:
            chosen[row.seq] = row.id
        elif len(late) == len(chosen) == limit:
            break
    return chosen, late


def _labelled(connection: sa.Connection, project: str) -> Iterator[Any]:
    """Predictions with an unclaimed truth, in the order of their ids.

    Asked by id, piece by piece: a planner that knows nothing of the tables yet (PostgreSQL before
    its first statistics) would join what is unclaimed row by row.
    """
    free = sa.and_(_f.project == project, _f.batch.is_(None))
    after = ""
    while True:
        page = sa.select(_f.prediction_id).where(free, _f.prediction_id > after)
        names = connection.scalars(page.order_by(_f.prediction_id).limit(PAGE)).all()
        if not names:
            return
        yield from found(connection, project, list(dict.fromkeys(names)))
        after = names[-1]
