"""Law 7: a fault planted in any one target stops the release, the others answering right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tasks.rehearse
from charter import Charter
from serving import releases, signing
from serving.home import whereabouts
from serving.signature import Signature
from tasks import equip
from tasks.package import Bundle
from tasks.rehearsal import browser, confined
from tasks.rehearse import rehearse
from tests.browser import onnxruntime_web
from tests.debian import installed
from tests.serving.handmade import SIGNATURE, bundle

__all__ = ["onnxruntime_web"]

ALL = {"rehearsal.golden", "parity.device", "parity.browser", "constraints.latency_p99_ms"}
SERVICE = """
from serving.predictor import Predictor
right = Predictor.predict
def wrong(self, packed):
    found = right(self, packed)
    if len(packed) == 1:
        found.probabilities[:] *= 0.999
    return found
Predictor.predict = wrong
"""


@pytest.fixture
def failed(
    tmp_path: Path, onnxruntime_web: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., set[str]]:
    """Rehearses a small bundle for service and devices; the gates that did not pass."""
    installed("chromium", "chromium")
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    monkeypatch.setenv(signing.PRIVATE, signing.generate().private)
    monkeypatch.delenv(signing.PUBLIC, raising=False)
    monkeypatch.setattr(tasks.rehearse, "runtime", lambda: onnxruntime_web)
    charter = Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "experience": {"surfaces": ["service", "device"]},
            "data": {"source": {"kind": "csv", "path": "flights.csv"}},
            "constraints": {"latency_p99_ms": 1_000},
            "deployment": {"rehearsal_requests": 100},
        }
    )

    def run(signature: Signature = SIGNATURE) -> set[str]:
        folder = bundle(tmp_path / "bundle", signature=signature, device=True)
        record = Bundle(
            project="flights", fingerprint="f" * 64, where=whereabouts(folder), model_mb=0.01,
            parity=0.0, parity_rows=1, verdicts=(),
        )  # fmt: skip
        verdicts = rehearse(charter, record).verdicts
        assert {one.gate for one in verdicts} == ALL
        assert all(one.level == "fail" for one in verdicts)
        return {one.gate for one in verdicts if not one.passed}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_targets_agree(failed: Callable[..., set[str]], task: str) -> None:
    classes = SIGNATURE.classes if task == "binary" else ()
    assert failed(Signature(**{**dict(SIGNATURE), "task": task, "classes": classes})) == set()


@pytest.mark.slow
def test_a_service_that_is_off_for_rows_alone(
    failed: Callable[..., set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(SERVICE)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    assert failed() == {"rehearsal.golden"}


@pytest.mark.slow
def test_a_device_that_is_off_for_rows_alone(
    failed: Callable[..., set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = equip.write

    def wrong(output: Path, source: Path, live: releases.Live, service: str) -> None:
        right(output, source, live, service)
        _plant(output / "runner.py", ".astype(np.float64)", " * (1 - 1e-3 * (len(rows) == 1))")

    monkeypatch.setattr(confined, "write", wrong)
    assert failed() == {"parity.device"}


def test_a_browser_that_is_off_for_rows_alone(
    failed: Callable[..., set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = browser.passed

    def wrong(port: int, path: str) -> tuple[int, bytes, str]:
        status, content, media = right(port, path)
        if path == "/site/runner.js":
            script = tmp_path / "runner.js"
            script.write_bytes(content)
            _plant(script, "Array.from(output.data, Number)", ".map(one => rows.length > 1 ? one : one * 0.999)")  # fmt: skip
            content = script.read_bytes()
        return status, content, media

    monkeypatch.setattr(browser, "passed", wrong)
    assert failed() == {"parity.browser"}


def _plant(path: Path, behind: str, fault: str) -> None:
    text = path.read_text()
    assert text.count(behind) == 1
    path.write_text(text.replace(behind, behind + fault))
