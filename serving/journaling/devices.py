"""What devices hand over: each record once, whatever was sent again or answered into the void."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from serving.journaling.labels import Truth, note
from serving.journaling.stores import Record
from serving.journaling.tables import devices, predictions

_d, _p = devices.c, predictions.c


class Handed(NamedTuple):
    """One record of a device: a prediction, or a truth, or neither with the reason."""

    n: int
    asked: Record | None = None
    told: tuple[str, Truth] | None = None
    why: str = ""


def receive(
    connection: sa.Connection, project: str, device: str, records: Sequence[Handed], at: float
) -> tuple[int, list[Handed]]:
    """Enter what is new, in order; needs the project's writing lock.

    The highest number that was ever taken from the device, and which of the new ones are not kept.
    """
    mine = sa.and_(_d.project == project, _d.device == device)
    before = connection.scalar(sa.select(_d.taken).where(mine))
    fresh = [one for one in records if one.n > (before or 0)]
    taken = max((one.n for one in fresh), default=before or 0)
    if not fresh:
        return taken, []
    refused = _enter(connection, [one for one in fresh if one.asked])
    note(connection, project, [one.told for one in fresh if one.told], at)
    if before is None:
        connection.execute(sa.insert(devices).values(project=project, device=device, taken=taken))
    else:
        connection.execute(sa.update(devices).where(mine).values(taken=taken))
    return taken, sorted([*refused, *(one for one in fresh if one.why)])


def _enter(connection: sa.Connection, asked: Sequence[Handed]) -> list[Handed]:
    """Insert the predictions; an id that somebody else has is no name for another answer."""
    new: dict[str, Record] = {}
    refused: list[Handed] = []
    named = {one.asked.id for one in asked if one.asked}
    known = set(connection.scalars(sa.select(_p.id).where(_p.id.in_(named))))
    for one in asked:
        assert one.asked
        if one.asked.id in known or one.asked.id in new:
            refused.append(Handed(one.n, why="another prediction has this id"))
        else:
            new[one.asked.id] = one.asked
    if new:
        connection.execute(sa.insert(predictions), [one._asdict() for one in new.values()])
    return refused
