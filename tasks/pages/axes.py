"""The paper that charts are drawn on: scales, ticks, and SVG elements with escaped text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.pages.blocks import NOTHING, join
from tasks.pages.figures import number

NARROW = 360
WIDE = 760
"""Widths in SVG units. A wide chart is drawn twice, so that its text is readable on a phone."""

Format = Callable[[float], str]


@dataclass(frozen=True)
class Scale:
    """Values to positions along one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        part = (value - self.low) / span if span else 0.5
        return round(self.start + part * (self.end - self.start), 2)


@dataclass(frozen=True)
class Paper:
    """A drawing with room for axis labels around the plot."""

    width: int
    height: int
    left: float = 44
    right: float = 10
    top: float = 10
    bottom: float = 24

    def across(self, low: float, high: float) -> Scale:
        return Scale(low, high, self.left, self.width - self.right)

    def upward(self, low: float, high: float) -> Scale:
        return Scale(low, high, self.height - self.bottom, self.top)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values between both ends, at steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    rough = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= 0.7 * rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def span(values: Iterable[float | None], *, zero: bool = False) -> tuple[float, float]:
    """Both ends of an axis that holds the values, with a little room."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if zero:
        low, high = min(0.0, low), max(0.0, high)
    if low == high:
        return (low, low + 1) if zero else (low - 0.5, high + 0.5)
    room = 0.06 * (high - low)
    return (low if zero and low == 0 else low - room), high + room


def text(x: float, y: float, words: str, kind: str = "") -> Markup:
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(_at(x), _at(y), kind, words)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
        _at(x1), _at(y1), _at(x2), _at(y2), kind
    )


def box(
    x: float, y: float, width: float, height: float, kind: str, tip: str = "", radius: float = 0
) -> Markup:
    """A rectangle; `tip` is shown when the pointer rests on it."""
    corner = Markup(' rx="{}"').format(radius) if radius else NOTHING
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"{}>{}</rect>').format(
        _at(x), _at(y), _at(max(0.0, width)), _at(max(0.0, height)), kind, corner, _tip(tip)
    )


def dot(x: float, y: float, kind: str, tip: str = "", radius: float = 4) -> Markup:
    return Markup('<circle cx="{}" cy="{}" r="{}" class="{}">{}</circle>').format(
        _at(x), _at(y), radius, kind, _tip(tip)
    )


def path(points: Sequence[tuple[float, float]], kind: str, *, closed: bool = False) -> Markup:
    """A line through the points."""
    if not points:
        return NOTHING
    way = "M" + "L".join(f"{_at(x)} {_at(y)}" for x, y in points) + ("Z" if closed else "")
    return Markup('<path d="{}" class="{}"/>').format(way, kind)


def levels(paper: Paper, scale: Scale, shown: Format = number) -> Markup:
    """Horizontal grid lines with their values."""
    return join(
        line(paper.left, scale(at), paper.width - paper.right, scale(at), "grid")
        + text(paper.left - 6, scale(at) + 4, _short(shown(at)), "end")
        for at in ticks(scale.low, scale.high)
    )


def below(paper: Paper, scale: Scale, shown: Format = number, about: int = 4) -> Markup:
    """Values under the plot."""
    marks = ticks(scale.low, scale.high, about)
    base = paper.height - paper.bottom
    return join(
        line(scale(at), base, scale(at), base + 4, "axis")
        + text(scale(at), base + 17, _short(shown(at)), "middle")
        for at in marks
    )


def drawing(paper: Paper, title: str, description: str, marks: Markup) -> Markup:
    """The SVG element; title and description are for who does not see it."""
    kind = "narrow" if paper.width == NARROW else "wide"
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" class="{}" aria-label="{}"><desc>{}</desc>{}</svg>'
    ).format(paper.width, paper.height, kind, f"{title}. {description}", description, marks)


def figure(
    title: str,
    draw: Callable[[int], Markup],
    wide: bool,
    caption: str = "",
    legend: Sequence[str] = (),
) -> Markup:
    """The chart with its title above and its caption below; `draw` gets the width."""
    drawn = _twice(draw) if wide else draw(NARROW)
    keys = join(
        Markup('<span class="{}">{}</span>').format(series(at), name)
        for at, name in enumerate(legend)
    )
    return Markup('<figure class="chart"><p class="chart-title">{}</p>{}{}{}</figure>').format(
        title,
        Markup('<p class="legend">{}</p>').format(keys) if keys else NOTHING,
        drawn,
        Markup("<figcaption>{}</figcaption>").format(caption) if caption else NOTHING,
    )


def series(at: int) -> str:
    """The colour class of the series at this place."""
    return f"s{at % 7 + 1}"


def shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _twice(draw: Callable[[int], Markup]) -> Markup:
    return Markup('<div class="only-wide">{}</div><div class="only-narrow">{}</div>').format(
        draw(WIDE), draw(NARROW)
    )


def _tip(tip: str) -> Markup:
    return Markup("<title>{}</title>").format(tip) if tip else NOTHING


def _short(words: str) -> str:
    """A value on an axis, without the zeros that only say how exact it is."""
    return re.sub(r"(\.\d*?)0+(?=\D*$)", lambda found: found[1].rstrip("."), words)


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else "0"
