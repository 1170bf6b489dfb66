"""Charts and tables of the page, one function per section."""

from __future__ import annotations

from markupsafe import Markup

from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.exploration.gaps import ALIKE, together
from tasks.exploration.rates import rates
from tasks.pages import blocks, charts, tables
from tasks.pages.charts import Course
from tasks.pages.figures import moment, number, share

MOST_BARS = 20
MOST_CHARTS = 60
MOST_MAPPED = 24


def target(found: Findings) -> Markup:
    """How often each class is, or how the numbers spread."""
    truth = found.truth
    if truth.task == "regression":
        return blocks.beside(_histogram(found.target), _quantiles(found.target))
    known = found.rows - truth.missing
    classes = sorted(zip(truth.classes, truth.counts, strict=True), key=lambda pair: -pair[1])
    items = [(name, rows / known) for name, rows in classes]
    chart = charts.bars("Share of each class", items[:MOST_BARS], shown=share, top=1.0)
    table = tables.table(
        "Rows per class",
        ("Class", "Rows", "Share"),
        [(name, rows, share(rows / known)) for name, rows in classes],
    )
    return blocks.beside(chart, table)


def relations(found: Findings) -> Markup:
    """Every column's strength, and the target along the strongest columns."""
    shown = found.open[:MOST_BARS]
    more = len(found.open) - len(shown)
    bars = charts.bars(
        "Strength of each column alone",
        [(relation.column, relation.strength) for relation in shown],
        shown=lambda value: f"{value:.2f}",
        top=1.0,
        wide=True,
        caption=f"{number(more)} weaker columns are left out." if more > 0 else "",
    )
    telling = [relation for relation in found.open if relation.strength >= 0.005][:6]
    small = blocks.beside(*(rates(found, relation) for relation in telling))
    aside = [relation for relation in found.relations if relation.column in found.aside]
    rows = [(r.column, found.aside[r.column], tables.meter(r.strength)) for r in aside]
    table = tables.table("Not features", ("Column", "Why not", "Strength alone"), rows)
    folded = blocks.fold("Columns that cannot become features", table) if rows else ""
    return blocks.stack(bars if shown else "", small if telling else "", folded)


def columns(found: Findings) -> Markup:
    """One line per column, then the shape of each."""
    rows = [_line(found, content) for content in found.columns]
    heads = ("Column", "Role", "Missing", "Different", "Centre", "Spread", "Tells the target")
    shapes = [chart for content in found.columns[:MOST_CHARTS] if (chart := _shape(found, content))]
    numbers = [content for content in found.columns if content.quantiles]
    return blocks.stack(
        tables.table("All columns", heads, rows),
        blocks.fold("Shape of each column", blocks.beside(*shapes)) if shapes else "",
        blocks.fold("Quantiles of numbers and times", _spread(numbers)) if numbers else "",
    )


def missing(found: Findings) -> Markup:
    """How much is missing where, and what is missing together."""
    gappy = sorted((c for c in found.columns if c.missing), key=lambda c: -c.missing)
    chart = charts.bars(
        "Share of missing values",
        [(content.name, content.missing / found.rows) for content in gappy[:MOST_BARS]],
        shown=share,
    )
    groups = [", ".join(group) for group in together(found.overlaps)]
    pairs = [overlap for overlap in found.overlaps if 0.2 <= overlap.jaccard < ALIKE][:12]
    table = tables.table(
        "Often missing in the same rows",
        ("Columns", "Rows", "Share"),
        [(f"{o.one}, {o.other}", o.rows, share(o.jaccard)) for o in pairs],
    )
    said = blocks.subheading("Nearly always missing together") + blocks.points(groups)
    right = blocks.stack(said if groups else "", table if pairs else "")
    return blocks.beside(chart, right if groups or pairs else "")


def associations(found: Findings) -> Markup:
    """The matrix of the columns that say most, and the strongest pairs."""
    names = list(found.associations.columns[:MOST_MAPPED])
    value = {(p.one, p.other): p.value for p in found.associations.pairs}
    matrix = [
        [1.0 if a == b else value.get((a, b), value.get((b, a))) for b in names] for a in names
    ]
    left_out = len(found.associations.columns) - len(names)
    caption = "Green goes together, brown goes against; groupings have no direction." + (
        f" {number(left_out)} columns that tell less about the target are left out."
        if left_out
        else ""
    )
    pairs = [
        (
            f"{p.one}, {p.other}",
            p.measure,
            f"{p.value:.2f}",
            "–" if p.pearson is None else f"{p.pearson:.2f}",
        )
        for p in found.associations.pairs[:15]
    ]
    heads = ("Columns", "Measure", "Value", "Pearson")
    if len(names) < 2:
        return blocks.prose("There are no two columns to compare.")
    return blocks.stack(
        charts.heat_map("Associations", names, matrix, caption=caption),
        blocks.fold("Strongest pairs", tables.table("Strongest pairs", heads, pairs)),
    )


