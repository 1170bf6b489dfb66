"""From the charter's source to a versioned table."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from tasks.lake import Quarantine, Table


class JoinReport(Frozen):
    """What one join of the charter brought."""

    source: str
    on: tuple[str, ...]
    added: tuple[str, ...]
    unmatched: int
    unmatched_share: float


class Ingested(Frozen):
    """The landed table and what did not land."""

    table: Table
    quarantine: Quarantine
    source_rows: int
    later_rows: int = 0
    """Rows at or after `data.until`, left for run time."""
    joins: tuple[JoinReport, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def ingest(charter: Charter) -> Ingested:
    """Read, check-cast, join, derive the target, and land the rows in `tables/<name>/landed`."""
    raise NotImplementedError
