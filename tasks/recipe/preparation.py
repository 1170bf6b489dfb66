"""The steps between raw columns and the estimator's matrix, per style of learner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from charter.heuristic import spoken
from tasks.models.base import Style
from tasks.recipe.beside import Beside
from tasks.recipe.calendar import Calendar
from tasks.recipe.extent import FEW
from tasks.recipe.rules import FirstRule, plain
from tasks.recipe.single import Single

if TYPE_CHECKING:
    from tasks.engineer import Recipe

Member = tuple[str, BaseEstimator, list[str]]

RARE = 10
"""Levels seen in fewer training rows share one column."""


def preparation(recipe: Recipe, style: Style) -> Pipeline:
    """Raw columns in, float64 matrix out (values rounded to float32); unfitted.

    Either style fills missing numbers with the median (flags and calendar parts: the most frequent
    value) and add one column per input that had missing values in training. `tree` numbers
    categories of many levels and leaves numbers as they are; `scaled` standardises numbers, puts
    times on a circle, gives each frequent level a column, and replaces redundant numbers by their
    principal components where the recipe found that this pays. `both` puts them side by side. `rules` gives the number of the
    charter's rule that holds, and what it says.
    """
    if style == "rules":
        return Pipeline([("rules", _rules(recipe)), ("single", Single())])
    if style == "both":
        return Pipeline(
            [("both", Beside(preparation(recipe, "tree"), preparation(recipe, "scaled")))]
        )
    members = _tree(recipe) if style == "tree" else _scaled(recipe)
    columns = ColumnTransformer(
        [*members, *_missing(recipe)], remainder="drop", sparse_threshold=0.0
    )
    return Pipeline([("columns", columns), ("single", Single())])


def _rules(recipe: Recipe) -> FirstRule:
    heuristic, signature = recipe.heuristic, recipe.signature
    assert heuristic is not None  # the ladder does not try it without
    tests = tuple(
        tuple(plain(test, test.column in signature.texts) for test in rule.tests)
        for rule in heuristic.rules
    )
    classes = {label: float(place) for place, label in enumerate(signature.classes)}
    says = (classes[spoken(one)] if classes else float(one) for one in heuristic.answers)
    return FirstRule(tests, tuple(says))


def _tree(recipe: Recipe) -> list[Member]:
    few = [name for name, levels in _texts(recipe) if levels <= min(FEW, recipe.categories)]
    many = [name for name, _ in _texts(recipe) if name not in few]
    return _present(
        [
            ("numbers", _fill("median"), _kind(recipe, "number")),
            ("flags", _fill("most_frequent"), _kind(recipe, "flag")),
            ("few", _columns(recipe), few),
            ("many", _numbered(), many),
            *_times(recipe, cyclic=False),
        ]
    )


def _scaled(recipe: Recipe) -> list[Member]:
    redundant = list(recipe.pca.columns) if recipe.pca and recipe.pca.kept else []
    components = recipe.pca.components if recipe.pca else 0
    plain = [name for name in _kind(recipe, "number") if name not in redundant]
    levels = [name for name, _ in _texts(recipe)]
    return _present(
        [
            ("numbers", _chain(_fill("median"), StandardScaler()), plain),
            ("redundant", reduction(components), redundant),
            ("flags", _chain(_fill("most_frequent"), StandardScaler()), _kind(recipe, "flag")),
            ("levels", _columns(recipe), levels),
            *_times(recipe, cyclic=True),
        ]
    )


def reduction(components: int) -> Pipeline:
    """Redundant numbers to their principal components; the first spread most and weigh most."""
    pca = PCA(n_components=components, svd_solver="full")
    return _chain(_fill("median"), StandardScaler(), pca)


def _times(recipe: Recipe, cyclic: bool) -> list[Member]:
    return [
        (f"calendar {name}", _chain(Calendar(parts=parts, cyclic=cyclic), _fill("median")), [name])
        for name, parts in recipe.parts.items()
        if parts
    ]


def _missing(recipe: Recipe) -> list[Member]:
    names = [column.name for column in recipe.signature.inputs if column.kind != "text"]
    indicator = MissingIndicator(features="missing-only", error_on_new=False, sparse=False)
    return _present([("missing", indicator, names)])


def _fill(strategy: str) -> SimpleImputer:
    return SimpleImputer(strategy=strategy, keep_empty_features=True)


def _columns(recipe: Recipe) -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        min_frequency=RARE,
        max_categories=recipe.categories,
    )


def _numbered() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def _chain(*steps: BaseEstimator) -> Pipeline:
    return Pipeline([(type(step).__name__.lower(), step) for step in steps])


def _present(members: Iterable[Member]) -> list[Member]:
    return [member for member in members if member[2]]


def _kind(recipe: Recipe, kind: str) -> list[str]:
    return [column.name for column in recipe.signature.inputs if column.kind == kind]


def _texts(recipe: Recipe) -> list[tuple[str, int]]:
    return [(c.name, len(c.levels)) for c in recipe.signature.inputs if c.kind == "text"]
