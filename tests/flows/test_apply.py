"""What `apply` brings to a real server: its scheduler and its triggers make runs of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from charter.load import load
from flows import deployments
from flows.server import api

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

RUNTIME = 'runtime: {schedule: "0 4 * * *", timezone: Asia/Tokyo}\n'


@pytest.fixture
def client(root: Path) -> Iterator[SyncPrefectClient]:
    """A client of a server with everything that a server does by itself."""
    from prefect.client.orchestration import get_client

    from flows.embedded import connected

    with api() as url, connected(url), get_client(sync_client=True) as client:
        yield client


def _made(project: Path) -> list[dict[str, Any]]:
    found = (path.relative_to(project) for path in (project / "configs").glob("*.yaml"))
    return [one for path in found for one in deployments.of(path, load(path))]


def _due(client: SyncPrefectClient, parameters: dict[str, str]) -> set[tuple[int, int]]:
    """Hours and minutes (UTC) of what the server planned with these parameters."""

    def planned() -> list[FlowRun]:
        runs = client.read_flow_runs(limit=200)
        return [run for run in runs if run.auto_scheduled and run.parameters == parameters]

    moments = [run.expected_start_time for run in _until(planned)]
    return {(moment.hour, moment.minute) for moment in moments if moment}


def _alarm(client: SyncPrefectClient, project: str, reason: str) -> None:
    from prefect.events import Event

    about = {"prefect.resource.id": deployments.resource(project)}
    event = Event(event=deployments.ALARM, resource=about, payload={"reason": reason})
    client.request("POST", "/events", json=[event.model_dump(mode="json")]).raise_for_status()


def _until(found: Callable[[], list[FlowRun]]) -> list[FlowRun]:
    deadline = time.monotonic() + 60
    while not (runs := found()):
        assert time.monotonic() < deadline, "the server made no run"
        time.sleep(0.2)
    return runs


@pytest.mark.timeout(300)
def test_schedules_and_alarms_make_runs_and_a_charter_that_is_gone_makes_none(
    project: Path, client: SyncPrefectClient
) -> None:
    from flows.apply import apply

    charter = project / "configs" / "berries.yaml"
    charter.write_text(charter.read_text() + RUNTIME)
    for _ in range(2):  # the second time changes nothing
        apply(client, _made(project), project)
    assert len(client.read_deployments()) == len(deployments.FLOWS) - 1  # no canary
    assert len(client.read_automations()) == 1

    charters = {"charter": "configs/berries.yaml"}
    retrain, tidy = charters | {"reason": "its schedule"}, charters
    assert _due(client, retrain) == {(19, 0)}  # 4:00 in Tokyo
    assert _due(client, tidy) == {(18, 30)}  # by default: 3:30 there

    _alarm(client, "cherries", "cherries are none of ours")
    _alarm(client, "berries", "sugar has moved")
    [alarmed] = _until(lambda: [run for run in client.read_flow_runs() if not run.auto_scheduled])
    assert alarmed.parameters == {"charter": "configs/berries.yaml", "reason": "sugar has moved"}

    charter.unlink()
    apply(client, [], project)
    assert client.read_deployments() == []
    assert client.read_automations() == []
