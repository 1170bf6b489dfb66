"""The whole loop with the real command: trained, replayed, retrained by the schedule, and better."""

from __future__ import annotations

import csv
import json
import math
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving import releases

CHARTER = """\
name: taxis
goal: {target: {column: late}}
constraints: {train_minutes: 0.5, latency_p99_ms: 500}
evaluation: {metric: roc_auc, folds: 2, split: {by: time, holdout: 10d}, minimum: {roc_auc: 0.55}}
tuning: {families: [dummy, linear], trials: 2, learning_curve: false, generate: never}
data:
  {source: {kind: csv, path: taxis.csv}, key: [taxi], time: at, until: 2024-02-10, known_before: [wind]}
runtime: {schedule: "0 6 10 * *", label_wait: 2d, minimum_rows: 200, window: {last: 25d}}
deployment: {rehearsal_requests: 100}
"""
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def taxis(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A charter and 90 days of rides; the wind works the other way round from 12 February on."""
    rng = random.Random(2)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "taxis.yaml").write_text(CHARTER)
    with (tmp_path / "taxis.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["taxi", "at", "wind", "rain", "late"])
        for taxi in range(90 * 40):
            at = FIRST + timedelta(minutes=36 * taxi)
            wind, rain = rng.uniform(0, 40), rng.choice([0, 1])
            way = 1 if at < datetime(2024, 2, 12, tzinfo=UTC) else -1
            late = rng.random() < 1 / (1 + math.exp(-(way * 0.15 * (wind - 20) + rain)))
            row = [f"t{taxi}", f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{wind:.1f}", rain, str(late).lower()]
            writer.writerow(row)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _perennial(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "flows", *arguments, "--json", "out.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(Path("out.json").read_text()), "said": done.stdout}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_loop_learns_what_the_frozen_model_cannot_know(taxis: Path, root: Path) -> None:
    _perennial("train", "configs/taxis.yaml")
    live = releases.live(root / "releases" / "taxis")
    replayed = _perennial("replay", "configs/taxis.yaml", "--to", "2024-03-20")
    assert [turn["outcome"] for turn in replayed["turns"]] == ["skipped", "promoted"]
    february, march = replayed["months"]
    assert february["gain"]["value"] == 0.0
    assert march["releases"] == [1, 2]
    assert march["gain"]["low"] > 0.1
    assert "Frozen against the loop" in replayed["said"]
    assert releases.live(root / "releases" / "taxis") == live
    assert (root / replayed["page"]).exists()
