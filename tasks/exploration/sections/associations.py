"""How columns go together."""

from __future__ import annotations

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.figures import number

MOST_MAPPED = 24


def section(charter: Charter, found: Findings) -> Section:
    """The matrix of the columns that say most, and the strongest pairs."""
    same = len([p for p in found.associations.redundant if not {p.one, p.other} & set(found.aside)])
    lead = (
        f"{number(same)} {'pair says' if same == 1 else 'pairs say'} nearly the same (0.95 or "
        "more) among those that may become features."
        if same
        else "No two columns that may become features say the same."
    )
    names = list(found.associations.columns[:MOST_MAPPED])
    if len(names) < 2:
        body = blocks.prose("There are no two columns to compare.")
        return Section("How columns go together", lead, body)
    value = {(p.one, p.other): p.value for p in found.associations.pairs}
    matrix = [
        [1.0 if a == b else value.get((a, b), value.get((b, a))) for b in names] for a in names
    ]
    left_out = len(found.associations.columns) - len(names)
    caption = "Green goes together, brown goes against; groupings have no direction." + (
        f" {number(left_out)} columns that tell less about the target are left out."
        if left_out
        else ""
    )
    pairs = [
        (
            f"{p.one}, {p.other}",
            p.measure,
            f"{p.value:.2f}",
            "–" if p.pearson is None else f"{p.pearson:.2f}",
        )
        for p in found.associations.pairs[:15]
    ]
    heads = ("Columns", "Measure", "Value", "Pearson")
    body = blocks.stack(
        charts.heat_map("Associations", names, matrix, caption=caption),
        blocks.fold("Strongest pairs", tables.table("Strongest pairs", heads, pairs)),
    )
    return Section("How columns go together", lead, body)
