"""Truths on their way into the log, which only grows; each is told apart as it comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from charter import Frozen
from serving.journaling.tables import CONTRADICTION, DUPLICATE, FIRST, feedback, predictions

T = TypeVar("T")

AT_ONCE = 500  # names in one question

Truth = bool | int | float | str
"""A class label or a number, as JSON has it."""


class Receipt(Frozen):
    """What became of truths that came in; each stands in one of the four counts."""

    received: int
    accepted: int
    """The first truth of a prediction that the journal has."""
    duplicates: int
    """The truth that was known already; counts once."""
    contradictions: int
    """Another truth than before; the latest counts, and both stay on record."""
    orphans: int
    """The first truth for an id that no prediction has (yet)."""


def note(
    connection: sa.Connection, project: str, entries: Sequence[tuple[str, Truth]], at: float
) -> Receipt:
    """Append truths in their order; needs the project's writing lock."""
    names = list({name for name, _ in entries})
    last = {name: log[-1][0] for name, log in told(connection, project, names).items()}
    known = _known(connection, project, names)
    rows, counts, orphans = [], [0, 0, 0], 0
    for name, truth in entries:
        text = orjson.dumps(truth).decode()
        kind = _kind(last.get(name), text)
        last[name] = text
        counts[kind] += 1
        orphans += kind == FIRST and name not in known
        rows.append(
            {"project": project, "prediction_id": name, "truth": text, "at": at, "kind": kind}
        )
    if rows:
        connection.execute(sa.insert(feedback), rows)
    return Receipt(
        received=len(entries),
        accepted=counts[FIRST] - orphans,
        duplicates=counts[DUPLICATE],
        contradictions=counts[CONTRADICTION],
        orphans=orphans,
    )


def _kind(before: str | None, now: str) -> int:
    if before is None:
        return FIRST
    return DUPLICATE if before == now else CONTRADICTION


def told(
    connection: sa.Connection, project: str, names: Sequence[str]
) -> dict[str, list[tuple[str, int | None]]]:
    """Every truth (JSON) of these ids with its batch, in order; ids without one are left out."""
    f = feedback.c
    found: dict[str, list[tuple[str, int | None]]] = {}
    for some in chunks(names, AT_ONCE):
        rows = connection.execute(
            sa.select(f.prediction_id, f.truth, f.batch)
            .where(f.project == project, f.prediction_id.in_(some))
            .order_by(f.prediction_id, f.seq)
        )
        for name, truth, batch in rows:
            found.setdefault(name, []).append((truth, batch))
    return found


def found(connection: sa.Connection, project: str, names: Sequence[str]) -> Iterator[Any]:
    """The project's predictions with these ids."""
    for some in chunks(names, AT_ONCE):
        rows = connection.execute(sa.select(predictions).where(predictions.c.id.in_(some)))
        yield from (row for row in rows if row.project == project)


def _known(connection: sa.Connection, project: str, names: Sequence[str]) -> set[str]:
    p = predictions.c
    known = set[str]()
    for some in chunks(names, AT_ONCE):
        rows = connection.execute(sa.select(p.id, p.project).where(p.id.in_(some)))
        known.update(row.id for row in rows if row.project == project)
    return known


class Arrived(Frozen):
    """What became of rows that came with their outcome, without the service."""

    received: int
    fresh: int
    """Those that were not there yet."""


def arrive(
    connection: sa.Connection, project: str, rows: Sequence[tuple[str, str, Truth]], at: float
) -> Arrived:
    """Enter (id, row as JSON, truth) once each; needs the project's writing lock."""
    once = {name: (row, truth) for name, row, truth in rows}
    known = _known(connection, project, list(once))
    fresh = [name for name in once if name not in known]
    if fresh:
        shared = {"project": project, "at": at, "release": 0}
        connection.execute(
            sa.insert(predictions),
            [{**shared, "id": name, "row": once[name][0]} for name in fresh],
        )
        note(connection, project, [(name, once[name][1]) for name in fresh], at)
    return Arrived(received=len(rows), fresh=len(fresh))


def chunks(whole: Iterable[T], size: int) -> Iterator[list[T]]:
    """The whole in pieces of at most `size`."""
    left = iter(whole)
    while some := list(islice(left, size)):
        yield some
