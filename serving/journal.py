"""The journal: a durable record of predictions and of what turned out to be true.

One database for all projects. Predictions come in through the service (`serving/journaling/
writers.py`), truths as feedback, and rows with outcomes without the service. What is mature is
claimed in numbered batches, each of which says the same for ever:

    journal = Journal("flights")
    while claim := journal.claim(now, wait):
        for entries in journal.claimed(claim.number):
            ...                      # write them somewhere, under that number
        journal.finish(claim.number)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from charter import Frozen
from serving.journaling import claims, devices, entries, erasure, labels, minutes
from serving.journaling.claims import Claim
from serving.journaling.database import Database, Durable, address
from serving.journaling.devices import Handed
from serving.journaling.entries import CHUNK, Entry
from serving.journaling.labels import Arrived, Receipt, Truth
from serving.journaling.minutes import Minute
from serving.journaling.tables import (
    CONTRADICTION,
    DUPLICATE,
    FIRST,
    arms,
    batches,
    feedback,
    predictions,
)

__all__ = ["Arrived", "Claim", "Counts", "Entry", "Journal", "Minute", "Receipt", "Seen", "Truth"]

_p, _f, _b = predictions.c, feedback.c, batches.c


class Counts(Frozen):
    """What the journal of a project holds."""

    predictions: int
    waiting: int
    """Predictions that are not folded yet."""
    folded: int
    labelled: int
    """Predictions whose truth is known."""
    orphans: int
    """Ids for which a truth came, but that no prediction has."""
    duplicates: int
    """Truths that came again."""
    contradictions: int
    """Truths that replaced another one."""


class Seen(NamedTuple):
    """One prediction as the monitor sees it, with the truth that is known now."""

    id: str
    at: float
    release: int
    """0 where the row came without the service; then there is no answer."""
    row: str
    answer: str | None
    truth: Truth | None


class Journal:
    """The journal of one project; `url` by default PERENNIAL_JOURNAL_URL, or SQLite at home.

    Every method is a transaction, or several short ones where it gives chunks. Times are seconds
    since 1970, UTC. Safe to use from several processes and threads.
    """

    def __init__(
        self, project: str, url: str | None = None, durable: Durable = "power", pool: bool = False
    ) -> None:
        self.project = project
        self._database = Database(address(url), durable, pool)

    def feedback(self, entries: Sequence[tuple[str, Truth]], at: float) -> Receipt:
        """Append truths, each with the id of its prediction; the latest of an id counts."""
        with self._database.writing(self.project) as connection:
            return labels.note(connection, self.project, entries, at)

    def arrive(self, rows: Sequence[tuple[str, str, Truth]], at: float) -> Arrived:
        """Enter rows that came with their outcome: (id, row as JSON, truth), once per id.

        `serving.journaling.ids.derived` makes an id of where the row stands.
        """
        with self._database.writing(self.project) as connection:
            return labels.arrive(connection, self.project, rows, at)

    def receive(
        self, device: str, records: Sequence[Handed], at: float
    ) -> tuple[int, list[Handed]]:
        """Enter what a device hands over, each record once: the highest number that was ever taken
        from it, and which of the new ones are not kept."""
        with self._database.writing(self.project) as connection:
            return devices.receive(connection, self.project, device, records, at)

    def claim(self, now: float, wait: float, limit: int = 100_000) -> Claim | None:
        """The batch to fold now; None where nothing is mature.

        A batch that was claimed and not finished is given again. Otherwise the next number takes
        predictions that have a truth or are older than `wait` seconds, at most `limit` of them,
        and the truths of these and of at most `limit` predictions of earlier batches.
        """
        with self._database.writing(self.project) as connection:
            return claims.unfinished(connection, self.project) or claims.claim(
                connection, self.project, now, wait, limit
            )

    def claimed(self, number: int) -> Iterator[list[Entry]]:
        """The entries of a batch, in chunks of at most 10,000; for ever the same for a number."""

        def read(part: entries.Part, after: Any) -> tuple[list[Entry], Any]:
            with self._database.reading() as connection:
                return part(connection, self.project, number, after)

        return chain(
            entries.walk(lambda after: read(entries.fresh, after)),
            entries.walk(lambda after: read(entries.corrected, after)),
        )

    def finish(self, number: int) -> None:
        """Mark a batch as folded; nothing happens where it is."""
        with self._database.writing(self.project) as connection:
            connection.execute(
                sa.update(batches)
                .where(_b.project == self.project, _b.number == number, _b.folded_at.is_(None))
                .values(folded_at=time.time())
            )

    def counts(self) -> Counts:
        """What there is; costs as much as is not claimed yet, however much is."""
        with self._database.reading() as connection:
            return _counts(connection, self.project)

    def unfolded(self) -> float | None:
        """When the oldest prediction came that no batch has; None where all are claimed."""
        query = sa.select(sa.func.min(_p.at)).where(_p.project == self.project, _p.batch.is_(None))
        with self._database.reading() as connection:
            found: float | None = connection.scalar(query)
            return found

    def window(self, since: float, until: float) -> Iterator[list[Seen]]:
        """Predictions of `since` <= at < `until` in order of time, in chunks of at most 10,000."""
        last = (since, -1)
        while True:
            with self._database.reading() as connection:
                rows = _page(connection, self.project, last, until)
                log = labels.told(connection, self.project, [row.id for row in rows])
            if not rows:
                return
            last = (rows[-1].at, rows[-1].seq)
            yield [_seen(row, log.get(row.id)) for row in rows]

    def latest(self, limit: int) -> list[Seen]:
        """The predictions that the last `limit` truths are about, each with what is known now."""
        query = sa.select(_f.prediction_id).where(_f.project == self.project)
        with self._database.reading() as connection:
            named = connection.scalars(query.order_by(_f.seq.desc()).limit(limit))
            names = list(dict.fromkeys(named))
            log = labels.told(connection, self.project, names)
            rows = labels.found(connection, self.project, names)
            return [_seen(row, log.get(row.id)) for row in rows]

    def minutes(self, since: float, until: float) -> list[Minute]:
        """How the service did in the minutes that began in `since` <= minute < `until`."""
        with self._database.reading() as connection:
            return minutes.between(connection, self.project, since, until)

    def add_minutes(self, found: Sequence[Minute], tried: Sequence[Minute] = ()) -> None:
        """Enter what a service counted; `tried`: of each release by itself, while there are two."""
        with self._database.writing(self.project) as connection:
            minutes.add(connection, self.project, found)
            minutes.add(connection, self.project, tried, arms)

    def arm(self, release: int, since: float, until: float) -> list[Minute]:
        """The same of the answers of one release, while another one was tried beside it."""
        with self._database.reading() as connection:
            found = minutes.between(connection, self.project, since, until, arms)
        return [minute for minute in found if minute.instance.startswith(f"{release} ")]

    def erase(self, hints: Sequence[str], theirs: Callable[[dict[str, Any]], bool]) -> int:
        """Delete every prediction whose row is theirs, with its truths, beyond recovery; how many.

        `hints` are texts of which such a row has one.
        """
        return erasure.erase(self._database, self.project, hints, theirs)

    def drop(self, names: Sequence[str]) -> None:
        """Delete the predictions with these ids, with their truths."""
        erasure.drop(self._database, self.project, names)

    def expire(self, before: float) -> int:
        """Delete predictions from before this moment, with their truths, beyond recovery; how many."""
        return erasure.expire(self._database, self.project, before)

    def left(self, hints: Sequence[str]) -> int:
        """Predictions and devices that hold one of the texts."""
        return erasure.left(self._database, self.project, hints)

    def close(self) -> None:
        """Give back the connections that are kept open."""
        self._database.close()


def _page(
    connection: sa.Connection, project: str, last: tuple[float, int], until: float
) -> list[sa.Row[Any]]:
    """The next chunk behind `last` (at, seq), from both partial indexes."""
    behind = sa.tuple_(_p.at, _p.seq) > sa.tuple_(sa.literal(last[0]), sa.literal(last[1]))
    rows: list[sa.Row[Any]] = []
    for part in (_p.batch.is_(None), _p.batch.is_not(None)):
        query = sa.select(predictions).where(_p.project == project, part)
        query = query.where(_p.at >= last[0], _p.at < until, behind)
        rows += connection.execute(query.order_by(_p.at, _p.seq).limit(CHUNK))
    return sorted(rows, key=lambda row: (row.at, row.seq))[:CHUNK]


def _seen(row: Any, log: list[tuple[str, int | None]] | None) -> Seen:
    truth = orjson.loads(log[-1][0]) if log else None
    return Seen(row.id, row.at, row.release, row.row, row.answer, truth)


def _counts(connection: sa.Connection, project: str) -> Counts:
    folded = sa.case((_b.folded_at.is_not(None), _b.predictions), else_=0)
    sums = (folded, _b.predictions, _b.firsts, _b.duplicates, _b.contradictions)
    done, taken, *told = connection.execute(
        sa.select(*(sa.func.coalesce(sa.func.sum(one), 0) for one in sums)).where(
            _b.project == project
        )
    ).one()
    free = sa.and_(_f.project == project, _f.batch.is_(None))
    unclaimed = sa.select(sa.func.count()).where(_p.project == project, _p.batch.is_(None))
    kinds = sa.select(_f.kind, sa.func.count()).where(free).group_by(_f.kind)
    new = {row[0]: row[1] for row in connection.execute(kinds)}
    owner = sa.exists().where(_p.id == _f.prediction_id, _p.project == project)
    lone = sa.select(sa.func.count()).where(free, _f.kind == FIRST, ~owner)
    total = int(taken) + (connection.scalar(unclaimed) or 0)
    orphans = connection.scalar(lone) or 0
    firsts, duplicates, contradictions = (
        int(one) + new.get(kind, 0)
        for one, kind in zip(told, (FIRST, DUPLICATE, CONTRADICTION), strict=True)
    )
    return Counts(
        predictions=total, waiting=total - int(done), folded=int(done),
        labelled=firsts - orphans, orphans=orphans,
        duplicates=duplicates, contradictions=contradictions,
    )  # fmt: skip
