"""A chart of one quality against another, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Format, Paper, Scale
from tasks.pages.blocks import NOTHING, join
from tasks.pages.figures import number

Ends = tuple[float, float, float]
"""A value with both ends of its interval."""


@dataclass(frozen=True)
class Offer:
    """One point: what it is called, and what it has of both."""

    name: str
    across: Ends
    up: Ends
    taken: bool = False


def tradeoff(
    title: str,
    offers: Sequence[Offer],
    *,
    across: str,
    up: str,
    limit: float | None = None,
    caption: str = "",
    shown: Format = number,
    wide: bool = True,
) -> Markup:
    """Each offer as a numbered dot with its intervals; `limit` is the largest value across."""
    left, right = axes.span([end for one in offers for end in one.across] + [limit], zero=True)
    low, high = axes.span([end for one in offers for end in one.up])
    told = "; ".join(
        f"{one.name}: {across} {shown(one.across[0])}, {up} {shown(one.up[0])}" for one in offers
    )

    def draw(width: int) -> Markup:
        paper = Paper(width, 320 if width == axes.WIDE else 270, left=56, bottom=42)
        x, y = paper.across(left, right), paper.upward(low, high)
        line = _limit(paper, x(limit), limit, shown) if limit is not None else NOTHING
        points = join(_point(at, one, x, y, shown) for at, one in enumerate(offers))
        names = axes.text(width - paper.right, paper.height - 4, f"{across} →", "end")
        names += axes.text(4, 12, f"↑ {up}")
        marks = axes.levels(paper, y, shown) + axes.below(paper, x) + line + points + names
        return axes.drawing(paper, title, told, marks)

    names = [
        f"{at + 1} {one.name}{' (taken)' if one.taken else ''}" for at, one in enumerate(offers)
    ]
    return axes.figure(title, draw, wide, caption, names)


def _limit(paper: Paper, at: float, limit: float, shown: Format) -> Markup:
    line = axes.line(at, paper.top, at, paper.height - paper.bottom, "guide")
    return line + axes.text(at + 4, paper.top + 24, f"limit {shown(limit)}")


def _point(at: int, one: Offer, x: Scale, y: Scale, shown: Format) -> Markup:
    across, up = x(one.across[0]), y(one.up[0])
    tip = f"{one.name}: {shown(one.across[0])}, {shown(one.up[0])}"
    parts = [
        axes.line(x(one.across[1]), up, x(one.across[2]), up, "whisker"),
        axes.line(across, y(one.up[1]), across, y(one.up[2]), "whisker"),
        axes.dot(across, up, "dot", tip, 7 if one.taken else 4),
        axes.text(across + 8, up - 8, str(at + 1), "value"),
    ]
    return Markup('<g class="{}">{}</g>').format(axes.series(at), join(parts))
