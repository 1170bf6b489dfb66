"""What the papers say of the groups: how they are treated, and what was done so that they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.auditing.sections import MEANS, WORDS
from tasks.pages.figures import interval, number

if TYPE_CHECKING:
    from tasks.auditing.treatment import Figure, Treatment
    from tasks.packaging.papers import Papers

BLANK = "(blank: fairness.sensitive) Nobody has said between whom the model has to be fair."
ASIDE = ("calibration", "bias")


def alike(papers: Papers) -> Iterator[str]:
    """How far the groups lie apart on the holdout, and what was mitigated at what price."""
    found, fair = papers.scorecard.fairness, papers.charter.fairness
    if found is None:
        yield BLANK
        return
    yield f"{found.metric.replace('_', ' ')}: {MEANS[found.metric]}."
    for one in found.disparities:
        limit = "shown only" if one.limit is None else f"limit {one.limit:g}"
        few = f"; too few rows to judge: {', '.join(one.unjudged)}" if one.unjudged else ""
        yield f"Between groups of {one.of}: {_figure(one.figure)} apart, {limit}{few}."
    for name, figure in found.quality.items():
        word = name.replace("_", " ")
        yield f"{word}: {_figure(figure)}; the best constant answer has {number(found.constant[name])}."
    asked = "may be asked for with each row" if fair.at_prediction else "are no inputs"
    yield f"The columns {', '.join(fair.sensitive)} {asked} (fairness.at_prediction)."
    applied = papers.study.mitigation
    yield f"Mitigated: {applied.price}." if applied else "Mitigated: nothing."


def rates(found: Treatment) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Heads and rows of a table with the rates of each group of each column."""
    names = [name for name in found.groups[0].figures if name not in ASIDE] if found.groups else []
    rows = tuple(
        (f"{group.of} = {group.value}", f"{group.rows:,}",
         *(_figure(group.figures[name]) for name in names))
        for group in found.groups
    )  # fmt: skip
    return ("group", "rows", *(WORDS[name] for name in names)), rows


def _figure(figure: Figure) -> str:
    if figure.value != figure.value:
        return "–"
    return f"{number(figure.value)} ({interval(figure.low, figure.high)})"
