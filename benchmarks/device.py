"""What a CUDA device brings: boosting fitted on the processor and on the device, side by side.

    python -m benchmarks.device [--rows 1000000] [--rounds 3] [--minutes 1]

The rows are made as for the tests. Each round fits the same parameters on the first fold with both,
in turn. Then a whole search with `device: auto` tells what it ran on. Needs `xgboost` in place of
`xgboost-cpu`, and a device.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from statistics import median

import numpy as np
from sklearn.metrics import roc_auc_score

from tasks.models.boosting import Boosting
from tasks.models.device import lacking
from tasks.tune import tune
from tasks.tuning import bench
from tests.tasks import material

DEVICES = ("cpu", "cuda")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--minutes", type=float, default=1.0)
    given = asked.parse_args()
    if missing := lacking():
        raise SystemExit(f"Nothing to compare: {missing}.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PERENNIAL_HOME"] = folder
        _fits(given.rows, given.rounds)
        _search(given.rows, given.minutes)


def _fits(rows: int, rounds: int) -> None:
    training, recipe = material.training("binary", rows), material.recipe("binary")
    benches = {
        device: bench.load(material.charter(constraints={"device": device}), training, recipe)
        for device in DEVICES
    }
    seconds: dict[str, list[float]] = {device: [] for device in DEVICES}
    found: dict[str, np.ndarray] = {}
    for number in range(rounds + 1):
        for device in DEVICES:
            answer = bench.try_fold(benches[device], Boosting(), Boosting.start, 0)
            found[device] = answer.prediction[:, 1]
            if number:  # the first fit prepares the rows and wakes the device
                seconds[device].append(answer.fit_seconds)
    tested = benches["cpu"].parts[0][1]
    truth = benches["cpu"].truth[tested]
    for device in DEVICES:
        auc = roc_auc_score(truth, found[device])
        print(f"{device:5} {median(seconds[device]):7.2f} s a fit of {rows - len(tested):,} rows, AUC {auc:.5f}")  # fmt: skip
    print(f"cpu / cuda {median(seconds['cpu']) / median(seconds['cuda']):.1f}")


def _search(rows: int, minutes: float) -> None:
    charter = material.charter(constraints={"train_minutes": minutes, "memory_gb": 32})
    study = tune(charter, material.training("binary", rows), material.recipe("binary"))
    assert study.hardware is not None
    print(f"{study.family} taken after {sum(rung.trials for rung in study.ladder)} trials in {study.seconds:.0f} s")  # fmt: skip
    print(study.hardware.words)


if __name__ == "__main__":
    main()
