"""Champion and challenger as a page: who is live, by how much, on which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.pages import Fact, Link, Section, blocks, charts, figures, keep, render, tables

if TYPE_CHECKING:
    from tasks.compare import Comparison, Promotion


def write(comparison: Comparison) -> None:
    """Write the page to the place that the promotion names."""
    promotion = comparison.promotion
    html = render(
        title=f"{promotion.project}: champion and challenger",
        subtitle=comparison.question,
        project=promotion.project,
        facts=_facts(comparison),
        sections=[_outcome(promotion), *([_metrics(comparison)] if comparison.lines else [])],
        links=[Link("Scorecard of the challenger", "scorecard.html"), Link("History", "history.html")],
        footer=f"Challenger {promotion.challenger}.",
    )  # fmt: skip
    keep(promotion.page, html)


def _facts(comparison: Comparison) -> list[Fact]:
    promotion, gain = comparison.promotion, comparison.promotion.gain
    champion = "none" if promotion.champion is None else f"release {promotion.champion}"
    facts = [Fact("Outcome", promotion.outcome), Fact("Champion", champion)]
    if gain is not None:
        facts += [
            Fact(f"Gain in {gain.name}", figures.number(gain.value),
                 f"{figures.interval(gain.low, gain.high)}; positive: the challenger is better"),
        ]  # fmt: skip
    drawn = f"of {comparison.blocks} days or hours" if comparison.blocks else ""
    return [*facts, Fact("Rows", figures.number(promotion.rows), drawn)]


def _outcome(promotion: Promotion) -> Section:
    taken = promotion.outcome == "promoted"
    lead = "The challenger takes over." if taken else "The champion stays."
    notice = blocks.notice("good" if taken else "note", lead, blocks.prose(f"{promotion.reason}."))
    return Section("Outcome", "A tie keeps the champion.", notice)


def _metrics(comparison: Comparison) -> Section:
    sure = f"{100 * comparison.promotion.confidence:g} % interval"
    heads = ("Metric", "Champion", "Challenger", "Gain", sure)
    rows = [
        (line.metric, line.champion, line.challenger, line.gain.value,
         figures.interval(line.gain.low, line.gain.high))
        for line in comparison.lines
    ]  # fmt: skip
    gain = comparison.lines[0].gain
    drawn = "whole days or hours" if comparison.blocks else "rows"
    return Section(
        "On the same rows",
        f"Both answered the {comparison.promotion.rows:,} rows of the challenger's holdout that "
        f"are {comparison.rule}, each with its own preprocessing. Intervals are a paired bootstrap "
        f"of {drawn}; {gain.name} decides.",
        blocks.stack(
            charts.intervals(
                f"By how much the challenger is better in {gain.name}",
                [(gain.name, gain.value, gain.low, gain.high)], mark=0.0, wide=True,
            ),
            tables.table("Every metric of both", heads, rows),
        ),
    )  # fmt: skip
