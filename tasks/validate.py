"""The one door to Great Expectations: which rows and tables are fit."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from tasks.ingest import Ingested
from tasks.lake import Quarantine, Table


class Validated(Frozen):
    """The rows that are fit, and the evidence."""

    table: Table
    quarantine: Quarantine
    suite: str
    """Path of the suite, relative to the working directory: `configs/expectations/<name>.json`."""
    drafted: bool
    """Whether the suite was inferred in this run, for people to review."""
    expectations: int
    docs: str
    """The Data Docs page, relative to the root."""
    verdicts: tuple[Verdict, ...]


def validate(charter: Charter, ingested: Ingested) -> Validated:
    """Judge the landed rows and write the fit ones to `tables/<name>/table`."""
    raise NotImplementedError
