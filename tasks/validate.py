"""Which rows and tables are fit: the charter's rules and the project's suite, row by row.

Great Expectations judges (`tasks/validation/judge.py` is its one door).
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from charter import Charter, Frozen, Verdict
from serving.home import place
from tasks import lake
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.quarantine import Quarantine, quarantine
from tasks.validation.expectation import Expectation
from tasks.validation.further import Standing, together
from tasks.validation.inference import infer
from tasks.validation.panel import Judges, seat
from tasks.validation.rules import charter_expectations
from tasks.validation.shape import conform, known
from tasks.validation.sift import Bench, Sifting, nameless
from tasks.validation.suite import Suite, location, read, write
from tasks.validation.tally import Tally
from tasks.validation.verdicts import facts, verdicts

logger = logging.getLogger(__name__)

EDITION = "2"
"""Part of every fingerprint; raised when the same rows would be judged differently."""


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


@dataclass(frozen=True)
class _Case:
    """What is judged, and by what."""

    charter: Charter
    ingested: Ingested
    suite: str
    drafted: bool
    schema: pa.Schema
    news: Verdict
    expectations: tuple[Expectation, ...]

    @property
    def fingerprint(self) -> str:
        """Of everything that decides which rows are fit."""
        return _digest(EDITION, self.ingested.table.fingerprint, str(self.schema), *self._asked)

    @property
    def law(self) -> str:
        """Of what the rows are judged by, whichever they are."""
        return _digest(EDITION, str(self.schema), *self._asked)

    @property
    def _asked(self) -> list[str]:
        return [one.model_dump_json(exclude={"where"}) for one in self.expectations]

    @property
    def record(self) -> Path:
        """Where the record of this very case is kept."""
        share = str(self.charter.data.quarantine_share)
        case = _digest(
            self.fingerprint, self.ingested.model_dump_json(exclude={"waiting"}), share, self.suite
        )
        return place(f"tables/{self.charter.name}/validated/{case[:16]}.json")


def validate(charter: Charter, ingested: Ingested) -> Validated:
    """Judge the landed rows and write the fit ones to `tables/<name>/table`.

    The suite is inferred where there is none, and used as it stands where there is one. A row
    that breaks a row rule goes to quarantine with all its reasons; a table rule, and too many
    rows in quarantine, stand as failed verdicts. A column that is gone or holds another type, a
    rule that does not fit its column and a suite that cannot be read raise a Refusal.
    """
    case = _case(charter, ingested)
    if (before := _recorded(case)) is not None:
        return before
    standing = Standing(charter, ingested, case.expectations, case.law)
    bench = (ingested.table, case.schema, case.expectations)
    judges = seat(charter, ingested.table.rows - standing.start, Bench, bench)
    with judges, nameless() as spool:
        _take_up(case, standing, judges)
        sifting = Sifting(
            charter, *bench, judges, spool, (standing.start, ingested.table.rows), standing.tallies
        )
        table = standing.write(sifting, case.fingerprint)
        quarantine = _quarantine(charter, case.fingerprint, sifting)
        quarantine = together(quarantine, table)
        logger.info("%s rows are fit, %s in quarantine", f"{table.rows:,}", f"{quarantine.rows:,}")
        return _keep(case, _validated(case, table, quarantine, sifting.tallies, judges))


def _take_up(case: _Case, standing: Standing, judges: Judges[Bench]) -> None:
    """Refuse again what a run refused that was killed before it could keep it."""
    if (span := standing.cut_short) is None:
        return
    assert standing.table is not None
    bench = (case.ingested.table, case.schema, case.expectations)
    with nameless() as spool:
        sifting = Sifting(case.charter, *bench, judges, spool, span)
        sifting.finish()
        _quarantine(case.charter, standing.table.fingerprint, sifting)


def _quarantine(charter: Charter, fingerprint: str, sifting: Sifting) -> Quarantine:
    return quarantine(charter.name, "validate", fingerprint, sifting.batches())


def _case(charter: Charter, ingested: Ingested) -> _Case:
    schema = lake.dataset(ingested.table).schema
    rules = charter_expectations(charter, schema)
    path = location(charter.name)
    drafted = not path.exists() and _draft(charter, ingested, rules, path)
    suite = read(path)
    known(suite.expectations, _all(schema, suite))
    schema, news = conform(charter, ingested, suite, path, rules)
    return _Case(
        charter=charter,
        ingested=ingested,
        suite=str(path),
        drafted=drafted,
        schema=schema,
        news=news,
        expectations=(*suite.expectations, *rules),
    )


def _draft(charter: Charter, ingested: Ingested, rules: Sequence[Expectation], path: Path) -> bool:
    suite = infer(charter, ingested, rules)
    logger.info("%s inferred from %s rows; review it", path, f"{suite.rows:,}")
    return write(suite, path)


def _validated(
    case: _Case,
    table: Table,
    quarantine: Quarantine,
    tallies: list[Tally],
    judges: Judges[Bench],
) -> Validated:
    found = (case.news, *verdicts(case.charter, case.ingested, quarantine, tallies))
    name = case.charter.name
    docs = judges.call(
        _docs,
        f"pages/{name}/docs/{case.record.stem}.html",
        name,
        case.suite,
        facts(case.ingested, table, quarantine, tallies),
        found,
        tallies,
    )
    return Validated(
        table=table,
        quarantine=quarantine,
        suite=case.suite,
        drafted=case.drafted,
        expectations=len(case.expectations),
        docs=docs,
        verdicts=found,
    )


def _docs(_bench: Bench, *given: Any) -> str:
    """Where Great Expectations is imported already."""
    from tasks.validation.docs import write_docs

    return write_docs(*given)


def _recorded(case: _Case) -> Validated | None:
    """The record of an earlier run, if everything that it names is still there."""
    if not case.record.exists():
        return None
    before = Validated.model_validate_json(case.record.read_text(encoding="utf-8"))
    there = lake.find(before.table.where, case.charter.name, case.fingerprint) == before.table
    quarantined = before.quarantine.rows == 0 or place(before.quarantine.where).exists()
    return before if there and quarantined and place(before.docs).exists() else None


def _keep(case: _Case, validated: Validated) -> Validated:
    case.record.parent.mkdir(parents=True, exist_ok=True)
    temporary = case.record.with_name(f".{case.record.name}.{os.getpid()}")
    temporary.write_text(validated.model_dump_json(indent=2), encoding="utf-8")
    temporary.replace(case.record)
    return validated


def _all(schema: pa.Schema, suite: Suite) -> pa.Schema:
    """Columns that the suite knows are missed by the gate for columns, in better words."""
    there = set(schema.names)
    gone = [name for name in suite.columns if name not in there]
    return pa.schema([*schema, *(pa.field(name, pa.null()) for name in gone)])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
