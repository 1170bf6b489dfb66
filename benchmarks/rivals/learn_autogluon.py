"""AutoGluon in an environment of its own: learn_autogluon.py FOLDER SECONDS OUTPUT [PRESET]."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

METRICS = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}


def main(folder: Path, seconds: float, output: Path, preset: str) -> None:
    """Learn, answer the rows held out, and write both."""
    said = json.loads((folder / "said.json").read_text())
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    start = time.perf_counter()
    made = TabularPredictor(
        said["target"], problem_type=said["task"], eval_metric=METRICS[said["metric"]],
        path=str(output / "models"), verbosity=0,
    )  # fmt: skip
    made.fit(train, time_limit=seconds, presets=preset, num_cpus=2)
    learned = time.perf_counter() - start
    served = made.clone_for_deployment(str(output / "served"), return_clone=True)
    served.persist()
    predict = served.predict if said["task"] == "regression" else served.predict_proba
    found = pd.DataFrame(predict(test))
    found.columns = found.columns.astype(str)
    found.to_parquet(output / "answers.parquet")
    one, times = test.iloc[:1], []
    for _ in range(50):
        begin = time.perf_counter()
        predict(one)
        times.append(time.perf_counter() - begin)
    files = [path for path in (output / "served").rglob("*") if path.is_file()]
    took = {
        "seconds": learned, "row_ms": sorted(times)[25] * 1e3,
        "mb": sum(path.stat().st_size for path in files) / 1e6, "made": served.model_best,
    }  # fmt: skip
    (output / "took.json").write_text(json.dumps(took))
    shutil.rmtree(output / "models")
    shutil.rmtree(output / "served")


main(
    Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), *(sys.argv[4:] or ["medium_quality"])
)
