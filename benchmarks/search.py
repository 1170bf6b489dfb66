"""Grid, random and Bayesian search of one charter: how far the best so far is behind, trial by trial.

    python -m benchmarks.search [--charter configs/deliveries.yaml] [--family boosting] [--trials 30] [--seeds 5]

The stages before the search run once. Then, for several seeds, each way searches one family with as
many trials on the folds of that seed, nothing given up early. What counts is how far its best so far is
from the best that any of the three found with this seed; a grid ends with its last point. Prints that
after 5, 10, 20 and all trials, mean and range over the seeds, and draws docs/search.svg.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

WAYS = ("grid", "random", "bayesian")
AFTER = (5, 10, 20)


def main(path: Path, family: str, trials: int, seeds: int) -> None:
    """Search, tell and draw."""
    from charter.load import load
    from tasks.engineer import engineer
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.metrics import greater_is_better
    from tasks.split import split
    from tasks.validate import validate

    given = (f"tuning.families=[{family}]", f"tuning.trials={trials}", "tuning.prune=false", "evaluation.beat={}", "constraints.train_minutes=60")  # fmt: skip
    charter = load(path, given)
    table = validate(charter, ingest(charter)).table
    profile = explore(charter, table)
    training = split(charter, table, profile).training
    recipe = engineer(charter, training, profile)
    sign = 1 if greater_is_better(training.metric) else -1
    behind: dict[str, list[np.ndarray]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        found = {}
        for way in WAYS:
            asked = load(path, (*given, f"tuning.search={way}", f"evaluation.seed={seed}"))
            found[way] = np.maximum.accumulate(sign * _scores(asked, training, recipe))
        best = max(float(one[-1]) for one in found.values())
        for way, one in found.items():
            behind[way].append(best - one)
        print(f"seed {seed}: best {sign * best:.5g}", flush=True)
    for way, runs in behind.items():
        longest = max(map(len, runs))
        told = [f"after {at}: {_told(runs, at)}" for at in (*(at for at in AFTER if at < longest), longest)]  # fmt: skip
        print(f"{way:9} {'; '.join(told)}")
    _draw(behind, f"{charter.name}, {family}: {training.metric} behind the best that any way found")


def _scores(charter: Any, training: Any, recipe: Any) -> np.ndarray:
    """Of the trials that ended, in their order."""
    from serving.home import place
    from tasks.tune import tune

    trials = pq.read_table(place(tune(charter, training, recipe).trials)).to_pylist()
    return np.array([one["score"] for one in trials if one["score"] is not None])


def _told(runs: list[np.ndarray], at: int) -> str:
    values = np.array([one[min(at, len(one)) - 1] for one in runs])
    return f"{values.mean():.3g} ({values.min():.3g} to {values.max():.3g})"


def _draw(behind: dict[str, list[np.ndarray]], title: str) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "search", "svg.fonttype": "none", "font.size": 10})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.6, 3.2), layout="constrained")
    for way, runs in behind.items():
        shortest = min(map(len, runs))
        drawn = np.array([one[:shortest] for one in runs])
        at = np.arange(1, shortest + 1)
        (line,) = axes.step(at, drawn.mean(axis=0), where="post", label=way)
        axes.fill_between(
            at,
            drawn.min(axis=0),
            drawn.max(axis=0),
            step="post",
            alpha=0.12,
            color=line.get_color(),
        )
    axes.set(xlabel="trial", ylim=(0, None))
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    place = Path(__file__).parent.parent / "docs" / "search.svg"
    figure.savefig(place, metadata={"Date": None})
    print(f"drawn: {place.relative_to(place.parent.parent)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--charter", type=Path, default=Path("configs/deliveries.yaml"))
    options.add_argument("--family", default="boosting")
    options.add_argument("--trials", type=int, default=30)
    options.add_argument("--seeds", type=int, default=5)
    asked = options.parse_args()
    main(asked.charter, asked.family, asked.trials, asked.seeds)
