"""Rehearsal: a real server answers right and fast, or the bundle is not blessed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from charter import Charter, Refusal
from serving import releases
from serving.home import whereabouts
from serving.signature import Signature
from tasks.package import Bundle
from tasks.rehearse import Blessing, percentile, rehearse
from tests.serving.handmade import SIGNATURE, bundle


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))


def _charter(latency: float = 500.0, requests: int = 100) -> Charter:
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": "flights.csv"}},
            "constraints": {"latency_p99_ms": latency},
            "deployment": {"rehearsal_requests": requests},
        }
    )


def _record(folder: Path) -> Bundle:
    return Bundle(
        project="flights",
        fingerprint=json.loads((folder / "manifest.json").read_text())["fingerprint"],
        where=whereabouts(folder),
        model_mb=0.01,
        parity=0.0,
        parity_rows=1,
        verdicts=(),
    )


def _verdicts(blessing: Blessing) -> dict[str, bool]:
    return {verdict.gate: verdict.passed for verdict in blessing.verdicts}


def _children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "serving" in child.cmdline()
    ]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """No server outlives its rehearsal."""
    before = _children()
    yield
    assert [child for child in _children() if child not in before] == []


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_good_bundle_is_blessed(tmp_path: Path, task: str) -> None:
    classes = SIGNATURE.classes if task == "binary" else ()
    signature = Signature(**{**dict(SIGNATURE), "task": task, "classes": classes})
    record = _record(bundle(tmp_path / "bundle", signature=signature))
    blessing = rehearse(_charter(), record)
    assert _verdicts(blessing) == {"rehearsal.golden": True, "constraints.latency_p99_ms": True}
    assert blessing.fingerprint == record.fingerprint
    assert (blessing.requests, blessing.golden_rows) == (100, 4)
    assert 0 < blessing.p50_ms <= blessing.p99_ms
    assert blessing.golden_difference < 1e-9


def test_a_slow_model_is_caught_without_waiting_for_every_request(tmp_path: Path) -> None:
    record = _record(bundle(tmp_path / "bundle", slow=20))
    blessing = rehearse(_charter(latency=2.0, requests=1_000), record)
    assert _verdicts(blessing) == {"rehearsal.golden": True, "constraints.latency_p99_ms": False}
    assert blessing.p99_ms > 2.0
    assert 10 < blessing.requests < 1_000
    assert "limit 2 ms" in blessing.verdicts[1].message


def test_golden_answers_that_differ_are_refused_with_the_log_of_the_server(tmp_path: Path) -> None:
    record = _record(bundle(tmp_path / "bundle", golden_off=1e-3))
    with pytest.raises(Refusal, match="Look at the log above") as refusal:
        rehearse(_charter(), record)
    assert "golden answers off by 0.001" in refusal.value.found
    assert "release 1 refused" in refusal.value.found, "the log of the server"


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "bundle")
    (folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(Refusal, match="package the model anew"):
        rehearse(_charter(), _record(folder))


def test_a_server_that_ends_shows_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = _record(bundle(tmp_path / "bundle"))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "uvicorn.py").write_text("raise RuntimeError('no server today')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(Refusal, match="no server today") as refusal:
        rehearse(_charter(), record)
    assert "ended with 1 before it was ready" in refusal.value.found


SERVED = """
import sys, time
from collections.abc import Iterator
from pathlib import Path
from tasks.service import served
with served(Path(sys.argv[1]), "test") as service:
    print(service.process.pid, flush=True)
    time.sleep(600)
"""


def test_the_server_ends_with_a_killed_rehearsal(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    releases.publish(folder, releases.add(folder, bundle(tmp_path / "bundle")), None)
    with subprocess.Popen(
        [sys.executable, "-c", SERVED, str(folder)], stdout=subprocess.PIPE, text=True
    ) as rehearsal:
        assert rehearsal.stdout is not None
        server = psutil.Process(int(rehearsal.stdout.readline()))
        assert server.is_running()
        os.kill(rehearsal.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_percentile_is_the_nearest_rank() -> None:
    times = [float(i) for i in range(1, 201)]
    assert (percentile(times, 0.5), percentile(times, 0.99)) == (100.0, 198.0)
    assert percentile([7.0], 0.99) == 7.0
