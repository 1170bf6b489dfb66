"""A source that grows: only its new rows land, each once, whenever a run is killed.

How far the source was read is part of the commit that lands the rows, so that rows and place cannot
differ. Refused rows go to quarantine after it, under the commit's fingerprint; where a kill came
between the two, the next run reads that part once more and refuses the same rows. Where the rows
of before are not there any more as they were, or the charter says something else of them, all of
it lands anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa

from charter import Charter, Frozen
from tasks import increment, lake
from tasks.ingestion.incoming import roles
from tasks.ingestion.joins import workbench
from tasks.ingestion.landing import JoinReport, Landing, Onto
from tasks.lake import Table
from tasks.protection.door import Door, counted, total
from tasks.protection.found import decisions, in_words
from tasks.protection.scan import Find
from tasks.quarantine import Quarantine, is_kept
from tasks.scratch import scratch
from tasks.sources import Source
from tasks.sources.growth import Changed, Growing, Held, Place
from tasks.sources.types import NAIVE, UTC

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows have to land differently."""
ATTEMPTS = 20
LAKE = (pa.int64(), pa.float64(), pa.bool_(), pa.string(), NAIVE, UTC)
TYPES = {str(type): type for type in LAKE}


class Past(Frozen):
    """What a commit says of itself, and of all rows of the source up to it."""

    clauses: str
    """SHA-256 of what the charter says of the rows, and of the joined sources."""
    since: int
    """The version that landed all rows, and that the later ones add to."""
    start: dict[str, Any] | None
    end: dict[str, Any]
    columns: dict[str, str]
    """The type that each column of the source has before it passes the door; "" for one that is ignored."""
    empty: tuple[str, ...]
    """Those that no row had a value of."""
    before: int
    """Rows of the source before this part, refused ones included."""
    source_rows: int
    later_rows: int
    barred: dict[str, int]
    """Rows that may not be used (privacy.consent), by reason."""
    looks: dict[str, dict[str, Any]]
    found: tuple[Find, ...]
    """Personal data that nobody declared: what was counted, and what follows from it."""
    new_rows: int
    """Rows that this commit landed."""
    refused: int
    """Rows of this part that were refused."""
    reasons: dict[str, int]
    """Of all rows refused so far."""
    refused_rows: int
    """How many these are."""
    joins: tuple[JoinReport, ...]
    """Of all rows that came by so far."""
    anew: str = ""
    """Why all rows landed anew, where they did."""

    @property
    def joined_rows(self) -> int:
        """How many rows came by the joins."""
        return self.source_rows - self.refused_rows - self.later_rows


class Grown(NamedTuple):
    """The table as it is now, and what it says of itself."""

    table: Table
    past: Past
    fresh: bool
    """Whether this run landed it."""

    @property
    def quarantine(self) -> Quarantine:
        """Of all rows of the source so far."""
        return Quarantine(
            project=self.table.project,
            where=f"tables/{self.table.project}/quarantine",
            stage="ingest",
            fingerprint=self.table.fingerprint,
            rows=self.past.refused_rows,
            reasons=dict(Counter(self.past.reasons).most_common()),
        )


def grow(
    charter: Charter, source: Growing, joined: Sequence[Source], guard: Door | None, clauses: str
) -> Grown:
    """The table with every whole row that the source has now.

    `clauses` stands for what the charter says of the rows, and for the joined sources.
    """
    growth = Growth(charter, source, joined, guard, _digest(WAY, clauses))
    for _ in range(ATTEMPTS):
        if (grown := growth.step()) is not None:
            return grown
    raise TimeoutError(f"{growth.where} was changed by another run, {ATTEMPTS} times in turn")