def over_time(found: Findings) -> Markup:
    """The target, the rows and what changes most."""
    course = found.courses
    if course is None:
        return blocks.NOTHING
    lines = [
        Course(name, values, _moved(values, width, -1), _moved(values, width, 1))
        for name, values, width in course.target
    ]
    shown = number if found.truth.task == "regression" else share
    first = course.target[0][0]
    title = {"binary": f"Share of {first}", "regression": first}.get(
        found.truth.task, "Share of each class"
    )
    rows = charts.line(
        f"Rows per {course.period}",
        course.periods,
        [Course("rows", [float(n) for n in course.rows])],
        zero=True,
    )
    changing = [c for c in course.columns if c.change >= 0.02 and c.column not in found.aside]
    table = tables.table(
        "Largest changes",
        ("Column", "Changed", "From", "What changed"),
        [(c.column, share(c.change), c.when, c.told) for c in changing[:12]],
        wrap=True,
    )
    small = [
        charts.line(
            f"{c.column}: {c.what}",
            course.periods,
            [Course(c.what, c.values)],
            shown=number if c.what == "mean" else share,
            wide=False,
        )
        for c in changing[:4]
    ]
    return blocks.stack(
        charts.line(
            title,
            course.periods,
            lines,
            shown=shown,
            caption="The band holds the mean with 95 % confidence.",
        ),
        rows,
        table
        if changing
        else blocks.prose(
            "No column that may become a feature changes in more than 2 % of its rows."
        ),
        blocks.beside(*small) if small else "",
    )


def _moved(
    values: tuple[float | None, ...], width: tuple[float | None, ...], sign: int
) -> list[float | None]:
    return [
        None if v is None or w is None else v + sign * w for v, w in zip(values, width, strict=True)
    ]


def _line(found: Findings, content: Content) -> tuple[str, ...]:
    strength = found.strength(content.name)
    told = Markup("target") if content.field == found.truth.field else tables.meter(strength)
    return (
        content.name,
        content.role,
        share(content.missing / found.rows),
        number(content.distinct),
        _centre(found, content),
        _width(content),
        told,
    )


def _centre(found: Findings, content: Content) -> str:
    if content.quantiles:
        return (
            moment(content.quantiles[3])
            if content.field.kind == "time"
            else number(content.quantiles[3])
        )
    if content.levels:
        name, rows = content.levels[0]
        filled = found.rows - content.missing
        return f"{name if len(name) <= 24 else name[:23] + '…'} ({share(rows / filled)})"
    return ""


def _width(content: Content) -> str:
    if not content.quantiles:
        return ""
    low, high = content.quantiles[1], content.quantiles[5]
    if content.field.kind == "time":
        return f"{moment(low)[:10]} to {moment(high)[:10]}"
    return f"{number(low)} to {number(high)}"


def _shape(found: Findings, content: Content) -> Markup:
    if content.levels:
        filled = found.rows - content.missing
        items = [(name, rows / filled) for name, rows in content.levels[:8]]
        more = content.distinct - len(items)
        caption = f"and {number(more)} more" if more > 0 else ""
        return charts.bars(content.name, items, shown=share, caption=caption)
    return _histogram(content)


def _histogram(content: Content) -> Markup:
    held = content.histogram
    if held is None:
        return blocks.NOTHING
    caption = f"{number(held.outside)} rows lie outside of this range." if held.outside else ""
    shown = moment if content.field.kind == "time" else number
    return charts.histogram(content.name, held.edges, held.counts, caption=caption, shown=shown)


def _quantiles(content: Content) -> Markup:
    names = ("1 %", "5 %", "25 %", "50 %", "75 %", "95 %", "99 %")
    rows: list[tuple[str, str]] = [("smallest", number(content.low))]
    rows += [(name, number(value)) for name, value in zip(names, content.quantiles, strict=True)]
    rows += [
        ("largest", number(content.high)),
        ("mean", number(content.mean)),
        ("standard deviation", number(content.std)),
    ]
    return tables.table(f"{content.name} in numbers", ("Quantile", "Value"), rows)


def _spread(contents: list[Content]) -> Markup:
    heads = ("Column", "Smallest", "5 %", "25 %", "50 %", "75 %", "95 %", "Largest", "Mean", "Std.")
    rows = []
    for content in contents:
        shown = moment if content.field.kind == "time" else number
        ends = [content.low, *content.quantiles[1:6], content.high]
        std = "–" if content.field.kind == "time" else number(content.std)
        rows.append((content.name, *(shown(value) for value in ends), shown(content.mean), std))
    return tables.table("Quantiles", heads, rows)
