"""The suite and the charter's rules, as far as a row of run time can be asked about."""

from __future__ import annotations

import pyarrow as pa

from charter import Charter
from tasks.collection.rows import Rows
from tasks.validation.expectation import Expectation
from tasks.validation.judge import Judge
from tasks.validation.rules import charter_expectations
from tasks.validation.suite import location, read
from tasks.validation.whole import AGGREGATES


def rules(charter: Charter, schema: pa.Schema) -> tuple[Expectation, ...]:
    """What the first training data were asked row by row.

    Not the rules about the table as a whole, nor those that compare rows with each other: of rows
    with the same key `renew` takes the latest.
    """
    path = location(charter.name)
    suite = read(path).expectations if path.exists() else ()
    return tuple(
        rule
        for rule in (*suite, *charter_expectations(charter, schema))
        if rule.kind == "row" and not rule.unique and rule.type not in AGGREGATES
        if set(rule.columns) <= set(schema.names)
    )


def broken(expectations: tuple[Expectation, ...], rows: Rows) -> dict[int, list[str]]:
    """Position of each row that breaks rules to the rules, in words; those of its types first.

    A rule counts for rows that carry all of its columns.
    """
    reasons = {position: list(words) for position, words in rows.misfits.items()}
    asked = [
        rule for rule in expectations if all(rows.carried[name].any() for name in rule.columns)
    ]
    if not asked or not rows.entries:
        return reasons
    findings = Judge(asked).judge(rows.table)
    for rule, finding in zip(asked, findings, strict=True):
        for position in [] if finding.positions is None else finding.positions.tolist():
            carries = all(rows.carried[name][position] for name in rule.columns)
            said = reasons.setdefault(position, []) if carries else None
            if said is not None and rule.broken not in said:
                said.append(rule.broken)
    return reasons
