"""How wide the prepared matrix is and what its steps weigh, before they are fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.models.base import Style
from tasks.models.foreseen import NUMBER, Foreseen

if TYPE_CHECKING:
    from serving.signature import Input
    from tasks.engineer import Recipe

GRAPH, STEP, LEVEL, PART = 2_500.0, 500.0, 24.0, 300.0
"""Bytes of any graph, of one more step, of a level of a category besides its letters, and of the
arithmetic of a calendar part."""
FEW = 16
"""Most levels that a tree gets as columns of their own; more are numbered."""


@dataclass(frozen=True)
class Extent:
    """Of one style of preparation."""

    columns: int
    """Without those that say what was missing."""
    weight: Foreseen


def extent(recipe: Recipe, style: Style) -> Extent:
    """What the recipe and its signature tell; levels beyond those the signature lists are not
    counted."""
    if style == "rules":
        count = len(recipe.heuristic.columns) if recipe.heuristic else 0
        return Extent(2, Foreseen(GRAPH + STEP * count, micros=15.0 + 2.0 * count))
    if style == "both":
        tree, scaled = extent(recipe, "tree"), extent(recipe, "scaled")
        return Extent(1 + tree.columns + scaled.columns, tree.weight + scaled.weight)
    plain = [column for column in recipe.signature.inputs if column.kind in ("number", "flag")]
    texts = [column for column in recipe.signature.inputs if column.kind == "text"]
    parts = sum(map(len, recipe.parts.values())) * (2 if style == "scaled" else 1)
    levels = sum(_levels(recipe, column, style) for column in texts)
    letters = sum(len(level) + LEVEL for column in texts for level in column.levels)
    total = GRAPH + 6 * STEP + 4 * NUMBER * len(plain) + letters + PART * parts
    micros = 15.0 + 3.0 * len(recipe.parts) * 10 + 0.5 * len(texts) + 0.05 * len(plain)
    return Extent(_plain(recipe, len(plain), style) + levels + parts, Foreseen(total, micros))


def _plain(recipe: Recipe, count: int, style: Style) -> int:
    if style == "tree" or recipe.pca is None or not recipe.pca.kept:
        return count
    return count - len(recipe.pca.columns) + recipe.pca.components


def _levels(recipe: Recipe, column: Input, style: Style) -> int:
    most = min(FEW, recipe.categories) if style == "tree" else recipe.categories
    if style == "tree" and len(column.levels) > most:
        return 1
    return max(1, min(len(column.levels), most))
