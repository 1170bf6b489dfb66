"""Charts of growth: a score over the number of rows, and where it leads."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Format, Paper, Scale
from tasks.pages.blocks import NOTHING, join
from tasks.pages.figures import number

Mark = tuple[float, float, float, float]
"""Rows, score, and both ends of its interval."""


def growth(
    title: str,
    measured: Sequence[Mark],
    foretold: Sequence[Mark] = (),
    *,
    now: float,
    caption: str = "",
    shown: Format = number,
    wide: bool = True,
) -> Markup:
    """Measured scores as dots with whiskers, the fitted curve with its band, and a line at `now`;
    each doubling of the rows is as wide as the others."""
    every = (*measured, *foretold)
    rows = [mark[0] for mark in every]
    low, high = axes.span([value for mark in every for value in mark[1:]])
    names = ["measured", "fitted, and beyond"] if foretold else []

    def draw(width: int) -> Markup:
        paper = Paper(width, 260 if width == axes.WIDE else 220, left=52, bottom=38, top=22)
        place = paper.across(math.log2(min(rows)), math.log2(max(*rows, now)))
        up = paper.upward(low, high)
        marks = axes.levels(paper, up, shown) + _below(paper, place, min(rows), max(*rows, now))
        marks += _now(paper, place(math.log2(now))) + _foretold(foretold, place, up)
        marks += _measured(measured, place, up, shown)
        return axes.drawing(paper, title, _told(measured, foretold, shown), marks)

    return axes.figure(title, draw, wide, caption, names)


def _measured(marks: Sequence[Mark], place: Scale, up: Scale, shown: Format) -> Markup:
    drawn = join(
        axes.line(place(math.log2(rows)), up(low), place(math.log2(rows)), up(high), "whisker")
        + axes.dot(
            place(math.log2(rows)), up(score), "dot",
            f"{rows:,.0f} rows: {shown(score)} ({shown(low)} to {shown(high)})",
        )
        for rows, score, low, high in marks
    )  # fmt: skip
    return Markup('<g class="{}">{}</g>').format(axes.series(0), drawn)


def _foretold(marks: Sequence[Mark], place: Scale, up: Scale) -> Markup:
    if not marks:
        return NOTHING
    at = [place(math.log2(rows)) for rows, *_ in marks]
    there = [(x, up(mark[3])) for x, mark in zip(at, marks, strict=True)]
    back = [(x, up(mark[2])) for x, mark in zip(at, marks, strict=True)]
    curve = [(x, up(mark[1])) for x, mark in zip(at, marks, strict=True)]
    band = axes.path(there + back[::-1], "soft", closed=True)
    return Markup('<g class="{}">{}</g>').format(axes.series(1), band + axes.path(curve, "curve"))


def _now(paper: Paper, x: float) -> Markup:
    line = axes.line(x, paper.top, x, paper.height - paper.bottom, "guide")
    anchor = "middle" if x < paper.width - paper.right - 40 else "end"
    return line + axes.text(x, paper.top - 8, "all rows now", anchor)


def _below(paper: Paper, place: Scale, low: float, high: float) -> Markup:
    """Numbers of rows under the plot, at doublings or more, as many as fit."""
    base = paper.height - paper.bottom
    fit = max(2, int((paper.width - paper.left) / 84))
    step = max(1, math.ceil(math.log2(high / low) / fit))
    marks = [high / 2**at for at in range(0, int(math.log2(high / low)) + 1, step)]
    drawn = join(
        axes.line(place(math.log2(rows)), base, place(math.log2(rows)), base + 4, "axis")
        + axes.text(place(math.log2(rows)), base + 17, _rounded(rows), _anchor(rows, high))
        for rows in marks
    )
    name = axes.text(paper.width - paper.right, paper.height - 4, "rows", "end")
    return drawn + name


def _anchor(rows: float, high: float) -> str:
    return "end" if rows == high else "middle"


def _rounded(rows: float) -> str:
    """Two digits that count: the place on the axis is what is exact."""
    digits = 1 - math.floor(math.log10(rows))
    return f"{round(rows, min(0, digits)):,.0f}"


def _told(measured: Sequence[Mark], foretold: Sequence[Mark], shown: Format) -> str:
    said = "; ".join(f"{rows:,.0f} rows {shown(score)}" for rows, score, *_ in measured)
    if not foretold:
        return said
    rows, score, low, high = foretold[-1]
    return f"{said}; foretold for {rows:,.0f} rows {shown(score)}, {shown(low)} to {shown(high)}"
