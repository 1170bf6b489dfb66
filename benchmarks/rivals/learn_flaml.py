"""FLAML with its defaults, in an environment of its own: learn_flaml.py FOLDER SECONDS OUTPUT."""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path

import pandas as pd
from flaml import AutoML

METRICS = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "rmse"}


def main(folder: Path, seconds: float, output: Path) -> None:
    """Learn, answer the rows held out, and write both."""
    said = json.loads((folder / "said.json").read_text())
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    for frame in (train, test):
        for name in frame.columns:
            if frame[name].dtype.kind not in "biufM":
                frame[name] = frame[name].astype("category")
    truth = train.pop(said["target"])
    classes = said["task"] != "regression"
    start = time.perf_counter()
    made = AutoML()
    made.fit(
        train, truth, task="classification" if classes else "regression",
        metric=METRICS[said["metric"]], time_budget=seconds, n_jobs=2, verbose=0,
    )  # fmt: skip
    learned = time.perf_counter() - start
    predict = made.predict_proba if classes else made.predict
    found = pd.DataFrame(predict(test))
    if classes:
        found.columns = [str(one) for one in made.classes_]
    found.columns = found.columns.astype(str)
    found.to_parquet(output / "answers.parquet")
    one, times = test.iloc[:1], []
    for _ in range(100):
        begin = time.perf_counter()
        predict(one)
        times.append(time.perf_counter() - begin)
    size = len(pickle.dumps(made)) / 1e6
    took = {
        "seconds": learned,
        "row_ms": sorted(times)[50] * 1e3,
        "mb": size,
        "made": made.best_estimator,
    }
    (output / "took.json").write_text(json.dumps(took))


main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
