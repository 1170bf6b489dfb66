"""What each prepared column is, in the user's own columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from tasks.recipe.calendar import Calendar


@dataclass(frozen=True)
class Cell:
    """`constant` + the sum of weight times quantity; a quantity is a raw column, a calendar part,
    or 1 where a statement about a column holds."""

    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0
    levels: tuple[str, ...] = ()
    """Of a category that was numbered, in the order of the numbers."""
    statement: str = ""
    """What is true where the column is 1, if it is 0 or 1."""
    denial: str = ""


@dataclass(frozen=True)
class Filled:
    """What a missing value counts as."""

    column: str
    value: float


def cells(prepare: Pipeline) -> list[Cell]:
    """One per prepared column, in their order."""
    found: list[Cell] = []
    for part, names in _members(prepare):
        found += _through(part, [_plain(name) for name in names], names)
    return found


def filled(prepare: Pipeline) -> list[Filled]:
    """What every input that had missing values counts as where it is missing."""
    members = list(_members(prepare))
    gaps = {
        names[place] for part, names in members if isinstance(part, MissingIndicator)
        for place in part.features_
    }  # fmt: skip
    return [
        Filled(name, float(value))
        for part, names in members
        for step in _steps(part)[:1]
        if isinstance(step, SimpleImputer)
        for name, value in zip(names, step.statistics_, strict=True)
        if name in gaps
    ]


def _members(prepare: Pipeline) -> Iterator[tuple[Any, list[str]]]:
    columns = prepare.named_steps["columns"]
    assert isinstance(columns, ColumnTransformer)
    for _, part, names in columns.transformers_:
        if not isinstance(part, str):
            yield part, list(names)


def _steps(part: Any) -> list[Any]:
    return [step for _, step in part.steps] if isinstance(part, Pipeline) else [part]


def _plain(name: str) -> Cell:
    return Cell(((name, 1.0),))


def _through(part: Any, known: list[Cell], names: list[str]) -> list[Cell]:
    for step in _steps(part):
        known = pass_on(step, known, names)
    return known


@singledispatch
def pass_on(step: Any, known: list[Cell], names: list[str]) -> list[Cell]:
    """The columns behind one fitted step."""
    return known


@pass_on.register
def _(step: StandardScaler, known: list[Cell], names: list[str]) -> list[Cell]:
    return [
        Cell(
            tuple((name, weight / scale) for name, weight in cell.terms),
            (cell.constant - mean) / scale,
        )
        for cell, mean, scale in zip(known, step.mean_, step.scale_, strict=True)
    ]


@pass_on.register
def _(step: PCA, known: list[Cell], names: list[str]) -> list[Cell]:
    return [
        Cell(
            tuple(
                (name, float(share) * weight)
                for cell, share in zip(known, component, strict=True)
                for name, weight in cell.terms
            ),
            float(sum(s * c.constant for c, s in zip(known, component, strict=True)))
            - float(component @ step.mean_),
        )
        for component in step.components_
    ]


@pass_on.register
def _(step: Calendar, known: list[Cell], names: list[str]) -> list[Cell]:
    step_names = step.get_feature_names_out(names)
    return [_plain(_part(str(name), names)) for name in step_names]


def _part(name: str, columns: list[str]) -> str:
    column = next(one for one in sorted(columns, key=len, reverse=True) if name.startswith(one))
    return f"{name.removeprefix(column).strip()} of {column}"


@pass_on.register
def _(step: OneHotEncoder, known: list[Cell], names: list[str]) -> list[Cell]:
    found = []
    for place, name in enumerate(names):
        rare = step.infrequent_categories_[place]
        rare = [] if rare is None else list(rare)
        for level in step.categories_[place]:
            if level not in rare:
                found.append(
                    _is(f"{name} is {level or 'missing'}", f"{name} is not {level or 'missing'}")
                )
        if rare:
            frequent = f"{name} is a rare or new value"
            found.append(_is(frequent, f"{name} is no rare or new value"))
    return found


@pass_on.register
def _(step: OrdinalEncoder, known: list[Cell], names: list[str]) -> list[Cell]:
    return [
        Cell(((name, 1.0),), levels=tuple(str(level) or "missing" for level in levels))
        for name, levels in zip(names, step.categories_, strict=True)
    ]


@pass_on.register
def _(step: MissingIndicator, known: list[Cell], names: list[str]) -> list[Cell]:
    gaps = [names[place] for place in step.features_]
    return [_is(f"{name} is missing", f"{name} is known") for name in gaps]


def _is(statement: str, denial: str) -> Cell:
    return Cell(((statement, 1.0),), statement=statement, denial=denial)


def matrix(found: list[Cell]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Quantities, weights of shape (cells, quantities), constants of shape (cells,)."""
    names = list(dict.fromkeys(name for cell in found for name, _ in cell.terms))
    places = {name: place for place, name in enumerate(names)}
    weights = np.zeros((len(found), len(names)))
    for row, cell in enumerate(found):
        for name, weight in cell.terms:
            weights[row, places[name]] += weight
    return names, weights, np.array([cell.constant for cell in found])
