"""The data sheet: what a person should know of the rows before using them for anything else.

The headings are those of Gebru et al., "Datasheets for Datasets" (2021). What nobody has said is
named as blank, together with the charter's key that would fill it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from charter import Charter
from tasks.packaging.card import Part, blank, source
from tasks.packaging.groups import BLANK
from tasks.pages.figures import number, share
from tasks.protection.papers import people

if TYPE_CHECKING:
    from tasks.explore import ColumnProfile
    from tasks.packaging.papers import Papers

AFTER = "After Gebru et al., Datasheets for Datasets, 2021."


def parts(papers: Papers) -> list[Part]:
    """The whole sheet."""
    return [
        _motivation(papers.charter),
        _composition(papers),
        _groups(papers),
        Part("Collection", tuple(_collection(papers))),
        Part("People and consent", tuple(people(papers.charter, papers.table, *papers.sources))),
        Part("Preparation", tuple(_preparation(papers))),
        Part("Uses and limits", tuple(_uses(papers))),
        Part("Upkeep", tuple(_upkeep(papers.charter))),
    ]


def _motivation(charter: Charter) -> Part:
    goal, privacy = charter.goal, charter.privacy
    return Part(
        "Motivation",
        (
            f"Question: {blank(goal.question, 'goal.question')}",
            f"Purpose: {blank(privacy.purpose or '', 'privacy.purpose')}",
            f"Why these rows answer it: {blank(goal.because, 'goal.because')}",
        ),
    )


def _composition(papers: Papers) -> Part:
    profile, split = papers.profile, papers.split
    rows = tuple(
        (
            column.name,
            column.role,
            share(column.missing_share),
            number(column.distinct),
            _seen(column),
        )
        for column in profile.columns
    )
    lines = (
        f"{papers.table.rows:,} rows of {len(profile.columns)} columns: {split.training.rows:,} to "
        f"train, {split.holdout.rows:,} held out; {split.unlabelled.rows:,} without a label.",
        f"Each row is told by {', '.join(papers.charter.data.key) or '(blank: data.key)'}.",
        f"The target is {split.training.target} ({profile.task}"
        + (f": {', '.join(profile.classes)})." if profile.classes else ")."),
        "Below: what the training rows have; nobody has looked at those held out.",
    )
    return Part("Composition", lines, ("column", "role", "missing", "values", "range"), rows)


def _seen(column: ColumnProfile) -> str:
    if column.levels:
        more = ", …" if len(column.levels) > 4 else ""
        return ", ".join(name for name, _ in column.levels[:4]) + more
    if column.low is None or column.high is None or column.kind == "time":
        return "–"
    return f"{number(column.low)} to {number(column.high)}"


def _groups(papers: Papers) -> Part:
    """Who is in the rows, as the holdout shows it."""
    found = papers.scorecard.fairness
    if found is None:
        return Part("Groups", (BLANK,))
    rows = tuple(
        (
            f"{group.of} = {group.value}",
            f"{group.rows:,}",
            share(group.rows / found.rows),
            number(group.figures["positive"].value) if "positive" in group.figures else "–",
        )
        for group in found.groups
    )
    heads = ("group", "rows", "of the rows held out", "base rate")
    return Part("Groups", heads=heads, rows=rows)


def _collection(papers: Papers) -> Iterator[str]:
    charter = papers.charter
    yield f"How the rows came to be: {blank(charter.data.collection, 'data.collection')}"
    yield f"Source: {source(charter)}; table {papers.table.where}, version {papers.table.version}."
    if charter.data.until is not None:
        yield f"Rows from {charter.data.until} on are left for run time."
    told = charter.data.time or "(blank: data.time)"
    yield f"When a row became known: {told}"


def _preparation(papers: Papers) -> Iterator[str]:
    data, goal = papers.charter.data, papers.charter.goal
    if goal.target.derive:
        yield f"The target is derived: {goal.target.column} = {goal.target.derive}"
    for join in data.joins:
        yield f"Joined on {', '.join(join.on)}: {join.source.kind}."
    yield f"{len(data.rules)} rules of the charter and a frozen suite judge every row; what breaks one goes to quarantine with its reason."
    yield f"Split {papers.split.rule}."
    for name in data.known_later:
        yield f"{name} is known only afterwards and is no input."


def _uses(papers: Papers) -> Iterator[str]:
    yield "For the question above; nobody has checked the rows for any other."
    yield from (f"Suspected leak: {s.column}. {s.evidence}" for s in papers.profile.suspects)
    applied = papers.study.mitigation
    if applied is not None:
        yield f"A model that learns these rows as they are treats groups apart; mitigated by {applied.price}."
    yield "Rows of the past: where the world changes, they no longer speak of it."


def _upkeep(charter: Charter) -> Iterator[str]:
    runtime = charter.runtime
    yield f"New rows come in with each retrain: {blank(runtime.schedule or '', 'runtime.schedule')}"
    kept = charter.privacy.retention
    yield f"Rows are kept: {blank(kept or '', 'privacy.retention')}"
