"""Charts that lay two distributions over each other: before and now."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Format, Paper
from tasks.pages.blocks import join
from tasks.pages.figures import share

SPARE = 10


def overlay(
    title: str,
    names: Sequence[str],
    before: Sequence[float],
    now: Sequence[float],
    *,
    apart: int = 0,
    caption: str = "",
    shown: Format = share,
    wide: bool = False,
) -> Markup:
    """Shares per cell: now as bars, before as a step line; the last `apart` cells stand aside."""
    top = 1.08 * max((*before, *now), default=0.0) or 1.0
    told = "; ".join(
        f"{name}: {shown(a)} before, {shown(b)} now"
        for name, a, b in zip(names, before, now, strict=True)
    )

    def draw(width: int) -> Markup:
        paper = Paper(width, 190, left=46, right=12, top=8, bottom=40)
        up = paper.upward(0, top)
        places = _places(paper, len(names), apart)
        base = up(0)
        bars = join(
            axes.box(
                left + 1, min(up(b), base - 1) if b else base, right - left - 2,
                max(base - up(b), 1) if b else 0, "fill",
                f"{name}: {shown(a)} before, {shown(b)} now",
            )
            for name, a, b, (left, right) in zip(names, before, now, places, strict=True)
        )  # fmt: skip
        steps = join(
            axes.path([(left, up(a)), (right, up(a))], "step")
            for a, (left, right) in zip(before, places, strict=True)
        )
        floor = axes.line(paper.left, base, width - paper.right, base, "axis")
        marks = axes.levels(paper, up, shown) + Markup('<g class="s1">{}</g>').format(bars)
        marks += steps + floor + _labels(paper, names, places, apart)
        return axes.drawing(paper, title, told, marks)

    return axes.figure(title, draw, wide, caption)


def _places(paper: Paper, count: int, apart: int) -> list[tuple[float, float]]:
    """Left and right end of each cell, with a gap before those that stand aside."""
    gap = SPARE if 0 < apart < count else 0
    width = (paper.width - paper.left - paper.right - gap) / max(1, count)
    found = []
    for at in range(count):
        left = paper.left + at * width + (gap if apart and at >= count - apart else 0)
        found.append((left, left + width))
    return found


def _labels(
    paper: Paper, names: Sequence[str], places: Sequence[tuple[float, float]], apart: int
) -> Markup:
    """Names under their cells: upright where they fit, else slanted into the room below."""
    base = paper.height - paper.bottom
    parts = []
    for at, (name, (left, right)) in enumerate(zip(names, places, strict=True)):
        middle = (left + right) / 2
        if not name:
            continue
        if len(name) * 6.4 < right - left or (at == 0 and not apart):
            parts.append(axes.text(middle, base + 16, name, "middle"))
        else:
            parts.append(
                Markup(
                    '<text x="0" y="0" class="end" transform="translate({:.1f} {:.1f}) rotate(-35)">'
                    "{}</text>"
                ).format(middle + 4, base + 12, axes.shortened(name, 9))
            )
    return join(parts)
