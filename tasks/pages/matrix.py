"""The heat map: how strongly each thing goes with each other thing."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from tasks.pages import axes
from tasks.pages.axes import Paper
from tasks.pages.blocks import NOTHING, join


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
    longest = max((len(name) for name in [*names, *heads]), default=0)
    margin = min(12.0 + 7.0 * longest, 150)
    size = max(22.0, min(58.0, (axes.WIDE - margin - 10) / max(1, len(heads))))
    width = int(margin + size * len(heads) + 10 + 0.62 * margin)
    paper = Paper(
        width, int(0.72 * margin + size * len(names) + 24), left=margin, top=0.72 * margin + 12
    )
    fits = int((margin - 10) / 6.6)
    rows = join(
        axes.text(
            margin - 6, paper.top + size * (at + 0.5) + 4, axes.shortened(name, fits), "name end"
        )
        + _row(paper, size, at, name, heads, values[at])
        for at, name in enumerate(names)
    )
    top = join(
        _slanted(paper.left + size * (at + 0.5), paper.top - 6, axes.shortened(head, fits))
        for at, head in enumerate(heads)
    )
    svg = axes.drawing(paper, title, _told(names, heads, values), top + rows)
    held = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
        '<div style="width:{}px">{}</div></div>'
    ).format(title, width, svg)
    note = Markup("<figcaption>{}</figcaption>").format(caption) if caption else NOTHING
    return Markup('<figure class="chart"><p class="chart-title">{}</p>{}{}</figure>').format(
        title, held, note
    )


def _row(
    paper: Paper,
    size: float,
    at: int,
    name: str,
    heads: Sequence[str],
    values: Sequence[float | None],
) -> Markup:
    y = paper.top + size * at
    cells = []
    for column, value in enumerate(values):
        x = paper.left + size * column
        tip = f"{name} and {heads[column]}: {'–' if value is None else f'{value:.2f}'}"
        cells.append(_cell(x, y, size, value, tip))
        if size >= 30 and value is not None:
            cells.append(axes.text(x + size / 2, y + size / 2 + 4, f"{value:.2f}", "value middle"))
    return join(cells)


def _cell(x: float, y: float, size: float, value: float | None, tip: str) -> Markup:
    held = axes.box(x + 0.5, y + 0.5, size - 1, size - 1, "cell-none", tip, 2)
    if value is None or abs(value) < 0.005:
        return held
    kind = "cell-positive" if value > 0 else "cell-negative"
    strength = round(0.06 + 0.64 * min(1.0, abs(value)), 3)
    return held + Markup('<g opacity="{}">{}</g>').format(
        strength, axes.box(x + 0.5, y + 0.5, size - 1, size - 1, kind, tip, 2)
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
