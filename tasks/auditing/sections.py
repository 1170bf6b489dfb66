"""How a model treats the groups, as sections of a page."""

from __future__ import annotations

from charter.fairness import JOINED
from tasks.auditing.treatment import Disparity, Figure, Treated, Treatment
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.figures import number

WORDS = {
    "positive": "base rate", "answered": "selection rate", "found": "true positive rate",
    "alarmed": "false positive rate", "right": "accuracy", "calibration": "said − was",
    "error": "mean absolute error", "bias": "mean error",
}  # fmt: skip
MEANS = {
    "demographic_parity": "the share of each answer must not differ between groups",
    "equalised_odds": "the answers, given the truth, must not differ between groups",
    "equal_opportunity": "the share of positives that is found must not differ between groups",
    "error_ratio": "the mean absolute error of one group must not exceed another's",
}
DRAWN = ("answered", "found", "alarmed", "error")


def treated(found: Treatment, where: str) -> list[Section]:
    """How far the groups lie apart, then the rates of each."""
    words = found.metric.replace("_", " ")
    items = [
        (one.of, one.figure.value, one.figure.low, one.figure.high)
        for one in found.disparities
        if one.figure.value == one.figure.value
    ]
    charted = charts.intervals(
        f"{words}: largest difference between two groups", items, wide=True,
        caption="With 95 % bootstrap intervals; 0 is alike.",
    ) if items else ""  # fmt: skip
    section = Section(
        "Groups",
        f"{words}: {MEANS[found.metric]}. On {where}, {found.rows:,} rows.",
        blocks.stack(charted, _apart(found), _beside(found)),
    )
    return [section, *(_rates(found, one) for one in found.disparities)]


def _apart(found: Treatment) -> str:
    rows = [
        (one.of, _figure(one.figure), "shown only" if one.limit is None else number(one.limit),
         _outcome(one), ", ".join(one.unjudged) or "–")
        for one in found.disparities
    ]  # fmt: skip
    heads = ("between groups of", "difference", "limit", "", "too few rows")
    return tables.table("How far groups lie apart", heads, rows, wrap=True)


def _outcome(one: Disparity) -> str:
    if one.limit is None:
        return "–"
    if one.figure.value != one.figure.value:
        return "not judged"
    return "✓ within" if one.figure.value <= one.limit else "✕ beyond"


def _beside(found: Treatment) -> str:
    rows = [
        (name.replace("_", " "), _figure(figure), number(found.constant[name]))
        for name, figure in found.quality.items()
    ]
    caption = "Beside it: what the answers are worth, and the best answer that is always the same"
    return tables.table(caption, ("", "this model", "constant model"), rows)


def _rates(found: Treatment, one: Disparity) -> Section:
    mine = [group for group in found.groups if group.of == one.of]
    names = list(mine[0].figures)
    drawn = [_chart(mine, name) for name in names if name in DRAWN]
    rows: list[tuple[str | int, ...]] = [
        (group.value, group.rows, *(_figure(group.figures[name]) for name in names))
        for group in mine
    ]
    heads = (one.of, "rows", *(WORDS[name] for name in names))
    table = tables.table(f"Rates of each group of {one.of}", heads, rows)
    few = f" Not compared for too few rows: {', '.join(one.unjudged)}." if one.unjudged else ""
    lead = f"What happens to each group.{few}"
    if JOINED in one.of:
        return Section(f"Groups of {one.of}", lead, blocks.fold("As a table", table))
    return Section(f"Groups of {one.of}", lead, blocks.stack(*drawn, table))


def _chart(mine: list[Treated], name: str) -> str:
    items = [
        (group.value, figure.value, figure.low, figure.high)
        for group in mine
        if (figure := group.figures[name]).low == figure.low and group.judged
    ]
    return charts.intervals(f"{WORDS[name]} by group".capitalize(), items, wide=True)


def _figure(figure: Figure) -> str:
    if figure.value != figure.value:
        return "–"
    return f"{number(figure.value)} ({number(figure.low)} to {number(figure.high)})"
