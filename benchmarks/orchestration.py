"""What orchestration costs: the train flow against the same stages called as plain functions.

    .venv/bin/python benchmarks/orchestration.py [--charter configs/flights.yaml] [--pairs 3]

Each run is a process of its own with an empty root, flow and plain in turn. Both do the same work:
the trials of each family are capped, so that the search does not simply fill its minutes. The flow
starts Prefect's server by itself, which is the dearest way to run it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAP = ("tuning.trials=2", "constraints.train_minutes=10", "evaluation.minimum={}")


def plain(charter: Path) -> None:
    """Every stage of the train flow, as it stands in `tasks/`."""
    import tasks.appraise
    import tasks.audit
    import tasks.deploy
    import tasks.engineer
    import tasks.evaluate
    import tasks.explore
    import tasks.ingest
    import tasks.mitigate
    import tasks.package
    import tasks.protect
    import tasks.rehearse
    import tasks.split
    import tasks.tune
    import tasks.validate
    from charter.load import load

    words = load(charter, CAP)
    ingested = tasks.ingest.ingest(words)
    validated = tasks.validate.validate(words, ingested)
    barred, finds = ingested.barred, ingested.found
    table = tasks.protect.protect(words, validated.table, barred, finds).table
    profile = tasks.explore.explore(words, table)
    split = tasks.split.split(words, table, profile)
    recipe = tasks.engineer.engineer(words, split.training, profile)
    audit = tasks.audit.audit(words, split.training, recipe)
    study = tasks.tune.tune(words, split.training, recipe)
    study = tasks.appraise.appraise(words, split.training, recipe, study).study
    study = tasks.mitigate.mitigate(words, split.training, recipe, study, audit).study
    scorecard = tasks.evaluate.evaluate(words, split, recipe, study, audit)
    bundle = tasks.package.package(words, table, profile, split, recipe, study, scorecard)
    blessing = tasks.rehearse.rehearse(words, bundle)
    tasks.deploy.deploy(words, bundle, blessing, scorecard)


def flow(charter: Path) -> None:
    """The same through Prefect, as `perennial train` runs it."""
    from flows import embedded, settings

    settings.apply()
    embedded.run("train", charter, CAP)


def seconds(way: str, charter: Path) -> float:
    """Wall time of one run in a process of its own, on an empty root."""
    with tempfile.TemporaryDirectory() as root:
        start = time.monotonic()
        subprocess.run(
            [sys.executable, __file__, "--way", way, "--charter", str(charter)],
            env={**os.environ, "PERENNIAL_HOME": root}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.monotonic() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--charter", type=Path, default=Path("configs/flights.yaml"))
    options.add_argument("--pairs", type=int, default=3)
    options.add_argument("--way", choices=["plain", "flow"], help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.way:
        {"plain": plain, "flow": flow}[asked.way](asked.charter)
        return
    ratios = []
    for pair in range(asked.pairs):
        without, with_it = seconds("plain", asked.charter), seconds("flow", asked.charter)
        ratios.append(with_it / without)
        print(
            f"pair {pair + 1}: plain {without:6.1f} s, flow {with_it:6.1f} s, ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"orchestration overhead: {statistics.median(ratios):.3f} times (median of {asked.pairs})"
    )


if __name__ == "__main__":
    main()
