"""What happened at run time comes into the project's log, each row exactly once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import numpy as np

from charter import Charter, Frozen
from charter.runtime import seconds
from serving.journal import Journal
from tasks import lake
from tasks.collection.fold import Folded, fold
from tasks.collection.rows import Reading
from tasks.collection.rules import broken, rules
from tasks.collection.seen import fresh, inputs
from tasks.collection.shape import log_place, log_schema, validated
from tasks.lake import Table
from tasks.progress import report
from tasks.protection.door import Door, counted, door, veil
from tasks.quarantine import Quarantine

log = logging.getLogger(__name__)

LIMIT = 100_000
"""Most predictions of one batch, which bounds the memory."""


class Collected(Frozen):
    """The log as it is now, and what this call brought."""

    project: str
    table: Table | None
    """`tables/<project>/collected`, which only grows: the columns of the validated table,
    `prediction` (text) and `known_at` (time); None where nothing was ever collected."""
    batch: int | None
    """The last batch that was folded; None where nothing was mature."""
    folded: int
    """Rows with their truth, corrections included."""
    unlabelled: int
    """Rows whose truth did not come within `runtime.label_wait`."""
    corrected: int
    """Of these rows: those whose prediction was folded before, with no truth or another one."""
    quarantine: Quarantine
    """Rows that break the suite or the charter's rules, of all batches of this call."""
    barred: dict[str, int] = {}
    """Rows that may not be used (privacy.consent), by reason: neither folded nor in quarantine."""
    waiting: int
    """Predictions that are not mature yet."""
    orphans: int
    """Truths for ids that no prediction has."""
    fresh: int
    """Labelled rows of the log that the live release was not trained on."""


def collect(charter: Charter, now: datetime | None = None) -> Collected:
    """Fold every mature row of the journal into the log; run again, it changes nothing.

    A row is mature once its truth is there or `runtime.label_wait` is over at `now`; where the truth
    is found (`goal.target.sought`) each row is at once, and counts like one with its truth. It gets
    the types of the validated table and is judged by the same suite and rules. A call that was killed
    is finished by the next one. Costs O(new rows), whatever the log holds.
    """
    moment = _seconds(now)
    guard = door(charter)
    with closing(Journal(charter.name)) as journal:
        batches = list(_fold_all(charter, journal, moment, guard))
        counts = journal.counts()
    table = lake.latest(log_place(charter.name), charter.name)
    folded = [one for _, one in batches]
    collected = Collected(
        project=charter.name,
        table=table,
        batch=batches[-1][0] if batches else None,
        folded=sum(one.labelled for one in folded),
        unlabelled=sum(one.unlabelled for one in folded),
        corrected=sum(one.corrected for one in folded),
        quarantine=_together(charter, [one.quarantine for one in folded]),
        barred=counted(guard),
        waiting=counts.waiting,
        orphans=counts.orphans,
        fresh=fresh(charter, table),
    )
    log.info("%d rows folded, %d without truth", collected.folded, collected.unlabelled)
    return collected


def _fold_all(
    charter: Charter, journal: Journal, moment: float, guard: Door | None
) -> Iterator[tuple[int, Folded]]:
    """Batch after batch until nothing is mature."""
    done = 0
    # What is found needs no truth, so none is waited for.
    wait = 0.0 if charter.goal.target.sought else seconds(charter.runtime.label_wait)
    while claim := journal.claim(moment, wait, LIMIT):
        newest = lake.latest(log_place(charter.name), charter.name)
        schema = log_schema(charter, validated(charter), newest)
        reading = Reading(charter, schema, inputs(charter), veil(charter) if guard else None)
        rows = reading.read(claim.number, journal.claimed(claim.number))
        kept = None if guard is None else guard.admitted(rows.table)
        stays = np.ones(len(rows.entries), dtype=bool) if kept is None else np.asarray(kept)
        barred = rows.only(~stays).entries
        rows = rows.only(stays)
        if rows.entries:  # a batch of nothing but duplicates has none
            yield claim.number, fold(charter, rows, broken(rules(charter, schema), rows))
        journal.finish(claim.number)
        if barred:  # behind the mark, which is of all that the batch has
            journal.drop([entry.id for entry in barred])
        done += len(rows.entries)
        report("collect", done, done, f"batch {claim.number}")


def _together(charter: Charter, parts: list[Quarantine]) -> Quarantine:
    filled = [part for part in parts if part.rows]
    reasons = Counter[str]()
    for part in filled:
        reasons.update(part.reasons)
    return Quarantine(
        project=charter.name,
        where=f"tables/{charter.name}/quarantine",
        stage="collect",
        fingerprint=filled[-1].fingerprint if filled else "",
        rows=sum(part.rows for part in filled),
        reasons=dict(reasons.most_common()),
    )


def _seconds(now: datetime | None) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    moment = now or datetime.now(UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
