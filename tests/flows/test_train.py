"""The whole way, with the real command, server, files and processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pyarrow.csv
import pytest

from flows import server
from serving import releases
from tests.flows.conftest import write_berries

TRAIN = [sys.executable, "-m", "flows", "train", "configs/berries.yaml", "--json", "out.json"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_training_goes_on_where_it_was_and_its_release_scores_and_serves(
    project: Path, root: Path
) -> None:
    """Last a gate fails: a refusal, and what was live stays live."""
    _kill_while_tuning(root)
    assert releases.live(root / "releases" / "berries") is None
    landed = _commits(root / "tables/berries/landed")
    with server.api():  # which the commands share
        done = subprocess.run(TRAIN, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads((project / "out.json").read_text())
        assert _commits(root / "tables/berries/landed") == landed
        assert result["release"]["number"] == 1
        assert "release 1 is live" in done.stdout
        _scores(project)
        _serves(project)
        _is_refused(project)
    live = releases.live(root / "releases" / "berries")
    assert live is not None
    assert live.release == 1


def _kill_while_tuning(root: Path) -> None:
    run = subprocess.Popen(TRAIN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list((root / "studies").glob("berries/*/*")) and time.monotonic() < deadline:
        assert run.poll() is None, "the training ended before it tuned"
        time.sleep(0.2)
    server = json.loads((root / "prefect" / "server.json").read_text())["pid"]
    run.send_signal(signal.SIGKILL)
    run.wait()
    gone = time.monotonic() + 20
    while _alive(server) and time.monotonic() < gone:
        time.sleep(0.1)
    assert not _alive(server), "the server outlived the run that started it"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]


def _commits(table: Path) -> list[str]:
    return sorted(path.name for path in (table / "_delta_log").glob("*.json"))


def _scores(project: Path) -> None:
    write_berries(project / "fresh.csv", 50, seed=2)
    score = [sys.executable, "-m", "flows", "score", "configs/berries.yaml"]
    files = ["--input", "fresh.csv", "--output", "scored.csv"]
    done = subprocess.run([*score, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    scored = pyarrow.csv.read_csv(project / "scored.csv")
    assert scored.column_names == ["berry", "prediction", "p_false", "p_true"]
    assert scored["berry"].to_pylist() == [f"b{berry}" for berry in range(50)]


def _serves(project: Path) -> None:
    port = server.free_port()
    serve = [sys.executable, "-m", "flows", "serve", "configs/berries.yaml", "--port", str(port)]
    service = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert _ready(f"http://127.0.0.1:{port}/ready")["release"] == 1
    finally:
        service.send_signal(signal.SIGINT)
        service.wait(timeout=30)


def _ready(url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=2) as answer:
                return dict(json.load(answer))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _is_refused(project: Path) -> None:
    done = subprocess.run(
        [*TRAIN, "--set", "evaluation.minimum.roc_auc=0.999"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    result = json.loads((project / "out.json").read_text())
    assert result["where"] == "evaluate"
    assert "evaluation.minimum.roc_auc" in result["found"]
    assert "Traceback" not in done.stdout + done.stderr
