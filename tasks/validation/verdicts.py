"""What was found, as verdicts: one per table rule, one for all row rules, one per warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from charter import Charter, Verdict
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.pages import Fact
from tasks.quarantine import Quarantine
from tasks.validation.expectation import Expectation
from tasks.validation.tally import Tally


def verdicts(
    charter: Charter, ingested: Ingested, quarantine: Quarantine, tallies: Sequence[Tally]
) -> Iterator[Verdict]:
    """Every verdict but that of the columns."""
    yield from (_one(tally, "fail") for tally in tallies if tally.expectation.kind == "table")
    yield _rows(ingested, quarantine, tallies)
    yield _share(charter, ingested, quarantine)
    yield from _warnings([tally for tally in tallies if tally.expectation.kind == "warning"])


def facts(
    ingested: Ingested, table: Table, quarantine: Quarantine, tallies: Sequence[Tally]
) -> list[Fact]:
    """What is read first on the page."""
    asked = len(tallies)
    met = sum(tally.met for tally in tallies)
    return [
        Fact("Rows judged", f"{ingested.table.rows:,}"),
        Fact("Fit", f"{table.rows:,}"),
        Fact("In quarantine", f"{quarantine.rows:,}", _reasons(quarantine, 1)),
        Fact("Expectations met", f"{met} of {asked}"),
    ]


def _one(tally: Tally, level: Literal["warn", "fail"]) -> Verdict:
    return Verdict(
        gate=f"validate.{_name(tally.expectation)}",
        passed=tally.met,
        message=tally.message,
        numbers=_numbers(tally),
        level=level,
    )


def _rows(ingested: Ingested, quarantine: Quarantine, tallies: Sequence[Tally]) -> Verdict:
    rules = sum(tally.expectation.kind == "row" for tally in tallies)
    rows, refused = ingested.table.rows, quarantine.rows
    message = f"all {rows:,} rows keep the {rules} row rules"
    if refused:
        share = refused / max(rows, 1)
        broke = f"{refused:,} of {rows:,} rows ({share:.2%}) broke a row rule"
        message = f"{broke} and went to quarantine: {_reasons(quarantine, 5)}"
    return Verdict(
        gate="validate.rows",
        passed=refused == 0,
        message=message,
        numbers={"rows": rows, "refused": refused, "rules": rules},
        level="warn",
    )


def _share(charter: Charter, ingested: Ingested, quarantine: Quarantine) -> Verdict:
    """Of the rows that this run is about: those left for run time are in neither number."""
    refused = ingested.quarantine.rows + quarantine.rows
    rows = ingested.table.rows + ingested.quarantine.rows
    share, allowed = refused / max(rows, 1), charter.data.quarantine_share
    left = ingested.table.rows - quarantine.rows
    message = f"{refused:,} of {rows:,} rows are in quarantine ({share:.2%}, allowed {allowed:.2%})"
    return Verdict(
        gate="charter.data.quarantine_share",
        passed=share <= allowed and left > 0,
        message=message if left else f"{message}; no row is left",
        numbers={"share": share, "allowed": allowed, "refused": refused, "rows": rows},
    )


def _warnings(tallies: Sequence[Tally]) -> Iterator[Verdict]:
    """One for each that has something to say, and one for all that have not."""
    quiet = [tally for tally in tallies if tally.met]
    yield from (_one(tally, "warn") for tally in tallies if not tally.met)
    if quiet:
        yield Verdict(
            gate="validate.warnings",
            passed=True,
            message=f"{len(quiet)} of {len(tallies)} warnings have nothing to say",
            numbers={"quiet": len(quiet), "warnings": len(tallies)},
            level="warn",
        )


def _numbers(tally: Tally) -> dict[str, float]:
    if tally.by_row:
        return {"rows": tally.elements, "broken": tally.broken}
    value = tally.observed.get("observed_value")
    return {"found": float(value)} if isinstance(value, (int, float)) else {}


def _name(expectation: Expectation) -> str:
    subject = "_".join(map(str, expectation.columns)) or "table"
    said = expectation.type.removeprefix("expect_")
    for prefix in ("column_values_to_", "table_", "column_"):
        said = said.removeprefix(prefix)
    return f"{subject}.{said}"


def _reasons(quarantine: Quarantine, shown: int) -> str:
    ordered = list(quarantine.reasons.items())
    said = ", ".join(f"{reason} ({rows:,})" for reason, rows in ordered[:shown])
    return f"{said} and {len(ordered) - shown} more" if len(ordered) > shown else said
