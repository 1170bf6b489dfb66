"""Centre, spread and shape of each column."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.exploration.sections.shapes import shape
from tasks.pages import Section, blocks, tables
from tasks.pages.figures import moment, number, share

MOST_CHARTS = 60
MOST_LINES = 300


def section(charter: Charter, found: Findings) -> Section:
    """One line per column, then the shape of each."""
    shown = found.foremost(MOST_LINES)
    rows = [_line(found, content) for content in shown]
    heads = ("Column", "Role", "Missing", "Different", "Centre", "Spread", "Tells the target")
    shapes = [chart for content in shown[:MOST_CHARTS] if (chart := shape(found, content))]
    more = len(shown) - MOST_CHARTS
    left_out = blocks.prose(f"The last {number(more)} columns are not drawn.") if more > 0 else ""
    numbers = [content for content in shown if content.quantiles]
    body = blocks.stack(
        tables.table("All columns" if shown == found.columns else "Columns", heads, rows),
        rest(len(found.columns) - len(shown), "columns that tell least about the target"),
        blocks.fold("Shape of each column", blocks.beside(*shapes), left_out) if shapes else "",
        blocks.fold("Quantiles of numbers and times", _spread(numbers)) if numbers else "",
    )
    return Section("Columns", "Centre, spread and shape of each column.", body)


def rest(left: int, what: str) -> Markup:
    """How many are not on the page, and where they are."""
    if left <= 0:
        return blocks.NOTHING
    return blocks.prose(
        blocks.join(
            [f"{number(left)} {what} are left out here; the numbers of all stand in ",
             blocks.code("profile.json"), " beside this page."]
        )
    )  # fmt: skip


def _line(found: Findings, content: Content) -> tuple[str, ...]:
    strength = found.strength(content.name)
    told = Markup("target") if content.field == found.truth.field else tables.meter(strength)
    return (
        content.name,
        content.role,
        share(content.missing / found.rows),
        number(content.distinct),
        _centre(found, content),
        _width(content),
        told,
    )


def _centre(found: Findings, content: Content) -> str:
    if content.quantiles:
        return (
            moment(content.quantiles[3])
            if content.field.kind == "time"
            else number(content.quantiles[3])
        )
    if content.levels:
        name, rows = content.levels[0]
        filled = found.rows - content.missing
        return f"{name if len(name) <= 24 else name[:23] + '…'} ({share(rows / filled)})"
    return ""


def _width(content: Content) -> str:
    if not content.quantiles:
        return ""
    low, high = content.quantiles[1], content.quantiles[5]
    if content.field.kind == "time":
        return f"{moment(low)[:10]} to {moment(high)[:10]}"
    return f"{number(low)} to {number(high)}"


def _spread(contents: list[Content]) -> Markup:
    heads = ("Column", "Smallest", "5 %", "25 %", "50 %", "75 %", "95 %", "Largest", "Mean", "Std.")
    rows = []
    for content in contents:
        shown = moment if content.field.kind == "time" else number
        ends = [content.low, *content.quantiles[1:6], content.high]
        std = "–" if content.field.kind == "time" else number(content.std)
        rows.append((content.name, *(shown(value) for value in ends), shown(content.mean), std))
    return tables.table("Quantiles", heads, rows)
