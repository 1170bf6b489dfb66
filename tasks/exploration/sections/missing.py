"""How much is missing where, what is missing together, and whether that tells something."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.exploration.gaps import ALIKE, together
from tasks.exploration.telling import Telling
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.figures import number, share

MOST_BARS = 20
MOST_LINES = 12
MOST_NAMES = 4


def section(charter: Charter, found: Findings) -> Section:
    """Gaps per column, in patterns of whole rows, and against the target."""
    gappy = sorted((c for c in found.columns if c.missing), key=lambda c: -c.missing)
    if not gappy:
        return Section("Missing values", "No value is missing anywhere.")
    most = gappy[0]
    lead = (
        f"{number(len(gappy))} of {number(len(found.columns))} columns have gaps, "
        f"most of them {most.name} ({share(most.missing / found.rows)}). {_whole(found)}"
    )
    chart = charts.bars(
        "Share of missing values",
        [(content.name, content.missing / found.rows) for content in gappy[:MOST_BARS]],
        shown=share,
    )
    body = blocks.stack(blocks.beside(chart, _together(found)), _telling(found), _patterns(found))
    return Section("Missing values", lead, body)


def _whole(found: Findings) -> str:
    whole = next((p.rows for p in found.patterns if not p.columns), 0)
    return f"{share(whole / found.rows)} of the rows have every value."


def _together(found: Findings) -> Markup:
    groups = [", ".join(group) for group in together(found.overlaps)]
    never = {*found.aside, found.truth.field.name}
    pairs = [
        overlap
        for overlap in found.overlaps
        if 0.2 <= overlap.jaccard < ALIKE and not {overlap.one, overlap.other} <= never
    ][:MOST_LINES]
    table = tables.table(
        "Often missing in the same rows",
        ("Columns", "Rows", "Share"),
        [(f"{o.one}, {o.other}", o.rows, share(o.jaccard)) for o in pairs],
    )
    said = blocks.subheading("Nearly always missing together") + blocks.points(groups)
    right = blocks.stack(said if groups else "", table if pairs else "")
    return right if groups or pairs else blocks.NOTHING


def _telling(found: Findings) -> Markup:
    """The target where a value is missing, against where it is not."""
    clear = [told for told in found.telling if told.clear]
    if not found.telling:
        return blocks.NOTHING
    if not clear:
        return blocks.prose(
            "That a value is missing tells nothing about the target: nowhere does it differ from "
            "the rows that have the value by more than chance explains."
        )
    heads = ("Column", "Target", "Where missing", "Where not", "Difference", "95 % interval")
    table = tables.table(
        "Gaps that tell something",
        heads,
        [_line(found, told) for told in clear[:MOST_LINES]],
    )
    return blocks.stack(
        table,
        blocks.prose(
            "The model may use this: a missing value is kept apart from all others. It helps only "
            "if values will be missing for the same reason when the model is used."
        ),
    )


def _line(found: Findings, told: Telling) -> tuple[str, ...]:
    shown = share if found.truth.classes else number
    unit = " points" if found.truth.classes else ""
    return (
        f"{told.column} ({number(told.rows)} rows)",
        told.of,
        shown(told.missing),
        shown(told.present),
        f"{_signed(found, told.difference)}{unit}",
        f"{_signed(found, told.low)} to {_signed(found, told.high)}{unit}",
    )


def _signed(found: Findings, value: float) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + (f"{100 * abs(value):.1f}" if found.truth.classes else number(abs(value)))


def _patterns(found: Findings) -> Markup:
    shown = [pattern for pattern in found.patterns if pattern.columns][:MOST_LINES]
    if len(shown) < 2:
        return blocks.NOTHING
    rows = []
    for pattern in shown:
        more = len(pattern.columns) - MOST_NAMES
        names = ", ".join(pattern.columns[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        rows.append((names, pattern.rows, share(pattern.rows / found.rows)))
    left = sum(bool(pattern.columns) for pattern in found.patterns) - len(shown)
    note = [blocks.prose(f"{number(left)} rarer patterns are left out.")] if left > 0 else []
    table = tables.table(
        "Missing in the same row, and nothing else", ("Columns", "Rows", "Share"), rows
    )
    return blocks.fold("Patterns of missing values", table, *note)
