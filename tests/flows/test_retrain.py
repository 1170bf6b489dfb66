"""Retrain, with the real stages: what comes at run time changes the model only for the better."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import releases
from serving.bundle import load
from serving.home import home, place
from tasks import history, lake, registry
from tasks.service import served
from tests.flows.arrivals import arrive

CHARTER = Path("configs/berries.yaml")
WEAK = ("tuning.families=[dummy]", "evaluation.beat={}", "evaluation.minimum={}")
FEW = ("runtime.minimum_rows=200",)
RETRAIN = [sys.executable, "-m", "flows", "retrain", str(CHARTER), "--set", FEW[0]]


@pytest.fixture
def weak(project: Path, prefect: None) -> Path:
    """A project whose live model knows nothing; a better one is easy to find."""
    from flows.train import train

    train(CHARTER, WEAK)
    return project


def _live() -> int:
    live = releases.live(home() / "releases" / "berries")
    assert live is not None
    return live.release


def _events() -> list[str]:
    return [entry.event for entry in history.entries("berries")]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_better_is_promoted_a_tie_is_kept_and_too_few_rows_are_skipped(weak: Path) -> None:
    from flows.retrain import retrain

    arrive(600, first=900)
    won = retrain(CHARTER, "its schedule", FEW)
    assert (won.outcome, won.live, _live()) == ("promoted", 2, 2)
    assert won.promotion is not None
    assert won.promotion.gain is not None
    assert won.promotion.gain.low > 0
    manifest = load(home() / "releases/berries/2").manifest
    names = ("table", "collected", "renewed")
    assert set(manifest.tables) == {f"tables/berries/{name}" for name in names}
    assert manifest.refit_of == won.promotion.fingerprint

    few = retrain(CHARTER, "asked", FEW)
    assert (few.outcome, few.live) == ("skipped", 2)
    assert "only 0 rows" in few.reason

    arrive(400, first=1_500, seed=6)
    tie = retrain(CHARTER, "drift of sugar", FEW)
    assert (tie.outcome, tie.live) == ("kept", 2)
    assert retrain(CHARTER, "drift of sugar", FEW).reason == tie.reason
    assert _events() == ["trained", "promoted", "skipped", "kept"]
    page = place(tie.page).read_text()
    assert "its schedule" in page
    assert "drift of sugar" in page
    _registry_knows_both(manifest.fingerprint)


def _registry_knows_both(champion: str) -> None:
    assert registry.champion("berries")[1] == champion
    with registry._client() as client:
        versions = client.search_model_versions("name = 'berries'")
        outcomes = {found.tags.get("perennial.outcome") for found in versions}
        assert outcomes == {"trained", "promoted", "kept"}
        kept = next(one for one in versions if one.tags["perennial.outcome"] == "kept")
        assert kept.tags["perennial.asked"] == "drift of sugar"
        assert kept.run_id is not None
        assert "gain_low" in client.get_run(kept.run_id).data.metrics


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_a_canary_the_better_one_is_tried_and_the_next_retrain_waits_for_it(
    weak: Path,
) -> None:
    from flows.canary import canary
    from flows.retrain import retrain

    tried = (*FEW, "deployment.canary=0.2")
    arrive(600, first=900)
    won = retrain(CHARTER, "its schedule", tried)
    assert (won.outcome, won.live, _live()) == ("canary", 1, 1)
    assert won.release is not None
    assert (won.release.number, won.release.share) == (2, 0.2)
    looked = canary(CHARTER, tried)
    assert (looked.outcome, looked.canary) == ("waiting", 2)
    arrive(400, first=1_500, seed=6)
    waits = retrain(CHARTER, "an alarm", tried)
    assert (waits.outcome, waits.live) == ("skipped", 1)
    assert "release 2 is still tried beside it" in waits.reason
    assert canary(CHARTER, FEW).outcome == "withdrawn", "the charter has none any more"
    again = retrain(CHARTER, "an alarm", FEW)
    assert (again.outcome, again.live) == ("promoted", 3)
    assert _events() == ["trained", "canary", "skipped", "withdrawn", "promoted"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_challenger_that_fails_a_gate_leaves_the_champion(weak: Path) -> None:
    from flows.retrain import retrain

    arrive(400, first=900)
    found = retrain(CHARTER, "asked", (*FEW, "evaluation.minimum.roc_auc=0.999"))
    assert (found.outcome, found.live, found.promotion) == ("kept", 1, None)
    assert "evaluation.minimum.roc_auc" in found.reason
    assert _events() == ["trained", "kept"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_a_champion_a_retrain_is_a_training(project: Path, prefect: None) -> None:
    from flows.retrain import retrain

    found = retrain(CHARTER, "asked", FEW)
    assert (found.outcome, found.live, _live()) == ("promoted", 1, 1)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_killed_retrain_ends_in_the_same_state_and_the_champion_serves(weak: Path) -> None:
    """Killed while the release is published; kills everywhere else are in the slow test."""
    arrive(600, first=900)
    with _champion_serves() as answered:
        _kill_when("releases/berries/2/manifest.json")
        _run_to_the_end()
    assert answered <= {1, 2}
    _promoted_once()


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_retrain_killed_at_random_instants_ends_in_the_same_state(weak: Path) -> None:
    arrive(600, first=900)
    random_seconds = random.Random(7)
    with _champion_serves() as answered:
        for _ in range(25):
            run = _start()
            try:
                run.wait(timeout=random_seconds.uniform(2, 40))
            except subprocess.TimeoutExpired:
                _kill(run)
        _run_to_the_end()
    assert answered <= {1, 2}
    _promoted_once()


def _promoted_once() -> None:
    assert _live() == 2
    assert _events().count("promoted") == 1
    log = lake.latest("tables/berries/collected", "berries")
    assert log is not None
    names = [name for batch in lake.read(log, ["prediction"]) for name in batch[0].to_pylist()]
    assert len(names) == len(set(names)) == 600
    fingerprint = load(home() / "releases/berries/2").manifest.fingerprint
    assert registry.champion("berries")[1] == fingerprint


@contextmanager
def _champion_serves() -> Iterator[set[int]]:
    """A service is asked all the time, and answers every time; gives the releases that did."""
    answered: set[int] = set()
    statuses: set[int] = set()
    over = threading.Event()
    row = {"sugar": 11.0, "weight": 20.0, "field": "south"}

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not over.wait(0.05):
                reply = client.post("/predict", json=row)
                statuses.add(reply.status_code)
                answered.add(reply.json().get("release", 0))

    with served(home() / "releases" / "berries", "the champion") as service:
        client = threading.Thread(target=ask, args=(f"http://127.0.0.1:{service.port}",))
        client.start()
        try:
            yield answered
        finally:
            over.set()
            client.join()
    assert statuses == {200}


def _start() -> subprocess.Popen[bytes]:
    # Each with an orchestrator of its own, as a command has it; results are shared in the root.
    environment = {name: text for name, text in os.environ.items() if "PREFECT_API" not in name}
    return subprocess.Popen(
        RETRAIN, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _kill(run: subprocess.Popen[bytes]) -> None:
    run.send_signal(signal.SIGKILL)
    run.wait()


def _kill_when(mark: str) -> None:
    run = _start()
    deadline = time.monotonic() + 150
    while not list(home().glob(mark)):
        assert run.poll() is None, f"it ended before {mark}"
        assert time.monotonic() < deadline, f"{mark} did not come in time"
        time.sleep(0.01)
    _kill(run)


def _run_to_the_end() -> dict[str, Any]:
    done = subprocess.run(
        [*RETRAIN, "--json", "out.json"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_at_once_take_turns_and_the_second_finds_nothing_to_do(weak: Path) -> None:
    arrive(600, first=900)
    first, second = _start(), _start()
    try:
        assert (first.wait(timeout=300), second.wait(timeout=300)) == (0, 0)
    finally:
        first.kill()
        second.kill()
    assert sorted(_events()) == ["promoted", "skipped", "trained"]
    assert releases.numbers(home() / "releases" / "berries") == (1, 2)
