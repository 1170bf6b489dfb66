"""Columns that look as if they were known only with the target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charter import Charter
from tasks.exploration.gaps import Overlap
from tasks.exploration.relations import Relation
from tasks.exploration.target import Truth
from tasks.pages.figures import number, share

ALONE = 0.9
"""Strength that no honest column has alone: an AUC of 0.95, or an R² of 0.9."""
AHEAD = 0.6
AHEAD_TIMES = 4.0
"""Strength that is suspicious where every other column has less than a quarter of it."""
JACCARD = 0.5
GAPS = 20


@dataclass(frozen=True)
class Evidence:
    """Why a column is suspected; the strongest reason stands first."""

    column: str
    sentences: tuple[str, ...]
    strength: float


def suspects(
    charter: Charter, truth: Truth, related: Sequence[Relation], overlaps: Sequence[Overlap]
) -> list[Evidence]:
    """Columns with evidence against them that the charter neither excludes nor vouches for."""
    data = charter.data
    spared = {*data.known_later, *data.known_before, truth.field.name}
    open_to = [relation for relation in related if relation.column not in spared]
    found: dict[str, list[tuple[float, str]]] = {}
    for column, strength, sentence in [
        *_named(charter, open_to),
        *_missing(truth, overlaps),
        *_strong(truth, open_to),
    ]:
        if column not in spared:
            found.setdefault(column, []).append((strength, sentence))
    evidence = [_evidence(column, reasons) for column, reasons in found.items()]
    return sorted(evidence, key=lambda suspect: -suspect.strength)


def _evidence(column: str, reasons: list[tuple[float, str]]) -> Evidence:
    ordered = sorted(reasons, key=lambda reason: -reason[0])
    return Evidence(column, tuple(sentence for _, sentence in ordered), ordered[0][0])


def _named(charter: Charter, related: Sequence[Relation]) -> Iterator[tuple[str, float, str]]:
    """Columns that `goal.target.derive` computes the target from."""
    words = mentioned(charter.goal.target.derive or "")
    for relation in related:
        if relation.column.casefold() in words:
            yield (
                relation.column,
                1.0,
                f"{relation.column} makes the target: goal.target.derive reads it.",
            )


def mentioned(sql: str) -> set[str]:
    """Every word and quoted name of an SQL expression that may be a column, in lower case."""
    quoted = re.findall(r'"((?:[^"]|"")*)"', sql)
    bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", " ", sql)
    words = re.findall(r"[^\W\d]\w*", bare)
    return {name.replace('""', '"').casefold() for name in quoted} | {w.casefold() for w in words}


def _missing(truth: Truth, overlaps: Sequence[Overlap]) -> Iterator[tuple[str, float, str]]:
    """Columns whose values are missing in the rows without a target."""
    target = truth.field.name
    for overlap in overlaps:
        if target not in (overlap.one, overlap.other):
            continue
        if overlap.jaccard >= JACCARD and overlap.rows >= GAPS:
            column = overlap.other if overlap.one == target else overlap.one
            yield (
                column,
                overlap.jaccard,
                f"{column} is missing together with {target}: in {share(overlap.jaccard)} of the "
                f"rows where either is missing, both are ({number(overlap.rows)} rows).",
            )


def _strong(truth: Truth, related: Sequence[Relation]) -> Iterator[tuple[str, float, str]]:
    """Columns that tell the target too well alone, or far better than the ordinary ones."""
    ordinary = [relation for relation in related if relation.strength < AHEAD]
    best = max(ordinary, key=lambda relation: relation.strength, default=None)
    for relation in related:
        said = f"{relation.column} alone tells {truth.field.name} with {measured(truth, relation)}"
        if relation.strength >= ALONE:
            yield relation.column, relation.strength, f"{said}, which is too good to be honest."
        elif best and relation.strength > max(AHEAD, AHEAD_TIMES * best.strength):
            rest = f"{best.column}, has {measured(truth, best)}"
            yield relation.column, relation.strength, f"{said}; the best ordinary column, {rest}."


def measured(truth: Truth, relation: Relation) -> str:
    """The strength in the words of the task."""
    if truth.task == "regression":
        return f"an R² of {relation.strength:.3f}"
    mean = "a mean AUC" if truth.task == "multiclass" else "an AUC"
    return f"{mean} of {(1 + relation.strength) / 2:.3f}"
