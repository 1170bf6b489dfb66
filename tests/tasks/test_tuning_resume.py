"""A search that is killed goes on with its trials and with the time that is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import tasks.models
from serving.home import place
from tasks.models import LADDER
from tasks.tune import tune
from tests.tasks import material, planted

ROOT = Path(__file__).parents[2]
MINUTES = 4.0  # far more than the grid takes: a busy machine may be five times slower
CHARTER = material.charter(
    constraints={"train_minutes": MINUTES},
    tuning={"search": "grid", "families": ["dummy", "linear"], "prune": False},
)
SCRIPT = textwrap.dedent(
    """
    from tests.tasks import test_tuning_resume as test
    test.run()
    """
)


def run() -> None:
    """Tune in this process, with a linear rung that takes a second a trial."""
    tasks.models.LADDER = tuple(
        planted.SlowLinear() if member.name == "linear" else member for member in LADDER
    )
    tune(CHARTER, material.training("binary", 300), material.recipe("binary"))


@pytest.mark.slow
def test_kill_and_go_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    first = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PERENNIAL_HOME": str(root), "PYTHONPATH": str(ROOT)},
    )
    try:
        before = _wait_for_answers(first, 2)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    killed = time.monotonic() - began
    clock = next(place("studies/toy").glob("*/clock.json"))
    spent = json.loads(clock.read_text())["seconds"]
    assert 0 < spent < killed

    monkeypatch.setattr(tasks.models, "LADDER", LADDER)  # puts the ladder back afterwards
    steps = time.monotonic()
    run()
    study = tune(CHARTER, material.training("binary", 300), material.recipe("binary"))
    assert study.where == f"studies/toy/{clock.parent.name}"
    assert study.seconds >= spent
    assert study.seconds <= spent + time.monotonic() - steps
    assert study.seconds <= 1.1 * 60 * MINUTES
    trials = [
        trial
        for trial in pq.read_table(place(study.trials)).to_pylist()
        if trial["family"] == "linear"
    ]
    complete = [trial["params"] for trial in trials if trial["state"] == "complete"]
    assert len(complete) == len(set(complete)) == 6
    assert 2 <= before < 6
    interrupted = [trial for trial in trials if trial["why"] == "interrupted"]
    assert len(interrupted) <= 1
    assert len(trials) == 6 + len(interrupted)


def _wait_for_answers(process: subprocess.Popen[bytes], wanted: int) -> int:
    """Until so many linear trials are complete in the journal."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None
        complete = sum(_complete(path) for path in place("studies/toy").glob("*/journal.log"))
        if complete >= wanted:
            return complete
        time.sleep(0.05)
    raise AssertionError("the first run did not get far enough")


def _complete(journal: Path) -> int:
    """Linear trials that are complete: each sets a state (op 6) of 1; one of them is the dummy's."""
    whole = [line for line in journal.read_text().splitlines(True) if line.endswith("\n")]
    entries = [json.loads(line) for line in whole]
    return len([e for e in entries if e["op_code"] == 6 and e["state"] == 1]) - 1
