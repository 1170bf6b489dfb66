"""Offline HTML pages in one look: no script, no address from elsewhere, light and dark, any width.

A page is made of sections, a section of blocks, and every block is a `Markup`. Plain strings are
text wherever they are given, so a column named `<script>` is shown and not run:

    from tasks.pages import Fact, Section, blocks, charts, keep, render, siblings, tables

    html = render(
        title="Flights: scorecard",
        subtitle="Will this flight land more than 15 minutes late?",
        project="flights",
        facts=[Fact("ROC AUC", "0.683", "0.671 to 0.694")],
        sections=[
            Section(
                "Gates",
                "All 7 gates passed.",
                blocks.stack(
                    tables.verdicts(verdicts),
                    charts.intervals("Gain", [("roc_auc", 0.683, 0.671, 0.694)]),
                ),
            ),
        ],
        links=siblings("Scorecard", "flights"),
        footer="Table version 3, charter 8c1f…",
    )
    where = keep("pages/flights/scorecard.html", html)  # atomic, relative to the root

- `charts`: histogram, bars, line (with bands), intervals, heat_map, convergence, growth,
  reliability, each with `title` and `caption`; `wide=True` where one chart has the whole width.
- `tables`: `table(caption, heads, rows)`, `verdicts(...)`, `badge(...)`, `meter(share)`.
- `blocks`: `prose`, `stack` (below each other), `beside` (next to each other), `fold`, `notice`,
  `points` (a list), `preformatted`.
- `figures`: `number`, `share`, `moment`, `interval`: numbers as people read them.
"""

from tasks.pages import blocks, charts, figures, tables
from tasks.pages.frame import Fact, Link, Section, keep, render, siblings

__all__ = [
    "Fact",
    "Link",
    "Section",
    "blocks",
    "charts",
    "figures",
    "keep",
    "render",
    "siblings",
    "tables",
]
