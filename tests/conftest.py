"""What every test stands on: no library calls home, and a root of its own where one is asked for."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

from flows.settings import RUNS, SILENT
from tests.postgres import database, postgres_url
from tests.storage import moto, storage

__all__ = ["moto", "postgres_url", "root", "storage"]

os.environ.update({**SILENT, **RUNS})
# The cores are shared with servers, child processes and other tests; threads that wait spin there.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# A shell that runs the tests in the background ignores Ctrl-C for all its children; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What takes long on a busy machine is not wrong.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The flows first: they take longest, and no worker is left alone with them at the end."""
    items.sort(key=lambda item: "flows" not in item.path.parts)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root (PERENNIAL_HOME)."""
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(
    request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal in the root, and one on a server."""
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    if request.param == "postgresql":
        url = database(request.getfixturevalue("postgres_url"))
        monkeypatch.setenv("PERENNIAL_JOURNAL_URL", url)
