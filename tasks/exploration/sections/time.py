"""What changes over time, and when there are no rows."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration.courses import Courses
from tasks.exploration.findings import Findings
from tasks.exploration.pauses import Pauses
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.charts import Course
from tasks.pages.figures import duration, moment, number, share

CHANGED = 0.02
MOST_LINES = 12


def section(charter: Charter, found: Findings) -> Section | None:
    """The target, the rows, the pauses and what changes most."""
    course = found.courses
    if course is None:
        return None
    lead = f"Per {course.period}, by {charter.data.time}."
    body = blocks.stack(
        _target(found, course), _rows(found, course), _pauses(found.pauses), _changes(found, course)
    )
    return Section("Change over time", lead, body)


def _target(found: Findings, course: Courses) -> Markup:
    lines = [
        Course(name, values, _moved(values, width, -1), _moved(values, width, 1))
        for name, values, width in course.target
    ]
    first = course.target[0][0]
    title = {"binary": f"Share of {first}", "regression": first}.get(
        found.truth.task, "Share of each class"
    )
    return charts.line(
        title,
        course.periods,
        lines,
        shown=number if found.truth.task == "regression" else share,
        caption="The band holds the mean with 95 % confidence.",
    )


def _rows(found: Findings, course: Courses) -> Markup:
    sampled = " of the sample" if found.rows < found.outside else ""
    counts = [Course("rows", [float(n) for n in course.rows])]
    return charts.line(f"Rows{sampled} per {course.period}", course.periods, counts, zero=True)


def _pauses(pauses: Pauses | None) -> Markup:
    if pauses is None:
        return blocks.NOTHING
    usual = f"99 of 100 new moments come within {duration(pauses.usual)} of the one before"
    if not pauses.longest:
        return blocks.prose(f"Rows come without a long pause: {usual}.")
    rows = [
        (moment(pause.start), moment(pause.end), duration(pause.seconds))
        for pause in pauses.longest[:MOST_LINES]
    ]
    count = len(pauses.longest)
    more = f" The {MOST_LINES} longest of {number(count)} are shown." if count > MOST_LINES else ""
    return blocks.stack(
        tables.table("Pauses", ("No row after", "until", "for"), rows),
        blocks.prose(
            f"Usually {usual}.{more} Ask whether nothing happened then, or whether the rows are "
            "missing: of what was not recorded the model learns nothing."
        ),
    )


def _changes(found: Findings, course: Courses) -> Markup:
    changing = [c for c in course.columns if c.change >= CHANGED and c.column not in found.aside]
    if not changing:
        return blocks.prose(
            "No column that may become a feature changes in more than 2 % of its rows."
        )
    table = tables.table(
        "Largest changes",
        ("Column", "Changed", "From", "What changed"),
        [(c.column, share(c.change), c.when, c.told) for c in changing[:MOST_LINES]],
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
    return blocks.stack(table, blocks.beside(*small))


def _moved(
    values: tuple[float | None, ...], width: tuple[float | None, ...], sign: int
) -> list[float | None]:
    return [
        None if v is None or w is None else v + sign * w for v, w in zip(values, width, strict=True)
    ]
