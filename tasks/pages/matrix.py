"""The heat map: how strongly each thing goes with each other thing."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Paper
from tasks.pages.blocks import NOTHING, join

MOST = 20
"""Characters of a name that are shown."""
FAINTEST, STRONGEST = 0.06, 0.7
"""Opacity of a cell from 0 to 1; the number in it has to stay readable."""


def heat_map(
    title: str,
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    columns: Sequence[str] | None = None,
    caption: str = "",
) -> Markup:
    """A value from -1 to 1 per row and column; stronger is more opaque, the sign is the hue.

    `columns` names the columns where they are not the rows (a confusion matrix).
    """
    heads = list(names if columns is None else columns)
    margin, above = _room(names), 0.72 * _room(heads)
    width = max(22.0, min(58.0, (axes.WIDE - margin - 10) / max(1, len(heads))))
    height = width if columns is None else min(width, 30.0)
    whole = int(margin + width * len(heads) + above + 10)
    paper = Paper(whole, int(above + height * len(names) + 24), left=margin, top=above + 12)
    rows = join(
        _row(paper, (width, height), at, name, heads, values[at]) for at, name in enumerate(names)
    )
    top = join(
        _slanted(paper.left + width * (at + 0.5), paper.top - 6, axes.shortened(head, MOST))
        for at, head in enumerate(heads)
    )
    svg = axes.drawing(paper, title, _told(names, heads, values), top + rows)
    held = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
        '<div style="width:{}px">{}</div></div>'
    ).format(title, whole, svg)
    note = Markup("<figcaption>{}</figcaption>").format(caption) if caption else NOTHING
    return Markup('<figure class="chart"><p class="chart-title">{}</p>{}{}</figure>').format(
        title, held, note
    )


def _room(names: Sequence[str]) -> float:
    return 12.0 + 7.0 * min(MOST, max((len(name) for name in names), default=0))


def _row(
    paper: Paper,
    size: tuple[float, float],
    at: int,
    name: str,
    heads: Sequence[str],
    values: Sequence[float | None],
) -> Markup:
    width, height = size
    y = paper.top + height * at
    cells = [axes.text(paper.left - 6, y + height / 2 + 4, axes.shortened(name, MOST), "name end")]
    for column, value in enumerate(values):
        x = paper.left + width * column
        tip = f"{name} and {heads[column]}: {'–' if value is None else f'{value:.2f}'}"
        cells.append(_cell(x, y, size, value, tip))
        if width >= 30 and value is not None:
            middle = (x + width / 2, y + height / 2 + 4)
            cells.append(axes.text(*middle, f"{value:.2f}", "value middle"))
    return join(cells)


def _cell(x: float, y: float, size: tuple[float, float], value: float | None, tip: str) -> Markup:
    held = axes.box(x + 0.5, y + 0.5, size[0] - 1, size[1] - 1, "cell-none", tip, 2)
    if value is None or abs(value) < 0.005:
        return held
    kind = "cell-positive" if value > 0 else "cell-negative"
    strength = round(FAINTEST + (STRONGEST - FAINTEST) * min(1.0, abs(value)), 3)
    return held + Markup('<g opacity="{}">{}</g>').format(
        strength, axes.box(x + 0.5, y + 0.5, size[0] - 1, size[1] - 1, kind, tip, 2)
    )


def _slanted(x: float, y: float, words: str) -> Markup:
    return Markup(
        '<text x="{0:.1f}" y="{1:.1f}" class="name" transform="rotate(-45 {0:.1f} {1:.1f})">{2}</text>'
    ).format(x, y, words)


def _told(
    names: Sequence[str], heads: Sequence[str], values: Sequence[Sequence[float | None]]
) -> str:
    pairs = [
        (abs(value), f"{name} and {head} {value:.2f}")
        for name, row in zip(names, values, strict=True)
        for head, value in zip(heads, row, strict=True)
        if value is not None and name != head
    ]
    return "Strongest: " + "; ".join(words for _, words in sorted(pairs, reverse=True)[:6])
