"""Monitor, on a real server: what is seen is shown, and what is news is told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from charter import Refusal
from tests.flows.arrivals import arrive

CHARTER = Path("configs/berries.yaml")
NOW = datetime.now(UTC)
BEFORE = (NOW - timedelta(hours=6)).timestamp()
QUICK = ("tuning.families=[linear]", "evaluation.beat={}", "evaluation.minimum={}")


def _events(wanted: int) -> list[dict[str, Any]]:
    """The alarms that the server knows, oldest first; it writes them down within seconds."""
    asked = {"filter": {"event": {"prefix": ["perennial."]}, "order": "ASC"}}
    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while True:
            found = client.request("POST", "/events/filter", json=asked).json()["events"]
            if len(found) >= wanted or time.monotonic() > deadline:
                return list(found)
            time.sleep(0.3)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_alarm_reaches_the_server_once_and_again_while_it_stands(
    project: Path, prefect: None
) -> None:
    from flows.monitor import monitor
    from flows.train import train

    train(CHARTER, QUICK)
    arrive(300, first=900, at=BEFORE)
    calm = monitor(CHARTER, (), NOW)
    assert (calm.alarms, calm.reason) == ((), "")
    arrive(300, first=1_500, at=BEFORE, sweeter=8.0)
    seen = monitor(CHARTER, (), NOW)
    [alarm] = [alarm for alarm in seen.alarms if alarm.gate == "runtime.drift"]
    assert alarm.about[0] == "sugar"
    [event] = _events(1)
    assert event["event"] == "perennial.alarm"
    assert event["resource"]["prefect.resource.id"] == "perennial.project.berries"
    assert event["payload"]["charter"] == "configs/berries.yaml"
    assert event["payload"]["reason"] == seen.reason
    assert "sugar (effect" in seen.reason
    assert any(one["prefect.resource.role"] == "flow-run" for one in event["related"])

    monitor(CHARTER, (), NOW + timedelta(minutes=10))  # stands: no news
    tomorrow = monitor(CHARTER, (), NOW + timedelta(days=1, minutes=10))
    [_, again] = _events(2)
    assert again["payload"]["window"] == tomorrow.window.model_dump(mode="json")
    _the_command_says_it()


def test_the_schedule_finds_nothing_live(
    project: Path, prefect: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.monitor import monitor

    with pytest.raises(Refusal, match=r"perennial train configs/berries\.yaml"):
        monitor(CHARTER)
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "of the schedule")
    ended = monitor(CHARTER, return_state=True)
    assert (ended.type.value, ended.name) == ("COMPLETED", "Skipped")
    assert ended.message == "berries: no release is live yet"


def _the_command_says_it() -> None:
    environment = {**os.environ, "COLUMNS": "140", "PREFECT_API_URL": PREFECT_API_URL.value()}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "monitor", str(CHARTER), "--json", "out.json"],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "▲ sugar" in done.stdout
    assert "perennial retrain configs/berries.yaml" in done.stdout
    told = json.loads(Path("out.json").read_text())
    assert told["outcome"] == "done"
    assert told["alarms"][0]["gate"] == "runtime.drift"
