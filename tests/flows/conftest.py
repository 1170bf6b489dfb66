"""One Prefect server for all flow tests that run in this process, and a small real project."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

CHARTER = """\
name: berries
goal:
  question: Is this berry ripe?
  target: {column: ripe}
constraints: {train_minutes: 1, latency_p99_ms: 500}
evaluation: {folds: 3, minimum: {roc_auc: 0.6}, slices: [field]}
tuning: {families: [dummy, linear, tree], trials: 4, learning_curve: false, generate: never}
data:
  source: {kind: csv, path: berries.csv}
  key: [berry]
  rules: [{column: weight, between: [0, 60]}]
deployment: {rehearsal_requests: 100}
"""


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Prefect's own test harness, started once."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a charter, `configs/berries.yaml`, and its 900 rows."""
    folder = tmp_path / "project"
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "berries.yaml").write_text(CHARTER)
    write_berries(folder / "berries.csv", 900)
    monkeypatch.chdir(folder)
    return folder


def write_berries(path: Path, rows: int, seed: int = 1) -> None:
    """Berries as a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["berry", "sugar", "weight", "field", "ripe"])
        writer.writerows(berries(rows, seed))


def berries(rows: int, seed: int = 1, first: int = 0) -> Iterator[tuple[str, str, str, str, str]]:
    """Berries whose ripeness depends on sugar, weight and field, with noise and missing values."""
    rng = random.Random(seed)
    for berry in range(first, first + rows):
        sugar, weight = rng.gauss(10, 3), max(0.5, rng.gauss(20, 6))
        field = rng.choice(["north", "south", "east"])
        push = 0.5 * (sugar - 10) + 0.1 * (weight - 20) + (1.0 if field == "south" else -0.4)
        ripe = rng.random() < 1 / (1 + math.exp(-push))
        shown = "" if rng.random() < 0.05 else f"{sugar:.2f}"
        yield f"b{berry}", shown, f"{weight:.1f}", field, str(ripe).lower()
