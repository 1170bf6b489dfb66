"""The appraisal as a section of the study's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.appraisal.spoken import figure
from tasks.generators import CATALOGUE
from tasks.pages import Section, blocks, charts, figures, tables

if TYPE_CHECKING:
    from markupsafe import Markup

    from tasks.appraise import Appraisal, Point

ABOUT = {one.name: one.about for one in CATALOGUE}


def sections(made: Appraisal) -> tuple[Section, Section]:
    """Both questions with their answers."""
    return _curve(made), _generation(made)


def _generation(made: Appraisal) -> Section:
    found, heading = made.generation, "Would generated rows help?"
    if not found.tries:
        return Section(heading, found.words)
    told = [
        (one.name, one.gain.value, one.gain.low, one.gain.high)
        for one in found.tries
        if one.gain is not None
    ]
    rows = [
        (f"{'→ ' * one.kept}{one.name}: {ABOUT[one.name]}", f"{one.seconds:.1f}", one.why)
        for one in found.tries
    ]
    return Section(
        heading,
        found.words,
        blocks.stack(
            charts.intervals(
                f"Gain in {made.metric} with generated rows", told, mark=0.0, shown=figure,
                caption="Over the model without them, on the same folds; fitted with generated rows, "
                "judged on real ones. The 95 % intervals (Nadeau and Bengio, 2003) are right for "
                "all of them together.",
            )
            if told
            else "",
            tables.table("Ways of making rows", ("Way", "Seconds", "Why"), rows,
                         wrap=True),
        ),
    )  # fmt: skip


def _curve(made: Appraisal) -> Section:
    """The answer, the curve it rests on, and how it was made."""
    curve = made.curve
    if not curve.points:
        return Section("Is there enough data?", curve.words)
    return Section(
        "Is there enough data?",
        curve.words,
        blocks.stack(
            charts.growth(
                f"{made.metric} by number of rows",
                [_mark(point) for point in curve.points],
                [_mark(point) for point in curve.course],
                now=made.rows,
                caption="The same model on parts of the rows, judged on the same folds; "
                "with 95 % intervals. Every doubling is as wide as the others.",
            ),
            blocks.points(notes) if (notes := _notes(made)) else "",
            blocks.fold("The curve in numbers", _table(made)),
        ),
    )


def _mark(point: Point) -> tuple[float, float, float, float]:
    return (point.rows, point.score, point.low, point.high)


def _notes(made: Appraisal) -> list[str]:
    curve = made.curve
    notes = []
    if curve.twice is not None and curve.worth:
        share = figures.share(curve.twice.value / curve.worth)
        notes.append(
            f"What twice the rows would bring is {share} of what the model gains over knowing "
            f"nothing ({figure(curve.worth)} of {made.metric})."
        )
    if curve.missed:
        notes.append(
            f"The same forecast, made with half of the rows, missed what all of them gave by "
            f"{figure(curve.missed)}; the interval is that much wider on both sides."
        )
    if curve.course:
        notes.append(
            "The line is an inverse power law (Figueroa et al., 2012; Hestness et al., 2017); its "
            "band comes from folds and rows drawn anew. The parameters are those found for all "
            "rows, which may suit fewer rows less and make the line steeper than it is."
        )
    return notes


def _table(made: Appraisal) -> Markup:
    rows = [
        (f"{point.rows:,}", point.score, figures.interval(point.low, point.high))
        for point in made.curve.points
    ]
    return tables.table("Measured", ("Rows", made.metric, "95 % interval"), rows)
