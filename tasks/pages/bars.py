"""Charts of amounts: histograms, bars, intervals."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Format, Paper
from tasks.pages.blocks import NOTHING, join
from tasks.pages.figures import number


def histogram(
    title: str,
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    caption: str = "",
    shown: Format = number,
    wide: bool = False,
) -> Markup:
    """How many rows lie between each edge and the next; one edge more than counts."""
    if len(edges) != len(counts) + 1:
        raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, got {len(edges)}")
    top = max(counts, default=0) or 1
    told = f"{number(sum(counts))} rows from {shown(edges[0])} to {shown(edges[-1])}"

    def draw(width: int) -> Markup:
        paper = Paper(width, 170, left=12, right=12, top=6)
        across, up = paper.across(edges[0], edges[-1]), paper.upward(0, top)
        base = up(0)
        bars = join(
            axes.box(
                across(low) + 0.5,
                min(up(count), base - 1) if count else base,
                across(high) - across(low) - 1,
                max(base - up(count), 1) if count else 0,
                "fill",
                f"{shown(low)} to {shown(high)}: {number(count)}",
            )
            for low, high, count in zip(edges, edges[1:], counts, strict=False)
        )
        floor = axes.line(paper.left, base, width - paper.right, base, "axis")
        ends = _ends(paper, shown(edges[0]), shown(edges[-1]))
        return axes.drawing(
            paper, title, told, Markup('<g class="s1">{}</g>').format(bars) + floor + ends
        )

    return axes.figure(title, draw, wide, caption)


def bars(
    title: str,
    items: Sequence[tuple[str, float]],
    *,
    caption: str = "",
    shown: Format = number,
    top: float | None = None,
    wide: bool = False,
) -> Markup:
    """One bar per name with its value; `top` is what a full bar means (default: the largest)."""
    full = top or max((abs(value) for _, value in items), default=0.0) or 1.0
    told = "; ".join(f"{name} {shown(value)}" for name, value in items[:12])

    def draw(width: int) -> Markup:
        names = _room([name for name, _ in items], width)
        paper = Paper(width, 25 * max(1, len(items)) + 4, left=names, right=62, top=2, bottom=2)
        across = paper.across(0, full)
        rows = join(
            _bar(paper, at, name, across(min(abs(value), full)), shown(value))
            for at, (name, value) in enumerate(items)
        )
        return axes.drawing(paper, title, told, Markup('<g class="s1">{}</g>').format(rows))

    return axes.figure(title, draw, wide, caption)


def intervals(
    title: str,
    items: Sequence[tuple[str, float, float, float]],
    *,
    caption: str = "",
    shown: Format = number,
    mark: float | None = None,
    wide: bool = False,
) -> Markup:
    """A dot with its interval per name: (name, value, low, high); `mark` is a line to compare with."""
    low, high = axes.span([end for _, *ends in items for end in ends] + [mark])
    told = "; ".join(
        f"{name} {shown(value)} ({shown(a)} to {shown(b)})" for name, value, a, b in items[:12]
    )

    def draw(width: int) -> Markup:
        names = _room([item[0] for item in items], width)
        paper = Paper(width, 27 * max(1, len(items)) + 26, left=names, right=62, top=2)
        across = paper.across(low, high)
        guide = _guide(paper, across(mark)) if mark is not None else NOTHING
        rows = join(_whiskers(paper, across, at, item, shown) for at, item in enumerate(items))
        scale = axes.below(paper, across, shown, about=4 if width == axes.NARROW else 6)
        marks = guide + Markup('<g class="s1">{}</g>').format(rows) + scale
        return axes.drawing(paper, title, told, marks)

    return axes.figure(title, draw, wide, caption)


def _bar(paper: Paper, at: int, name: str, end: float, value: str) -> Markup:
    y = paper.top + 25 * at
    fits = int((paper.left - 8) / 6.3)
    full = paper.width - paper.right - paper.left
    return join(
        [
            axes.text(paper.left - 8, y + 16.5, axes.shortened(name, fits), "name end"),
            axes.box(paper.left, y + 5, full, 15, "track", radius=3),
            axes.box(paper.left, y + 5, end - paper.left, 15, "fill", f"{name}: {value}", 3),
            axes.text(paper.width - paper.right + 8, y + 16.5, value, "value"),
        ]
    )


def _whiskers(
    paper: Paper,
    across: axes.Scale,
    at: int,
    item: tuple[str, float, float, float],
    shown: Format,
) -> Markup:
    name, value, low, high = item
    y = paper.top + 27 * at + 14
    tip = f"{name}: {shown(value)} ({shown(low)} to {shown(high)})"
    fits = int((paper.left - 8) / 6.3)
    return join(
        [
            axes.text(paper.left - 8, y + 4, axes.shortened(name, fits), "name end"),
            axes.line(paper.left, y, paper.width - paper.right, y, "grid"),
            axes.line(across(low), y, across(high), y, "whisker"),
            axes.dot(across(value), y, "dot", tip, 5),
            axes.text(paper.width - paper.right + 8, y + 4, shown(value), "value"),
        ]
    )


def _guide(paper: Paper, x: float) -> Markup:
    return axes.line(x, paper.top, x, paper.height - paper.bottom, "guide")


def _room(names: Sequence[str], width: int) -> float:
    """How far right the bars begin, so that most names fit."""
    longest = max((len(name) for name in names), default=0)
    return max(36.0, min(longest * 6.6 + 12, 0.36 * width))


def _ends(paper: Paper, low: str, high: str) -> Markup:
    base = paper.height - paper.bottom + 17
    return axes.text(paper.left, base, low) + axes.text(
        paper.width - paper.right, base, high, "end"
    )
