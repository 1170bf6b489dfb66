"""Values far from all others."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.exploration.outliers import FAR, Outliers
from tasks.exploration.sections.columns import MOST_LINES, rest
from tasks.pages import Section, blocks, tables
from tasks.pages.blocks import code
from tasks.pages.figures import number, share

MOST_CODES = 20
"""Suspected codes with a notice of their own; the table has the others."""


def section(charter: Charter, found: Findings) -> Section:
    """Suspected codes first, then the columns with far values."""
    if not found.outliers:
        return Section("Unusual values", "No number lies far away from the others of its column.")
    coded = [far for far in found.outliers if far.code is not None]
    lead = _lead(found.outliers)
    rows = [_line(far) for far in found.outliers[:MOST_LINES]]
    heads = ("Column", "Usual range", "Smallest", "Largest", "Rows beyond", "Share", "What it is")
    table = tables.table("Values beyond the usual range", heads, rows)
    left = rest(len(found.outliers) - MOST_LINES, "columns that stand out less")
    note = blocks.prose(
        f"Usual is what lies within {FAR:g} times the spread of the middle half of the rows. "
        "Columns in which more than half of the rows share one value have no such range."
    )
    return Section(
        "Unusual values", lead, blocks.stack(*map(_code, coded[:MOST_CODES]), table, left, note)
    )


def _lead(outliers: Sequence[Outliers]) -> str:
    tails = sum(far.tail for far in outliers)
    rare = len(outliers) - tails
    parts = [f"{_columns(rare)} rare far values"] if rare else []
    parts += [f"{_columns(tails)} a long tail, which is a shape and no fault"] if tails else []
    return f"{'; '.join(parts)}."


def _columns(count: int) -> str:
    return f"{number(count)} {'column has' if count == 1 else 'columns have'}"


def _line(far: Outliers) -> tuple[str, ...]:
    what = "a code?" if far.code is not None else "a long tail" if far.tail else "rare far values"
    return (
        far.column,
        f"{number(far.low_fence)} to {number(far.high_fence)}",
        number(far.lowest),
        number(far.highest),
        number(far.below + far.above),
        share(far.share),
        what,
    )


def _code(far: Outliers) -> Markup:
    heading = f"{far.column}: is {number(far.code)} a code for a missing value?"
    said = blocks.join(
        [f"It stands in {number(far.code_rows)} rows, far from all other values. If it is one, "
         "clear it in the source or name it in ", code("data.source.missing"), "; if such a value cannot be, "
         "add a rule to ", code("data.rules"), f": {{column: {far.column}, between: […]}}."]
    )  # fmt: skip
    return blocks.notice("warn", heading, blocks.prose(said))
