"""The page of exploration: what to read first, then the evidence."""

from __future__ import annotations

from collections.abc import Callable

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.exploration.headlines import headlines, target_fact
from tasks.exploration.sections import (
    associations,
    columns,
    leaks,
    method,
    missing,
    outliers,
    relations,
    repeats,
    target,
    time,
)
from tasks.lake import Table
from tasks.pages import Fact, Section, blocks, render, siblings
from tasks.pages.figures import moment, number, share

PARTS: tuple[Callable[[Charter, Findings], Section | None], ...] = (
    leaks.section,
    target.section,
    relations.section,
    columns.section,
    outliers.section,
    missing.section,
    repeats.section,
    associations.section,
    time.section,
    method.section,
)


def report(charter: Charter, table: Table, found: Findings) -> str:
    """The whole page."""
    return render(
        title="What the data look like",
        subtitle=charter.goal.question or f"What tells {found.truth.field.name}?",
        project=charter.name,
        facts=_facts(charter, found),
        sections=[
            Section("What to read first", "", blocks.points(headlines(found))),
            *(section for part in PARTS if (section := part(charter, found))),
        ],
        links=siblings("Profile", charter.name),
        footer=f"Table {table.where}, version {table.version}, fingerprint {table.fingerprint[:16]}.",
    )


def _facts(charter: Charter, found: Findings) -> list[Fact]:
    cells = found.rows * len(found.columns)
    missing = sum(column.missing for column in found.columns)
    gappy = sum(column.missing > 0 for column in found.columns)
    return [
        Fact("Rows looked at", number(found.rows), _looked_at(charter, found)),
        Fact("Columns", number(len(found.columns)), _kinds(found)),
        target_fact(found),
        Fact(
            "Missing values",
            share(missing / cells),
            f"in {number(gappy) if gappy else 'none'} of the columns",
        ),
        Fact(
            "Suspected leaks",
            number(len(found.suspects)),
            f"{number(len(charter.data.known_later))} columns declared known later",
        ),
    ]


def _looked_at(charter: Charter, found: Findings) -> str:
    """Which rows these are, and how many nobody looked at."""
    notes = [_span(charter, found)]
    if found.rows < found.outside:
        notes.append(f"drawn from {number(found.outside)}")
    notes.append(f"{number(found.held)} more held out" if found.held else "")
    return ", ".join(note for note in notes if note)


def _span(charter: Charter, found: Findings) -> str:
    timed = [c for c in found.columns if c.name == charter.data.time and c.field.kind == "time"]
    if not timed or timed[0].low is None or timed[0].high is None:
        return ""
    return f"{moment(timed[0].low)[:10]} to {moment(timed[0].high)[:10]}"


def _kinds(found: Findings) -> str:
    numbers = sum(column.ordered for column in found.columns)
    groups = sum(column.grouped for column in found.columns)
    return f"{number(numbers)} numbers and times, {number(groups)} grouping{'' if groups == 1 else 's'}"
