"""How the values of one column spread."""

from __future__ import annotations

from markupsafe import Markup

from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.pages import blocks, charts
from tasks.pages.figures import moment, number, share


def shape(found: Findings, content: Content) -> Markup:
    """The most frequent values as bars, numbers and times as a histogram, and what is known."""
    known = _known(found, content)
    if content.levels:
        filled = found.rows - content.missing
        items = [(name, rows / filled) for name, rows in content.levels[:8]]
        more = content.distinct - len(items)
        caption = f"And {number(more)} more. {known}" if more > 0 else known
        return charts.bars(content.name, items, shown=share, caption=caption)
    return histogram(content, known)


def _known(found: Findings, content: Content) -> str:
    """The panel's line: what the column is, its gaps, and what it tells."""
    if content.field == found.truth.field:
        return "The target."
    parts = [f"A {content.role}" if content.role != "identifier" else "An identifier"]
    if content.missing:
        parts.append(f"missing in {share(content.missing / found.rows)}")
    strength = found.strength(content.name)
    if strength is not None:
        parts.append(f"strength {strength:.2f}")
    if content.name in found.aside:
        parts.append(f"no feature: {found.aside[content.name]}")
    return f"{'; '.join(parts)}."


def histogram(content: Content, known: str = "") -> Markup:
    """Rows per bin; nothing where the values do not vary."""
    held = content.histogram
    if held is None:
        return blocks.NOTHING
    beyond = f"{number(held.outside)} rows lie outside of this range. " if held.outside else ""
    caption = f"{beyond}{known}".strip()
    shown = moment if content.field.kind == "time" else number
    return charts.histogram(content.name, held.edges, held.counts, caption=caption, shown=shown)
