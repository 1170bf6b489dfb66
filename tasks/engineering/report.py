"""The recipe as a page: what goes in, what it is worth, what was left out and why."""

from __future__ import annotations

from tasks.engineer import Recipe
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables
from tasks.recipe.extent import FEW
from tasks.recipe.preparation import RARE

SHOWN = 30
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
    return Section(
        "Feature impact",
        f"{best.column} carries most: without it {metric} is {figures.number(best.mean)} worse.",
        chart,
    )


def _inputs(recipe: Recipe) -> Section:
    rows = [
        (column.name, KINDS[column.kind], _seen(recipe, column.name), _way(recipe, column.name))
        for column in recipe.signature.inputs
    ]
    lead = (
        "Missing numbers are filled with the median of the training rows, and a column of its own "
        "says that they were missing. A category that was never seen counts as unknown."
    )
    heads = ("Column", "Kind", "Seen in training", "Prepared")
    return Section("Inputs", lead, tables.table("Inputs", heads, rows, wrap=True))


def _seen(recipe: Recipe, name: str) -> str:
    column = next(column for column in recipe.signature.inputs if column.name == name)
    if column.kind == "text":
        more = ", …" if len(column.levels) > 5 else ""
        return f"{', '.join(column.levels[:5])}{more}"
    shown = figures.moment if column.kind == "time" else figures.number
    return f"{shown(column.low)} to {shown(column.high)}"


def _way(recipe: Recipe, name: str) -> str:
    column = next(column for column in recipe.signature.inputs if column.name == name)
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
    body = tables.table("Columns that are no inputs", ("Column", "Why"), rows, wrap=True)
    return Section("Left out", f"{len(rows)} columns are no inputs.", body)


def _pca(recipe: Recipe) -> Section:
    said = recipe.pca.explanation if recipe.pca else "Not tried."
    return Section("Principal components", "", blocks.prose(said))
