"""Rows about people whose answer hangs on merit, and as far as asked on who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter
from charter.tuning import FamilyName
from serving.home import place
from serving.signature import Input, Signature
from tasks import lake
from tasks.engineer import Recipe
from tasks.explore import ColumnProfile, Profile
from tasks.models import family
from tasks.models.shelf import keep
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.split import Split, folds, load_training, split
from tasks.tune import Rung, Study

KINDS: Mapping[str, Any] = {"hobby": "text", "sex": "text", "race": "text"}


def rows(count: int, seed: int = 0, unfair: float = 1.2, told: float = 0.92) -> pa.Table:
    """Sex, race (few of the third one), merit, a hobby that tells sex, and what was decided.

    `unfair` is how much being `f` lowers the score; `told` how often the hobby is that of the sex.
    """
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], count)
    race = rng.choice(["x", "y", "z"], count, p=[0.6, 0.37, 0.03])
    merit, luck = rng.normal(size=(2, count))
    dances = (sex == "f") ^ (rng.random(count) >= told)
    score = 1.4 * merit - unfair * (sex == "f") + 0.8 * luck
    return pa.table(
        {
            "merit": merit,
            "hobby": np.where(dances, "dance", "chess"),
            "noise": rng.normal(size=count),
            "sex": sex,
            "race": race,
            "age": rng.integers(18, 80, count),
            "answer": np.where(score > -unfair / 2, "yes", "no"),
        }
    )


def charter(**clauses: Any) -> Charter:
    needed: dict[str, Any] = {
        "name": "people",
        "goal": {"question": "Yes?", "target": {"column": "answer", "positive": "yes"}},
        "data": {"source": {"kind": "csv", "path": "people.csv"}},
        "fairness": {"sensitive": ["sex", "race"]},
    }
    return Charter.model_validate(needed | clauses)


@dataclass(frozen=True)
class People:
    """A project as far as tuning would take it."""

    charter: Charter
    table: lake.Table
    profile: Profile
    split: Split
    recipe: Recipe
    study: Study


def made(
    words: Charter,
    table: pa.Table,
    names: tuple[str, ...] = ("merit", "hobby"),
    member: FamilyName = "linear",
) -> People:
    """Split in custody, a recipe of these inputs, a fitted model with out-of-fold predictions."""
    landed = lake.write("tables/people/table", "people", table.to_reader(), "t" * 64)
    profile = _profile(table)
    sides = split(words, landed, profile)
    recipe = Recipe(
        project="people", fingerprint="r" * 64, signature=_signature(table, names), categories=20,
        page="pages/people/recipe.html",
    )  # fmt: skip
    return People(words, landed, profile, sides, recipe, _study(words, sides, recipe, member))


def _signature(table: pa.Table, names: tuple[str, ...]) -> Signature:
    inputs = [
        Input(
            name=name, kind=KINDS.get(name, "number"),
            levels=tuple(table[name].unique().to_pylist()) if name in KINDS else (),
        )
        for name in names
    ]  # fmt: skip
    return Signature(
        project="people", target="answer", task="binary", inputs=tuple(inputs),
        classes=("no", "yes"),
    )  # fmt: skip


def _profile(table: pa.Table) -> Profile:
    columns = tuple(
        ColumnProfile(
            name=name, kind="text" if name in KINDS else "number",
            role="category" if name in KINDS else "number", missing_share=0.0, distinct=5,
        )
        for name in table.column_names
    )  # fmt: skip
    return Profile(
        project="people", fingerprint="p" * 64, rows=len(table), task="binary",
        classes=("no", "yes"), columns=columns, page="pages/people/profile.html",
        numbers="profiles/people.json",
    )  # fmt: skip


def _study(words: Charter, sides: Split, recipe: Recipe, name: FamilyName) -> Study:
    member, training = family(name), load_training(sides.training)
    X, parts = frame(recipe.signature, training.table), folds(words, sides.training, training)
    keep(_fitted(recipe, name, X, training.truth), place("studies/people/model.skops"))
    keep(_fitted(recipe, "dummy", X, training.truth), place("studies/people/dummy.skops"))
    found = [
        _fitted(recipe, name, X.iloc[fit], training.truth[fit]).predict_proba(X.iloc[test])
        for fit, test in parts
    ]
    every, tested = np.concatenate(found), np.concatenate([test for _, test in parts])
    table = {"row": tested, "truth": training.truth[tested], "p_0": every[:, 0], "p_1": every[:, 1]}
    pq.write_table(pa.table(table), place("studies/people/out_of_fold.parquet"))
    return Study(
        project="people", fingerprint="s" * 64, where="studies/people", search="random",
        metric=sides.training.metric, family=name, params=dict(member.start),
        ladder=(Rung(family=name, score=0.7, taken=True, why="the only one"),),
        model="studies/people/model.skops", out_of_fold="studies/people/out_of_fold.parquet",
        baselines={"dummy": "studies/people/dummy.skops"}, trials="", seconds=1.0, peak_gb=0.1,
    )  # fmt: skip


def _fitted(recipe: Recipe, name: FamilyName, X: Any, truth: np.ndarray) -> Any:
    return pipeline(recipe, family(name), "binary", family(name).start).fit(X, truth)
