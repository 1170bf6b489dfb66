"""Charts of courses: lines over time, the convergence of a search, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Format, Paper, Scale
from tasks.pages.blocks import NOTHING, join
from tasks.pages.figures import number


@dataclass(frozen=True)
class Course:
    """One line: a value per period, and the band around it where there is one."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


def line(
    title: str,
    periods: Sequence[str],
    courses: Sequence[Course],
    *,
    caption: str = "",
    shown: Format = number,
    zero: bool = False,
    wide: bool = True,
) -> Markup:
    """One value per period and course; gaps stay gaps. `zero` lets the axis begin there."""
    low, high = axes.span(
        [value for course in courses for value in (*course.values, *course.low, *course.high)],
        zero=zero,
    )
    told = "; ".join(_told(course, shown) for course in courses)

    def draw(width: int) -> Markup:
        paper = Paper(width, 220 if width == axes.WIDE else 180, left=52)
        across, up = paper.across(0, max(1, len(periods) - 1)), paper.upward(low, high)
        drawn = join(
            Markup('<g class="{}">{}</g>').format(
                axes.series(at), _course(course, periods, across, up, shown)
            )
            for at, course in enumerate(courses)
        )
        marks = axes.levels(paper, up, shown) + drawn + _periods(paper, across, periods)
        return axes.drawing(paper, title, told, marks)

    names = [course.name for course in courses] if len(courses) > 1 else []
    return axes.figure(title, draw, wide, caption, names)


def convergence(
    title: str,
    scores: Sequence[tuple[float, float, str]],
    *,
    larger_is_better: bool = True,
    across_name: str = "trial",
    caption: str = "",
    shown: Format = number,
    wide: bool = True,
) -> Markup:
    """Every trial (position, score, group) as a dot coloured by group, the best so far as steps."""
    best = _best_so_far([(at, score) for at, score, _ in scores], larger_is_better)
    groups = list(dict.fromkeys(group for _, _, group in scores))
    low, high = axes.span([score for _, score, _ in scores])
    told = f"{len(scores)} trials, best {shown(best[-1][1])}" if best else "no trials"

    def draw(width: int) -> Markup:
        paper = Paper(width, 240 if width == axes.WIDE else 200, left=52, bottom=38)
        first, last = min((s[0] for s in scores), default=0), max((s[0] for s in scores), default=1)
        across, up = paper.across(first, max(last, first + 1)), paper.upward(low, high)
        dots = join(
            Markup('<g class="{}">{}</g>').format(
                axes.series(groups.index(group)),
                axes.dot(
                    across(at),
                    up(score),
                    "dot",
                    f"{group}, {across_name} {number(at)}: {shown(score)}",
                ),
            )
            for at, score, group in scores
        )
        steps = axes.path(
            _steps([(across(at), up(score)) for at, score in best], across(last)), "axis"
        )
        name = axes.text(width - paper.right, paper.height - 4, across_name, "end")
        marks = axes.levels(paper, up, shown) + axes.below(paper, across) + steps + dots + name
        return axes.drawing(paper, title, told, marks)

    return axes.figure(title, draw, wide, caption, groups if len(groups) > 1 else [])


def reliability(
    title: str,
    points: Sequence[tuple[float, float, float, float]],
    *,
    caption: str = "",
    wide: bool = False,
) -> Markup:
    """Mean prediction against what happened: (predicted, observed, low, high), all in 0 to 1."""
    told = "; ".join(f"said {number(p)}, was {number(o)}" for p, o, _, _ in points)
    most = min(1.0, 1.08 * max((max(p, o, high) for p, o, _, high in points), default=1.0))

    def draw(width: int) -> Markup:
        paper = Paper(width, 300, left=46, bottom=40)
        across, up = paper.across(0, most), paper.upward(0, most)
        ideal = axes.line(across(0), up(0), across(most), up(most), "guide")
        whiskers = join(
            axes.line(across(p), up(low), across(p), up(high), "whisker")
            for p, _, low, high in points
        )
        curve = axes.path([(across(p), up(o)) for p, o, _, _ in points], "curve")
        dots = join(
            axes.dot(across(p), up(o), "dot", f"said {number(p)}, was {number(o)}")
            for p, o, _, _ in points
        )
        names = axes.text(width - paper.right, paper.height - 4, "what was said", "end")
        drawn = Markup('<g class="s1">{}</g>').format(whiskers + curve + dots)
        marks = axes.levels(paper, up) + axes.below(paper, across) + ideal + drawn + names
        return axes.drawing(paper, title, told, marks)

    return axes.figure(title, draw, wide, caption)


def _course(
    course: Course, periods: Sequence[str], across: Scale, up: Scale, shown: Format
) -> Markup:
    marks = [_band(course, across, up)]
    for run in _runs(course.values):
        marks.append(axes.path([(across(at), up(value)) for at, value in run], "curve"))
    if len(periods) <= 62:
        marks += [
            axes.dot(
                across(at), up(value), "dot", f"{periods[at]}, {course.name}: {shown(value)}", 3
            )
            for at, value in enumerate(course.values)
            if value is not None
        ]
    return join(marks)


def _band(course: Course, across: Scale, up: Scale) -> Markup:
    ends = [
        (at, low, high)
        for at, (low, high) in enumerate(zip(course.low, course.high, strict=True))
        if low is not None and high is not None
    ]
    if not ends:
        return NOTHING
    there = [(across(at), up(high)) for at, _, high in ends]
    back = [(across(at), up(low)) for at, low, _ in reversed(ends)]
    return axes.path(there + back, "soft", closed=True)


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _periods(paper: Paper, across: Scale, periods: Sequence[str]) -> Markup:
    """As many names of periods as fit, at equal distances."""
    if not periods:
        return NOTHING
    wanted = max(1, int((paper.width - paper.left - paper.right) / 88))
    step = max(1, -(-len(periods) // wanted))
    base = paper.height - paper.bottom + 17
    floor = axes.line(paper.left, base - 17, paper.width - paper.right, base - 17, "axis")
    last = len(periods) - 1
    return floor + join(
        axes.text(across(at), base, periods[at], "end" if at == last else "middle")
        for at in range(0, len(periods), step)
    )


def _best_so_far(scores: Sequence[tuple[float, float]], larger: bool) -> list[tuple[float, float]]:
    best: list[tuple[float, float]] = []
    for at, score in scores:
        if not best or (score > best[-1][1] if larger else score < best[-1][1]):
            best.append((at, score))
    return best


def _steps(points: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    stairs: list[tuple[float, float]] = []
    for x, y in points:
        if stairs:
            stairs.append((x, stairs[-1][1]))
        stairs.append((x, y))
    return [*stairs, (end, stairs[-1][1])] if stairs else stairs


def _told(course: Course, shown: Format) -> str:
    known = [value for value in course.values if value is not None]
    if not known:
        return f"{course.name}: no values"
    return f"{course.name}: from {shown(known[0])} to {shown(known[-1])}, between {shown(min(known))} and {shown(max(known))}"
