"""How the values of one column spread."""

from __future__ import annotations

from markupsafe import Markup

from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.pages import blocks, charts
from tasks.pages.figures import moment, number, share


def shape(found: Findings, content: Content) -> Markup:
    """The most frequent values as bars, numbers and times as a histogram."""
    if content.levels:
        filled = found.rows - content.missing
        items = [(name, rows / filled) for name, rows in content.levels[:8]]
        more = content.distinct - len(items)
        caption = f"and {number(more)} more" if more > 0 else ""
        return charts.bars(content.name, items, shown=share, caption=caption)
    return histogram(content)


def histogram(content: Content) -> Markup:
    """Rows per bin; nothing where the values do not vary."""
    held = content.histogram
    if held is None:
        return blocks.NOTHING
    caption = f"{number(held.outside)} rows lie outside of this range." if held.outside else ""
    shown = moment if content.field.kind == "time" else number
    return charts.histogram(content.name, held.edges, held.counts, caption=caption, shown=shown)