class Growth:
    """One look at the source, and what follows from it."""

    def __init__(
        self,
        charter: Charter,
        source: Growing,
        joined: Sequence[Source],
        guard: Door | None,
        clauses: str,
    ) -> None:
        self.charter, self.source, self.joined, self.guard = charter, source, joined, guard
        self.clauses = clauses
        self.where = f"tables/{charter.name}/landed"

    def step(self) -> Grown | None:
        """None where another run was quicker: look again."""
        table = lake.latest(self.where, self.charter.name)
        said = None if table is None else increment.grown(table)
        if table is None or said is None:
            return self._whole()
        past = Past.model_validate_json(said)
        if past.clauses != self.clauses:
            return self._whole(
                "the charter says something else of the rows, or a joined source changed"
            )
        if not lake.is_whole(table):
            return self._whole("files of the table are gone")
        try:
            return self._increment(table, past)
        except Changed as changed:
            log.info("%s: all rows land anew, since %s", self.source.name, changed)
            return self._whole(str(changed))

    def _increment(self, table: Table, past: Past) -> Grown | None:
        end = self.source.end(past.end)
        self._take_up(table, past)
        if end == past.end:
            return Grown(table, past, fresh=False)
        with self._landing(past.end, end, self._onto(past, past.source_rows)) as landing:
            if not landing.lands.equals(lake.dataset(table).schema.remove_metadata()):
                raise Changed("the columns have other types now")
            fingerprint = _digest(table.fingerprint, end)
            added = increment.add(
                table, landing.reader(), fingerprint,
                lambda: self._further(landing, past, end).model_dump_json(),
            )  # fmt: skip
            return None if added is None else self._finished(added, landing)

    def _whole(self, why: str = "") -> Grown | None:
        end = self.source.end(None)
        fingerprint = _digest(self.clauses, end)
        with self._landing(None, end) as landing:
            table = landing.land(fingerprint, lambda: self._first(landing, end, why))
            return self._finished(table, landing)

    def _take_up(self, table: Table, past: Past) -> None:
        """Refuse again what a run refused that was killed before it could keep it."""
        stages = ["ingest"] if past.refused else []
        if past.start is None:
            stages += [f"ingest join {n}" for n, join in enumerate(past.joins) if join.refused]
        if all(is_kept(self.charter.name, stage, table.fingerprint) for stage in stages):
            return
        onto = None if past.start is None else self._onto(past, past.before)
        with self._landing(past.start, past.end, onto) as landing:
            landing.finish()
            self._finished(table, landing)

    def _finished(self, table: Table, landing: Landing) -> Grown:
        said = increment.grown(table)
        assert said is not None
        past = Past.model_validate_json(said)
        landing.keep(table.fingerprint, joined=past.start is None)
        return Grown(table, past, fresh=True)

    @contextmanager
    def _landing(
        self, start: Place | None, end: Place, onto: Onto | None = None
    ) -> Iterator[Landing]:
        part = self.source.between(start, end, onto.held if onto else None)
        with scratch("ingest") as room, workbench(self.charter, room) as connection:
            yield Landing(self.charter, [part, *self.joined], room, connection, self.guard, onto)

    def _onto(self, past: Past, before: int) -> Onto:
        ours = pa.schema([(name, TYPES[told]) for name, told in past.columns.items() if told])
        held = Held(ours, frozenset(past.columns), roles(self.charter), frozenset(past.empty))
        return Onto(held, before, past.looks, past.found)

    def _first(self, landing: Landing, end: Place, anew: str) -> str | None:
        """What the commit says that lands all rows; None where they are cleaned before they stay."""
        found = landing.scanner.finds()
        if decisions(self.charter, found) and not landing.cleaning.actions:
            return None
        types = {field.name: str(field.type) for field in landing.rows.schema}
        return Past(
            clauses=self.clauses, since=self._version(), start=None, end=dict(end),
            columns={name: types.get(name, "") for name in landing.rows.columns},
            empty=tuple(sorted(landing.empty)), before=0, source_rows=landing.source_rows,
            later_rows=landing.later, barred=counted(landing.door), looks=dict(landing.scanner.looks),
            found=found, new_rows=landing.landed, refused=landing.refused.count,
            reasons=landing.reasons(), refused_rows=landing.refused.count,
            joins=tuple(landing.reports()), anew=anew,
        ).model_dump_json()  # fmt: skip

    def _further(self, landing: Landing, past: Past, end: Place) -> Past:
        """What the commit says that adds new rows to those of `past`."""
        refused, found = landing.refused.count, landing.scanner.finds()
        if decisions(self.charter, found) != decisions(self.charter, past.found):
            raise Changed(f"personal data that nobody declared: {in_words(found)}")
        return past.model_copy(
            update={
                "start": past.end, "end": dict(end), "before": past.source_rows,
                "empty": tuple(sorted(landing.empty.intersection(past.empty))),
                "source_rows": past.source_rows + landing.source_rows,
                "later_rows": past.later_rows + landing.later,
                "barred": total(past.barred, counted(landing.door)),
                "looks": dict(landing.scanner.looks), "found": found,
                "new_rows": landing.landed,
                "refused": refused,
                "reasons": dict(Counter(past.reasons) + Counter(landing.reasons())),
                "refused_rows": past.refused_rows + refused,
                "joins": tuple(landing.reports(past.joins, past.joined_rows)),
                "anew": "",
            }
        )  # fmt: skip

    def _version(self) -> int:
        """That a full landing is about to have."""
        table = lake.latest(self.where, self.charter.name)
        return 1 if table is None else table.version + 1


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
