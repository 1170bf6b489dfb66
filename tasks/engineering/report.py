"""The recipe as a page: what goes in, what it is worth, what was left out and why."""

from __future__ import annotations

from markupsafe import Markup

from serving.signature import Input
from tasks.engineer import Recipe
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables
from tasks.recipe.extent import FEW
from tasks.recipe.preparation import RARE

SHOWN = 30
LISTED = 300
"""Inputs that the table has, and columns that are none."""
KINDS = {"number": "number", "flag": "true or false", "time": "time", "text": "category"}


def write(recipe: Recipe, metric: str) -> None:
    """Write the page to the place that the recipe names."""
    inputs = recipe.signature.inputs
    html = render(
        title=f"{recipe.project}: recipe",
        subtitle=f"How the columns become inputs for {recipe.signature.target}",
        project=recipe.project,
        facts=[
            Fact("inputs", f"{len(inputs)}", "raw columns that a caller sends"),
            Fact("left out", f"{len(recipe.dropped)}", "each with its reason below"),
            Fact(
                "principal components",
                f"{recipe.pca.components}" if recipe.pca and recipe.pca.kept else "none",
                "for learners that are scaled",
            ),
        ],
        sections=[_impact(recipe, metric), _inputs(recipe), _left_out(recipe), _pca(recipe),
                  Section("Verdicts", "", tables.verdicts(recipe.verdicts))],
        links=siblings("Recipe", recipe.project),
        footer=f"Recipe {recipe.fingerprint[:12]}; made from training rows only.",
    )  # fmt: skip
    keep(recipe.page, html)


def _impact(recipe: Recipe, metric: str) -> Section:
    if not recipe.impact:
        return Section("Feature impact", f"{metric} has no value on the rows that would judge.")
    best = recipe.impact[0]
    items = [(one.column, one.mean, one.low, one.high) for one in recipe.impact[:SHOWN]]
    chart = charts.intervals(
        f"Loss of {metric} when one column is permuted",
        items,
        caption="A quick boosting, fitted on earlier training rows and judged on later ones; the "
        "ends are a 95 % interval over the rows. Columns that say the same share their worth, so "
        "each of them may look worthless.",
        shown=lambda loss: figures.number(loss) if abs(loss) >= 5e-4 else "0",
        mark=0.0,
        wide=True,
    )
    unsaid = len(recipe.signature.inputs) - len(recipe.impact)
    said = blocks.prose(
        f"{unsaid:,} inputs that the quick boosting gains less from were not permuted one by one."
    )
    return Section(
        "Feature impact",
        f"{best.column} carries most: without it {metric} is {figures.number(best.mean)} worse.",
        blocks.stack(chart, said if unsaid else ""),
    )


def _inputs(recipe: Recipe) -> Section:
    inputs = recipe.signature.inputs
    told = dict.fromkeys([one.column for one in recipe.impact] + [one.name for one in inputs])
    named = set(list(told)[:LISTED])
    rows = [
        (column.name, KINDS[column.kind], _seen(column), _way(recipe, column))
        for column in inputs
        if column.name in named
    ]
    lead = (
        "Missing numbers are filled with the median of the training rows, and a column of its own "
        "says that they were missing. A category that was never seen counts as unknown."
    )
    heads = ("Column", "Kind", "Seen in training", "Prepared")
    table = tables.table("Inputs", heads, rows, wrap=True)
    return Section("Inputs", lead, blocks.stack(table, _rest(len(inputs) - len(rows))))


def _rest(left: int) -> Markup:
    if not left:
        return blocks.NOTHING
    said = f"{left:,} more, those worth least, are left out here; signature.json beside the model card has all."
    return blocks.prose(said)


def _seen(column: Input) -> str:
    if column.kind == "text":
        more = ", …" if len(column.levels) > 5 else ""
        return f"{', '.join(column.levels[:5])}{more}"
    shown = figures.moment if column.kind == "time" else figures.number
    return f"{shown(column.low)} to {shown(column.high)}"


def _way(recipe: Recipe, column: Input) -> str:
    name = column.name
    if column.kind == "time":
        return f"calendar: {', '.join(recipe.parts.get(name, ()))}"
    if column.kind != "text":
        reduced = recipe.pca is not None and recipe.pca.kept and name in recipe.pca.columns
        return "principal components where scaled" if reduced else "as it is, or scaled"
    if len(column.levels) <= min(FEW, recipe.categories):
        return f"one column per level seen {RARE} times or more"
    return (
        f"numbered for trees, else one column for each of the {recipe.categories} most frequent "
        "levels"
    )


def _left_out(recipe: Recipe) -> Section:
    rows = [(column.column, column.why) for column in recipe.dropped]
    if not rows:
        return Section("Left out", "Every column is an input.")
    heads, more = ("Column", "Why"), len(rows) - LISTED
    body = tables.table("Columns that are no inputs", heads, rows[:LISTED], wrap=True)
    rest = blocks.prose(f"{more:,} more are not listed here.") if more > 0 else blocks.NOTHING
    return Section("Left out", f"{len(rows)} columns are no inputs.", blocks.stack(body, rest))


def _pca(recipe: Recipe) -> Section:
    said = recipe.pca.explanation if recipe.pca else "Not tried."
    return Section("Principal components", "", blocks.prose(said))
