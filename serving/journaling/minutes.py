"""How the service did, minute by minute: requests, refusals, failures and latency."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

import orjson
import sqlalchemy as sa

from serving.journaling.tables import minutes

EDGES = tuple(0.25 * 2 ** (i / 2) for i in range(32))
"""Upper ends of the latency's counts in milliseconds, 0.25 ms to 11.6 s; one more count above."""


class Minute(NamedTuple):
    """One minute of one service process."""

    minute: int
    """Minutes since 1970-01-01T00:00 UTC."""
    instance: str
    requests: int
    refused: int
    """Answered with 4xx: the client was wrong."""
    failed: int
    """Answered with 5xx: the service was wrong."""
    latency: tuple[int, ...]
    """Requests per span of `EDGES`."""


class Tally:
    """Counts the minute that runs; a minute that is over is handed out."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._minute = 0
        self._over: list[Minute] = []
        self._begin(0)

    def _begin(self, minute: int) -> None:
        self._minute = minute
        self._requests = self._refused = self._failed = 0
        self._latency = [0] * (len(EDGES) + 1)

    def count(self, at: float, status: int, milliseconds: float) -> None:
        """One request that was answered at `at` (seconds since 1970)."""
        minute = int(at // 60)
        if minute != self._minute:
            self._close()
            self._begin(minute)
        self._requests += 1
        if status >= 500:
            self._failed += 1
        elif status >= 400:
            self._refused += 1
        self._latency[bisect_left(EDGES, milliseconds)] += 1

    def _close(self) -> None:
        if self._requests:
            counts = (self._requests, self._refused, self._failed)
            self._over.append(Minute(self._minute, self._instance, *counts, tuple(self._latency)))

    def take(self, everything: bool) -> list[Minute]:
        """What is over since the last time, with what runs where `everything` is asked."""
        if everything:
            self._close()
            self._begin(self._minute)
        taken, self._over = self._over, []
        return taken


def add(
    connection: sa.Connection, project: str, found: Iterable[Minute], minutes: sa.Table = minutes
) -> None:
    """Add to what stands there for the minute and instance; needs a writing lock."""
    for one in found:
        here = sa.and_(
            minutes.c.project == project,
            minutes.c.minute == one.minute,
            minutes.c.instance == one.instance,
        )
        row = connection.execute(sa.select(minutes).where(here)).first()
        both = one if row is None else _sum(one, _minute(row))
        values = {**both._asdict(), "latency": orjson.dumps(both.latency).decode()}
        if row is None:
            connection.execute(sa.insert(minutes).values(project=project, **values))
        else:
            connection.execute(sa.update(minutes).where(here).values(**values))


def between(
    connection: sa.Connection, project: str, since: float, until: float, minutes: sa.Table = minutes
) -> list[Minute]:
    """The minutes that began in `since` <= minute < `until` (seconds since 1970)."""
    m = minutes.c
    rows = connection.execute(
        sa.select(minutes)
        .where(m.project == project, m.minute * 60 >= since, m.minute * 60 < until)
        .order_by(m.minute, m.instance)
    )
    return [_minute(row) for row in rows]


def _sum(one: Minute, other: Minute) -> Minute:
    latency = tuple(a + b for a, b in zip(one.latency, other.latency, strict=True))
    return one._replace(
        requests=one.requests + other.requests,
        refused=one.refused + other.refused,
        failed=one.failed + other.failed,
        latency=latency,
    )


def _minute(row: sa.Row[tuple[object, ...]]) -> Minute:
    values = row._mapping
    return Minute(
        values["minute"], values["instance"], values["requests"], values["refused"],
        values["failed"], tuple(orjson.loads(values["latency"])),
    )  # fmt: skip
