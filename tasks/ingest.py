"""From the charter's source to a versioned table."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import Counter
from pathlib import Path

from charter import Charter, Frozen, Refusal, Verdict
from serving.home import place
from tasks import lake
from tasks.ingestion.growth import grow
from tasks.ingestion.incoming import rows_for_scoring
from tasks.ingestion.joins import joined_sources, workbench
from tasks.ingestion.landing import JoinReport, Landing
from tasks.ingestion.named import check_names
from tasks.lake import Table
from tasks.protection.door import Door, counted, door
from tasks.protection.scan import Find
from tasks.quarantine import Quarantine
from tasks.scratch import scratch
from tasks.sources import Source, growing, opened

__all__ = ["Ingested", "JoinReport", "ingest", "rows_for_scoring"]

log = logging.getLogger(__name__)
WAY = 2
"""Counts up when the same input has to land differently."""


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
    new_rows: int | None = None
    """Of a source that grows: the rows that this version brought, the others were there before; None
    where all came at once."""
    anew: str = ""
    """Of a source that grows: why all rows landed anew."""
    waiting: int = 0
    """Of a file that grows: bytes behind the last whole row, which wait for the rest of theirs."""
    verdicts: tuple[Verdict, ...] = ()


def ingest(charter: Charter) -> Ingested:
    """Read, check-cast, join, derive the target, and land the rows in `tables/<name>/landed`.

    Where `data.grows`, only what is new of the source. The same source, joins and target again:
    nothing is read but the bytes to hash, and the same record is given. Rows that cannot be read
    are in quarantine under the stage `ingest`.
    """
    source, joined = opened(charter.data.source), joined_sources(charter)
    landed = _grown if charter.data.grows else _whole
    ingested = landed(charter, source, joined, door(charter))
    check_names(charter, lake.dataset(ingested.table).schema)
    return ingested.model_copy(update={"verdicts": _verdicts(charter, ingested)})


def _whole(charter: Charter, source: Source, joined: list[Source], guard: Door | None) -> Ingested:
    """Everything that the source has now."""
    fingerprint = _fingerprint(charter, source.fingerprint(), joined, guard)
    ingested = _remembered(charter, fingerprint)
    if ingested is not None:
        return ingested
    with scratch("ingest") as room, workbench(charter, room) as connection:
        landing = Landing(charter, [source, *joined], room, connection, guard)
        ingested = _land(landing, fingerprint)
    _remember(charter, fingerprint, ingested)
    _tell(source, ingested)
    return ingested


def _land(landing: Landing, fingerprint: str) -> Ingested:
    table = landing.land(fingerprint)
    return Ingested(
        table=table,
        quarantine=landing.keep(table.fingerprint),
        source_rows=landing.source_rows,
        later_rows=landing.later,
        barred=counted(landing.door),
        found=landing.scanner.finds(),
        joins=tuple(landing.reports()),
    )


def _grown(charter: Charter, source: Source, joined: list[Source], guard: Door | None) -> Ingested:
    """What was there, and what is new (`tasks/ingestion/growth.py`)."""
    grows = growing(source, charter.data.watermark)
    if grows is None:
        raise Refusal(
            "data.grows",
            f"found true for {source.name}, of which nothing tells what is new",
            "wanted a source that grows",
            "Take grows out of the charter: all rows are read each time.",
        )
    options = charter.data.source.model_dump_json(exclude={"path"})
    clauses = _fingerprint(charter, f"{options} {charter.data.watermark}", joined, guard)
    grown = grow(charter, grows, joined, guard, clauses)
    past = grown.past
    ingested = Ingested(
        table=grown.table,
        quarantine=grown.quarantine,
        source_rows=past.source_rows,
        later_rows=past.later_rows,
        barred=past.barred,
        found=past.found,
        joins=past.joins,
        new_rows=None if past.start is None else past.new_rows,
        anew=past.anew,
        waiting=grows.waiting(past.end),
    )
    if grown.fresh:
        _tell(source, ingested)
    return ingested


def _tell(source: Source, ingested: Ingested) -> None:
    landed = ingested.table.rows if ingested.new_rows is None else ingested.new_rows
    log.info("%s: %d rows landed as version %d", source.name, landed, ingested.table.version)


def _fingerprint(charter: Charter, source: str, joined: list[Source], guard: Door | None) -> str:
    """Of the source (what it is said of), and of every clause that changes what lands."""
    data = charter.data
    clauses = {
        "way": WAY,
        "source": source,
        "joins": [
            [source.fingerprint(), join.on, join.columns]
            for join, source in zip(data.joins, joined, strict=True)
        ],
        "until": str(data.until),
        "time": data.time,
        "roles": {name: one.role for name, one in sorted(data.columns.items()) if one.role},
        "found": [
            charter.privacy.found.model_dump(),
            sorted(charter.privacy.declared),
            charter.fairness.sensitive,
        ],
        "target": [charter.goal.target.column, charter.goal.target.made],
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
