"""The canary as a page: what became of it, both releases on the same rows, each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter import Charter
from tasks.pages import Fact, Link, Section, blocks, charts, figures, keep, render, tables

if TYPE_CHECKING:
    from tasks.decide import Decided

LEADS = {
    "waiting": "It goes on.", "promoted": "The canary takes over.",
    "withdrawn": "The canary was withdrawn.",
}  # fmt: skip


def write(charter: Charter, decided: Decided) -> None:
    """Write the page to the place that the record names."""
    html = render(
        title=f"{decided.project}: canary",
        subtitle=charter.goal.question,
        project=decided.project,
        facts=_facts(decided),
        sections=[_outcome(decided), *_looks(decided), *_arms(decided)],
        links=[Link("Comparison", "comparison.html"), Link("History", "history.html")],
        footer=f"Release {decided.canary} beside release {decided.champion}.",
    )
    keep(decided.page, html)


def _facts(decided: Decided) -> list[Fact]:
    since = decided.since[:16].replace("T", " ")
    facts = [
        Fact("Outcome", decided.outcome, f"release {decided.live} is live"),
        Fact("Canary", f"release {decided.canary}", f"beside release {decided.champion}"),
        Fact("Share", f"{100 * decided.share:g} %", f"of the requests since {since} UTC"),
        Fact("Rows", figures.number(decided.labelled), "with their truth, answered by both"),
    ]
    if decided.looks:
        gain = decided.looks[-1].gain
        note = f"{figures.interval(gain.low, gain.high)}; positive: the canary is better"
        facts.insert(1, Fact(f"Gain in {gain.name}", figures.number(gain.value), note))
    return facts


def _outcome(decided: Decided) -> Section:
    promoted = decided.outcome == "promoted"
    notice = blocks.notice(
        "good" if promoted else "note", LEADS[decided.outcome], blocks.prose(f"{decided.reason}.")
    )
    return Section("Outcome", "A tie keeps what is live.", notice)


def _looks(decided: Decided) -> list[Section]:
    if not decided.looks:
        return []
    heads = ("Rows", "Drawn", "Live", "Canary", "Gain", "Interval", "Confidence")
    rows = [
        (one.rows, "rows" if one.blocks is None else f"{one.blocks} days or hours", one.champion,
         one.canary, one.gain.value, figures.interval(one.gain.low, one.gain.high),
         f"{100 * one.confidence:.4g} %")
        for one in decided.looks
    ]  # fmt: skip
    chart = charts.intervals(
        f"By how much the canary is better in {decided.metric}, look by look",
        [(f"{one.rows:,} rows", one.gain.value, one.gain.low, one.gain.high) for one in decided.looks],
        mark=0.0, wide=True,
    )  # fmt: skip
    lead = (
        "Both answered every row whose truth is known, whichever was asked then. The interval is a "
        "paired bootstrap; each look takes half of the chance of luck that the one before it took, so "
        "that all together keep runtime.false_promotion_rate."
    )
    return [Section("On the same rows", lead, blocks.stack(chart, tables.table("Every look", heads, rows)))]  # fmt: skip


def _arms(decided: Decided) -> list[Section]:
    if not decided.arms:
        return []
    heads = ("Release", "Asked", "Truth known", decided.metric, "Failed", "p99, ms")
    rows = [
        (f"{arm.release}{' (canary)' if arm.release == decided.canary else ''}", arm.answered,
         arm.labelled, arm.value, arm.failed, arm.p99_ms)
        for arm in decided.arms
    ]  # fmt: skip
    lead = "As it was at the time: other rows, so this does not decide; failures and latency do."
    return [Section("Each on the requests that it answered", lead, blocks.stack(tables.table("Both arms", heads, rows)))]  # fmt: skip
