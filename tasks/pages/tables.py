"""Tables, verdict badges and the small bars inside of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from charter import Verdict
from tasks.pages.blocks import join
from tasks.pages.figures import number

Cell = str | int | float | None


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, wrap: bool = False
) -> Markup:
    """A table whose first column names the rows.

    Numbers are formatted and stand right; for other formats give text (`figures.share(...)`), and
    a column counts as numeric when all of its cells look like one. `wrap` lets long texts of the
    last column break into lines.
    """
    body = [tuple(row) for row in rows]
    numeric = [_is_numeric([row[at] for row in body]) for at in range(len(heads))]
    head = join(_head(name, right, wrap) for name, right in zip(heads, numeric, strict=True))
    lines = join(_line(row, numeric, wrap) for row in body)
    group, line = _role(wrap, "rowgroup"), _role(wrap, "row")
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}">'
        '<table class="{1}"{2}><caption>{0}</caption><thead{3}><tr{4}>{5}</tr></thead>'
        "<tbody{3}>{6}</tbody></table></div>"
    ).format(caption, "wraps" if wrap else "", _role(wrap, "table"), group, line, head, lines)


def _head(name: str, right: bool, wrap: bool) -> Markup:
    if not name:  # a corner that names nothing is no heading
        return Markup("<td{}></td>").format(_role(wrap, "cell"))
    cell = Markup('<th scope="col"{}{}>{}</th>')
    return cell.format(_align(right), _role(wrap, "columnheader"), name)


def _line(row: Sequence[Cell], numeric: Sequence[bool], wrap: bool) -> Markup:
    first = Markup('<th scope="row"{}{}>{}</th>').format(
        _align(numeric[0]), _role(wrap, "rowheader"), _text(row[0])
    )
    rest = join(
        Markup("<td{}{}>{}</td>").format(_align(right), _role(wrap, "cell"), _text(cell))
        for cell, right in zip(row[1:], numeric[1:], strict=True)
    )
    return Markup("<tr{}>{}{}</tr>").format(_role(wrap, "row"), first, rest)


def _role(wrap: bool, role: str) -> Markup:
    """What the element is, said aloud: on a phone, wrapped tables are no tables to the browser."""
    return Markup(' role="{}"').format(role) if wrap else Markup("")


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else number(cell)


def _align(right: bool) -> Markup:
    return Markup(' class="num"') if right else Markup("")


def _is_numeric(cells: Sequence[Cell]) -> bool:
    filled = [cell for cell in cells if cell not in (None, "", "–")]
    return bool(filled) and all(_looks_numeric(cell) for cell in filled)


def _looks_numeric(cell: Cell) -> bool:
    if isinstance(cell, Markup):
        return False
    return not isinstance(cell, str) or (
        cell[:1] in "0123456789<>−∞" and cell[-1] in "0123456789%∞"
    )


def badge(verdict: Verdict) -> Markup:
    """Passed, warning or failed, as a word with a sign (never by colour alone)."""
    if verdict.passed:
        return Markup('<span class="badge good">✓ passed</span>')
    if verdict.level == "warn":
        return Markup('<span class="badge warn">! warning</span>')
    return Markup('<span class="badge bad">✕ failed</span>')


def verdicts(given: Iterable[Verdict], caption: str = "Gates and their verdicts") -> Markup:
    """One row per verdict; what failed comes first."""
    ordered = sorted(given, key=lambda verdict: (verdict.passed, not verdict.stops))
    return table(
        caption,
        ("Gate", "Verdict", "What was found"),
        [
            (Markup("<code>{}</code>").format(verdict.gate), badge(verdict), verdict.message)
            for verdict in ordered
        ],
        wrap=True,
    )


def meter(share: float | None, text: str | None = None) -> Markup:
    """A bar from 0 to 1 with its number, for a cell."""
    if share is None:
        return Markup('<span class="quiet">–</span>')
    width = max(0.0, min(1.0, share))
    return Markup(
        '<span class="meter"><span class="meter-track" aria-hidden="true">'
        '<span style="width:{:.1f}%"></span></span><span class="meter-text">{}</span></span>'
    ).format(100 * width, f"{share:.2f}" if text is None else text)
