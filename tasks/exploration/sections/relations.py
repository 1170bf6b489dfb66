"""How well each column alone tells the target."""

from __future__ import annotations

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.exploration.sections.columns import MOST_LINES, rest
from tasks.exploration.sections.rates import rates
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.figures import number

MOST_BARS = 20


def section(charter: Charter, found: Findings) -> Section:
    """Every column's strength with its interval, and the target along the strongest columns."""
    lead = (
        "How well each column alone tells the target, from 0 (nothing) to 1 (everything), "
        "judged on rows that the estimate did not see. Lines are 95 % intervals."
    )
    shown = found.open[:MOST_BARS]
    more = len(found.open) - len(shown)
    dots = charts.intervals(
        "Strength of each column alone",
        [(r.column, r.strength, r.low, r.high) for r in shown],
        shown=lambda value: f"{value:.2f}",
        mark=0.0,
        wide=True,
        caption=f"{number(more)} weaker columns are left out." if more > 0 else "",
    )
    telling = [relation for relation in found.open if relation.strength >= 0.005][:6]
    small = blocks.beside(*(rates(found, relation) for relation in telling))
    aside = [relation for relation in found.relations if relation.column in found.aside]
    rows = [(r.column, found.aside[r.column], tables.meter(r.strength)) for r in aside[:MOST_LINES]]
    left = rest(len(aside) - MOST_LINES, "weaker ones")
    table = tables.table("Not features", ("Column", "Why not", "Strength alone"), rows)
    folded = blocks.fold("Columns that cannot become features", table, left) if rows else ""
    body = blocks.stack(dots if shown else "", small if telling else "", folded)
    return Section("What tells the target", lead, body)
