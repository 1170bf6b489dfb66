"""A small project taken as far as packaging, with the real parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter
from charter.goal import Label, Task
from charter.heuristic import Heuristic
from charter.tuning import FamilyName
from serving.home import place
from serving.signature import Decision, Input, Signature
from tasks import lake
from tasks.engineer import Recipe
from tasks.evaluate import Measure, Scorecard
from tasks.explore import ColumnProfile, Profile
from tasks.models import family
from tasks.models.shelf import keep
from tasks.package import Bundle, package
from tasks.recipe.clock import PARTS
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.split import Split, load_training, split
from tasks.tune import Rung, Study

CLASSES: dict[Task, tuple[str, ...]] = {
    "binary": ("no", "yes"),
    "multiclass": ("a", "b", "c", "d"),
    "regression": (),
}
SAYS: dict[Task, tuple[Label, Label, Label]] = {
    "binary": ("no", "no", "yes"),
    "multiclass": ("a", "c", "d"),
    "regression": (80, 100, 130.5),
}


def rules(task: Task) -> Heuristic:
    """Every kind of condition, on columns of every kind."""
    low, middle, high = SAYS[task]
    return Heuristic.model_validate(
        {
            "rules": [
                {"when": {"level": "> 0.5", "kind": ["north", "é"]}, "then": high},
                {"when": {"flag": True, "wide": "<= -5e3"}, "then": high},
                {"when": {"kind": "missing"}, "then": low},
                {"when": {"level": "missing", "whole": [1, 2, 3]}, "then": middle},
                {"when": {"code": [3, "4"]}, "then": middle},
                {"when": {"level": ">= 99"}, "then": high},
            ],
            "otherwise": low,
        }
    )


START = datetime(2024, 1, 1, tzinfo=UTC)


def rows(task: Task, count: int, seed: int = 0) -> pa.Table:
    """Numbers with gaps, a flag, a time, few and many categories; some categories are numbers."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=count)
    wide = rng.normal(size=count) * 1e4
    flag = rng.random(count) < 0.3
    kind = rng.choice(["north", "south", "é", "West", ""], count, p=[0.4, 0.3, 0.2, 0.09, 0.01])
    code = rng.exponential(12, count).astype(int)
    hours = rng.integers(0, 4000, count)
    answer = level + flag * 1.5 + (kind == "north") - np.cos(hours / 4) + rng.normal(size=count) / 2
    columns: dict[str, Any] = {
        "level": pa.array(level, mask=rng.random(count) < 0.1),
        "wide": pa.array(wide, mask=rng.random(count) < 0.05),
        "whole": pa.array(rng.integers(-5, 6, count)),
        "flag": pa.array(flag, mask=rng.random(count) < 0.02),
        "at": pa.array([START + timedelta(hours=int(h)) for h in hours], pa.timestamp("us", "UTC")),
        "kind": pa.array(kind, mask=rng.random(count) < 0.03),
        "code": pa.array(code),
    }
    if task == "regression":
        return pa.table({**columns, "answer": 100 + 20 * answer})
    classes = np.asarray(CLASSES[task])
    edges = np.quantile(answer, np.linspace(0, 1, len(classes) + 1)[1:-1])
    return pa.table({**columns, "answer": classes[np.searchsorted(edges, answer)]})


def signature(task: Task, table: pa.Table) -> Signature:
    kinds = {"flag": "flag", "at": "time", "kind": "text", "code": "text"}
    inputs = []
    for name in table.column_names[:-1]:
        kind = kinds.get(name, "number")
        levels: tuple[str, ...] = ()
        if kind == "text":
            levels = tuple(str(value) for value in table[name].unique().drop_null().to_pylist())
        inputs.append(Input(name=name, kind=kind, levels=levels, low=-3.0, high=3.0))
    return Signature(
        project="small", target="answer", task=task, inputs=tuple(inputs), classes=CLASSES[task]
    )


def recipe(task: Task, table: pa.Table) -> Recipe:
    return Recipe(
        project="small", fingerprint="r" * 64, signature=signature(task, table), calendar=("at",),
        parts={"at": PARTS}, categories=20, page="pages/small/recipe.html",
        heuristic=rules(task),
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Everything that `package` takes."""

    charter: Charter
    table: lake.Table
    profile: Profile
    split: Split
    recipe: Recipe
    study: Study
    scorecard: Scorecard

    def package(self, *sources: lake.Table) -> Bundle:
        return package(
            self.charter, self.table, self.profile, self.split, self.recipe, self.study,
            self.scorecard, sources,
        )  # fmt: skip


def case(task: Task, name: FamilyName, count: int = 600, **charter: Any) -> Case:
    """A fitted model of one family, its holdout in custody, its scorecard without judgement."""
    table = rows(task, count)
    words = Charter.model_validate(
        {
            "name": "small",
            "goal": {"question": "What | comes <next>?", "target": {"column": "answer"}},
            "data": {"source": {"kind": "csv", "path": "small.csv"}},
            **charter,
        }
    )
    landed = lake.write("tables/small/table", "small", table.to_reader(), "t" * 64)
    profile = _profile(task, table)
    sides = split(words, landed, profile)
    made = recipe(task, table)
    study = _study(task, name, made, sides)
    measure = Measure(name=study.metric, value=0.7, low=0.6, high=0.8)
    scorecard = Scorecard(
        project="small", fingerprint="c" * 64, metric=study.metric, family=name,
        measures=(measure,), ladder=study.ladder, verdicts=(), looks=(),
        decision=Decision(threshold=0.3 if task == "binary" else None),
        page="pages/small/scorecard.html", numbers="scorecards/small/scorecard.json",
    )  # fmt: skip
    return Case(words, landed, profile, sides, made, study, scorecard)


def _profile(task: Task, table: pa.Table) -> Profile:
    columns = tuple(
        ColumnProfile(
            name=name, kind="number", role="number", missing_share=0.1, distinct=5
        )
        for name in table.column_names
    )  # fmt: skip
    return Profile(
        project="small", fingerprint="p" * 64, rows=len(table), task=task, classes=CLASSES[task],
        columns=columns, page="pages/small/profile.html", numbers="profiles/small.json",
    )  # fmt: skip


def _study(task: Task, name: FamilyName, made: Recipe, sides: Split) -> Study:
    member = family(name)
    training = load_training(sides.training)
    fitted = pipeline(made, member, task, member.start)
    fitted.fit(frame(made.signature, training.table), training.truth)
    keep(fitted, place("studies/small/model.skops"))
    rung = Rung(family=name, score=0.7, taken=True, why="the only one")
    return Study(
        project="small", fingerprint="s" * 64, where="studies/small", search="random",
        metric=sides.training.metric, family=name, params=dict(member.start), ladder=(rung,),
        model="studies/small/model.skops", out_of_fold="", trials="", seconds=1.0, peak_gb=0.1,
    )  # fmt: skip
