"""From the charter's source to a versioned table."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from charter import Charter, Frozen, Refusal, Verdict
from serving.home import place
from tasks import lake
from tasks.ingestion.derive import Derived
from tasks.ingestion.incoming import gathered, is_early, roles, rows_for_scoring
from tasks.ingestion.joins import Joined, joined_sources, prepare, workbench
from tasks.ingestion.named import check_names
from tasks.lake import Quarantine, Table
from tasks.protection.door import Door, Withholding, counted, door, told
from tasks.protection.found import Cleaning, decide, refuse, scanner, undeclared
from tasks.protection.scan import Find
from tasks.scratch import scratch
from tasks.sources import Source, opened, rows
from tasks.sources.refused import Spool

__all__ = ["Ingested", "JoinReport", "ingest", "rows_for_scoring"]

log = logging.getLogger(__name__)
WAY = 2
"""Counts up when the same input has to land differently."""


class JoinReport(Frozen):
    """What one join of the charter brought."""

    source: str
    on: tuple[str, ...]
    added: tuple[str, ...]
    unmatched: int
    unmatched_share: float
    refused: int = 0
    """Lines of the joined source that are no rows; they are in quarantine as `ingest join <n>`."""


class Ingested(Frozen):
    """The landed table and what did not land."""

    table: Table
    quarantine: Quarantine
    source_rows: int
    later_rows: int = 0
    """Rows at or after `data.until`, left for run time."""
    barred: dict[str, int] = {}
    """Rows that may not be used (privacy.consent), by reason; they are stored nowhere."""
    found: tuple[Find, ...] = ()
    """Columns with personal data that nobody declared, as they came."""
    joins: tuple[JoinReport, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def ingest(charter: Charter) -> Ingested:
    """Read, check-cast, join, derive the target, and land the rows in `tables/<name>/landed`.

    The same source, joins and target again: nothing is read but the bytes to hash, and the same
    record is given. Rows that cannot be read are in quarantine under the stage `ingest`.
    """
    source, joined = opened(charter.data.source), joined_sources(charter)
    guard = door(charter)
    fingerprint = _fingerprint(charter, source, joined, guard)
    ingested = _remembered(charter, fingerprint)
    if ingested is None:
        with scratch("ingest") as room, workbench(charter, room) as connection:
            ingested = _Landing(
                charter, [source, *joined], fingerprint, room, connection, guard
            ).land()
        _remember(charter, fingerprint, ingested)
        log.info(
            "%s: %d of %d rows landed as version %d",
            source.name,
            ingested.table.rows,
            ingested.source_rows,
            ingested.table.version,
        )
    check_names(charter, lake.dataset(ingested.table).schema)
    return ingested.model_copy(update={"verdicts": _verdicts(charter, ingested)})


class _Landing:
    """One pass of the rows from the source into the table."""

    def __init__(
        self,
        charter: Charter,
        sources: list[Source],
        fingerprint: str,
        room: Path,
        connection: duckdb.DuckDBPyConnection,
        guard: Door | None,
    ) -> None:
        self.charter = charter
        self.fingerprint = fingerprint
        self.connection = connection
        self.door = guard
        cleans = charter.privacy.found.action != "refuse"
        self.refused = (Withholding if guard or cleans else Spool)(room / "refused")
        self.sources = sources
        known = roles(charter)
        self.rows = rows(sources[0], known, room, self.refused)
        self.joins = prepare(connection, charter, self.rows.schema, known, room, sources[1:])
        fields = [*self.rows.schema, *(field for join in self.joins for field in join.added)]
        self.schema = pa.schema(fields)
        self.derived: Derived | None = None
        if charter.goal.target.derive is not None:
            self.derived = Derived(connection, charter, self.schema)
            self.schema = self.schema.append(self.derived.field)
        self.landing = self.schema if guard is None else guard.schema(self.schema)
        check_names(charter, self.schema)
        self.scanner = scanner(charter, self.landing)
        self.read = self.later = self.landed = 0

    def land(self) -> Ingested:
        name = self.charter.name
        where = f"tables/{name}/landed"
        table = lake.find(where, name, self.fingerprint)
        if table is None:
            reader = pa.RecordBatchReader.from_batches(self.landing, self._batches())
            table = lake.write(where, name, reader, self.fingerprint)
        if not self.read:  # landed by a run that was killed before it could say so
            for _ in self._batches():
                pass
        found = self.scanner.finds()
        return Ingested(
            table=self._cleaned(table, found),
            quarantine=self._keep("ingest", self.refused),
            source_rows=self.read + self.refused.count,
            later_rows=self.later,
            barred=counted(self.door),
            found=found,
            joins=tuple(self._report(number, join) for number, join in enumerate(self.joins)),
        )

    def _cleaned(self, table: Table, found: tuple[Find, ...]) -> Table:
        """The table without personal data that nobody declared; what held them is removed."""
        cleaning = Cleaning(self.charter, found)
        try:
            refuse(self.charter, found)
            if not cleaning.actions:
                return table
            schema = cleaning.schema(self.landing)
            check_names(self.charter, schema)
            batches = map(cleaning.apply, lake.read(table))
            reader = pa.RecordBatchReader.from_batches(schema, batches)
            said = json.dumps(cleaning.actions, sort_keys=True)
            digest = hashlib.sha256(f"{self.fingerprint}{said}".encode()).hexdigest()
            return lake.write(table.where, self.charter.name, reader, digest)
        finally:
            if found and undeclared(self.charter, found):
                lake.erase(table)
            decide(self.charter.name, cleaning.actions)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in gathered(self.rows.schema, self.rows.batches):
            self.read += batch.num_rows
            if self.charter.data.until is not None:
                early = batch.filter(is_early(self.charter, batch))
                self.later += batch.num_rows - early.num_rows
                batch = early
            if batch.num_rows == 0:
                continue
            for join in self.joins:
                batch = join.apply(self.connection, batch)
            batch = batch if self.derived is None else self.derived.apply(batch)
            batch = batch if self.door is None else self.door.apply(batch)
            self.landed += batch.num_rows
            if batch.num_rows:
                self.scanner.look(batch)
                yield batch
        for source in self.sources:
            source.check_unchanged()
        self._check_landed()

    def _check_landed(self) -> None:
        if self.landed:
            return
        if self.later:
            raise Refusal(
                "data.until",
                f"found all {self.later} rows at or after {self.charter.data.until}",
                "wanted rows before it to learn from",
                "Move data.until to a later day.",
            )
        if self.door is not None and (barred := counted(self.door)):
            raise Refusal(
                "privacy.consent",
                f"found no row that may be used: {told(barred)}",
                f"wanted rows of people who agreed to: {self.charter.privacy.purpose}",
                "Look at privacy.consent, and at what it reads.",
            )
        first = next(self.refused.batches()).slice(0, 1).to_pylist()[0]
        raise Refusal(
            self.sources[0].where,
            f"found no row that can be used; the first: {'; '.join(first['reasons'])} "
            f"({first['record'][:200]})",
            "wanted rows of the header's shape and the declared roles",
            "Correct the file, its delimiter, or data.columns.",
        )

    def _keep(self, stage: str, refused: Spool) -> Quarantine:
        return lake.quarantine(self.charter.name, stage, self.fingerprint, refused.batches())

    def _report(self, number: int, joined: Joined) -> JoinReport:
        return JoinReport(
            source=joined.name,
            on=joined.join.on,
            added=tuple(joined.added.names),
            unmatched=joined.unmatched,
            unmatched_share=joined.unmatched_share,
            refused=self._keep(f"ingest join {number}", joined.refused).rows,
        )


def _fingerprint(charter: Charter, source: Source, joined: list[Source], guard: Door | None) -> str:
    """Of the bytes, and of every clause that changes what lands."""
    data = charter.data
    clauses = {
        "way": WAY,
        "source": source.fingerprint(),
        "joins": [
            [source.fingerprint(), join.on, join.columns]
            for join, source in zip(data.joins, joined, strict=True)
        ],
        "until": str(data.until),
        "time": data.time,
        "roles": {name: column.role for name, column in sorted(data.columns.items())},
        "found": [
            charter.privacy.found.model_dump(),
            sorted(charter.privacy.declared),
            charter.fairness.sensitive,
        ],
        "target": [charter.goal.target.column, charter.goal.target.derive],
    }
    if guard is not None:
        clauses["door"] = guard.fingerprint
    return hashlib.sha256(json.dumps(clauses, sort_keys=True).encode()).hexdigest()


def _note(charter: Charter, fingerprint: str) -> Path:
    return place(f"tables/{charter.name}/ingested/{fingerprint}.json")


def _remembered(charter: Charter, fingerprint: str) -> Ingested | None:
    """What an earlier run said, if its table is still the latest."""
    note = _note(charter, fingerprint)
    if not note.exists():
        return None
    ingested = Ingested.model_validate_json(note.read_text())
    latest = lake.find(ingested.table.where, charter.name, ingested.table.fingerprint)
    return ingested if latest == ingested.table else None


def _remember(charter: Charter, fingerprint: str, ingested: Ingested) -> None:
    note = _note(charter, fingerprint)
    note.parent.mkdir(parents=True, exist_ok=True)
    fresh = note.with_suffix(f".{os.getpid()}.part")
    fresh.write_text(ingested.model_dump_json(indent=2))
    fresh.replace(note)


def _verdicts(charter: Charter, ingested: Ingested) -> tuple[Verdict, ...]:
    """The joins' unmatched shares, and, only to be shown here, the share of unreadable rows."""
    verdicts = [
        Verdict(
            gate=f"data.joins.{number}.unmatched_share",
            passed=report.unmatched_share <= join.unmatched_share,
            message=f"{report.unmatched} rows ({report.unmatched_share:.2%}) have no match in "
            f"{report.source}, at most {join.unmatched_share:.2%} may",
            numbers={"unmatched": report.unmatched, "share": report.unmatched_share},
        )
        for number, (join, report) in enumerate(
            zip(charter.data.joins, ingested.joins, strict=True)
        )
    ]
    refused = Counter({"the source": ingested.quarantine.rows})
    refused.update({report.source: report.refused for report in ingested.joins})
    share = ingested.quarantine.rows / max(ingested.source_rows, 1)
    named = ", ".join(f"{count} of {name}" for name, count in refused.items() if count)
    verdicts.append(
        Verdict(
            gate="data.source",
            passed=not named,
            message=f"rows that cannot be read: {named}" if named else "every row could be read",
            numbers={"refused": ingested.quarantine.rows, "share": share},
            level="warn",
        )
    )
    return tuple(verdicts)
