"""The target along the values of one column."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from tasks.exploration.findings import Findings
from tasks.exploration.relations import Relation
from tasks.exploration.tallies import MISSING, Array
from tasks.exploration.target import Truth
from tasks.pages import blocks, charts
from tasks.pages.axes import Format
from tasks.pages.charts import Course
from tasks.pages.figures import moment, number, share

MOST_LEVELS = 10
BINS = 12
Z = 1.96


def rates(found: Findings, relation: Relation) -> Markup:
    """Bins in order as a line, names as dots with intervals, several classes as a heat map."""
    truth = found.truth
    if truth.task == "multiclass":
        return _classes(truth, relation)
    shown: Format = number if truth.task == "regression" else share
    mean = _estimate(found, relation.tally.total.sum(axis=0)[None, :])[0][0]
    if relation.content.ordered:
        return _line(found, relation, shown)
    return _dots(found, relation, shown, mean)


def _dots(found: Findings, relation: Relation, shown: Format, mean: float) -> Markup:
    names, total = relation.tally.levels, relation.tally.total
    rows = _rows(found.truth, total)
    most = np.argsort(-rows, kind="stable")[:MOST_LEVELS]
    value, low, high = _estimate(found, total)
    order = sorted(most.tolist(), key=lambda at: -value[at])
    items = [(names[at], float(value[at]), float(low[at]), float(high[at])) for at in order]
    more = len(names) - len(items)
    caption = f"The {len(items)} most frequent of {number(len(names))} values." if more else ""
    title = f"{_what(found)} by {relation.column}"
    return charts.intervals(title, items, shown=shown, mark=float(mean), caption=caption)


def _line(found: Findings, relation: Relation, shown: Format) -> Markup:
    starts, total = _coarse(found.truth, relation)
    value, low, high = _estimate(found, total)
    axis = _axis(relation)
    missing = _missing(found, relation, shown)
    each = len(starts) == relation.content.distinct
    groups = (
        "" if each else f"{len(starts)} groups of about equal size, named by their lowest value."
    )
    return charts.line(
        f"{_what(found)} by {relation.column}",
        [axis(start) for start in starts],
        [Course(relation.column, value.tolist(), low.tolist(), high.tolist())],
        shown=shown,
        caption=f"{groups}{missing}",
        wide=False,
    )


def _axis(relation: Relation) -> Format:
    """How the values are shown: times of long spans as days."""
    content = relation.content
    if content.field.kind != "time":
        return number
    long = (content.high or 0.0) - (content.low or 0.0) > 10 * 86_400
    return (lambda seconds: moment(seconds)[:10]) if long else moment


def _coarse(truth: Truth, relation: Relation) -> tuple[list[float], Array]:
    """At most BINS bins of about equal size: the lowest value and the tally of each."""
    tally = relation.tally
    edges = tally.edges or ()
    starts, total = [relation.content.low or 0.0, *edges], tally.total[: len(edges) + 1]
    rows = _rows(truth, total)
    middle = (np.cumsum(rows) - rows / 2) / max(rows.sum(), 1)
    group = (
        np.minimum((middle * BINS).astype(int), BINS - 1)
        if len(rows) > BINS
        else np.arange(len(rows))
    )
    firsts = [int(np.flatnonzero(group == at)[0]) for at in np.unique(group)]
    merged = np.stack([total[group == at].sum(axis=0) for at in np.unique(group)])
    held = _rows(truth, merged) > 0
    return [starts[at] for at, some in zip(firsts, held, strict=True) if some], merged[held]


def _missing(found: Findings, relation: Relation, shown: Format) -> str:
    if relation.tally.levels[-1] != MISSING or relation.content.missing == 0:
        return ""
    value, _, _ = _estimate(found, relation.tally.total[-1:])
    return f" Where it is missing: {shown(float(value[0]))}."


def _classes(truth: Truth, relation: Relation) -> Markup:
    """Shares of the classes in each of the most frequent levels or coarse bins."""
    if relation.content.ordered:
        starts, total = _coarse(truth, relation)
        axis = _axis(relation)
        names = [f"from {axis(start)}" for start in starts]
    else:
        rows = _rows(truth, relation.tally.total)
        most = np.argsort(-rows, kind="stable")[:MOST_LEVELS]
        names, total = [relation.tally.levels[at] for at in most], relation.tally.total[most]
    shares = total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    if len(truth.classes) > BINS:
        return blocks.NOTHING
    title = f"Share of each class by {relation.column}"
    return charts.heat_map(title, names, shares.tolist(), columns=truth.classes)


def _what(found: Findings) -> str:
    truth = found.truth
    return (
        f"Mean {truth.field.name}"
        if truth.task == "regression"
        else f"Share of {truth.field.name} = {truth.classes[1]}"
    )


def _rows(truth: Truth, total: Array) -> Array:
    return np.asarray(total.sum(axis=1) if truth.classes else total[:, 0])


def _estimate(found: Findings, total: Array) -> tuple[Array, Array, Array]:
    """Value and 95 % interval per line: Wilson's for a share (1927), normal for a mean."""
    n = np.maximum(_rows(found.truth, total), 1)
    if found.truth.classes:
        p = total[:, 1] / n
        centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return p, centre - half, centre + half
    mean = total[:, 1] / n
    half = Z * np.sqrt(np.maximum(total[:, 2] / n - mean**2, 0) / n)
    mean = mean + (found.target.mean or 0.0)  # the tally is of distances from it
    return mean, mean - half, mean + half
