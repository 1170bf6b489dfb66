"""What crosses a limit of the charter, told to the Prefect server as an event."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events import Event

from flows.deployments import ALARM, SERVICE, resource
from tasks.monitor import Watched
from tasks.monitoring import news
from tasks.monitoring.judging import Alarm


def tell(watched: Watched, charter: Path) -> tuple[Alarm, ...]:
    """Emit the alarms that are news, and give them; without any, nothing is emitted.

    `perennial.alarm` is what a new model may cure, and starts a retrain by the trigger of its
    deployment; `perennial.alarm.service` is what it does not cure, for automations of your own.
    Each comes once, and seldom again while it stands (tasks/monitoring/news.py).
    """
    fresh = news.news(watched)
    for name, curable in ((ALARM, True), (SERVICE, False)):
        alarms = [alarm for alarm in fresh if alarm.curable == curable]
        if alarms:
            _send(_event(name, watched, charter, alarms))
            news.tell(watched, alarms)  # only now: a kill before it tells twice, never not at all
    return fresh


def _event(name: str, watched: Watched, charter: Path, alarms: Sequence[Alarm]) -> Event:
    about = {
        "prefect.resource.id": resource(watched.project),
        "prefect.resource.name": watched.project,
    }
    payload: dict[str, Any] = {
        "charter": charter.as_posix(),
        "project": watched.project,
        "release": watched.release,
        "reason": "; ".join(alarm.reason for alarm in alarms),
        "alarms": [alarm.model_dump(mode="json") for alarm in alarms],
        "window": watched.window.model_dump(mode="json"),
        "page": watched.page,
    }
    return Event(event=name, resource=about, related=_run(), payload=payload)


def _run() -> list[dict[str, str]]:
    """The run of the monitor, so that the UI leads from the event to it."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None:
        return []
    return [
        {
            "prefect.resource.id": f"prefect.flow-run.{run.id}",
            "prefect.resource.name": run.name,
            "prefect.resource.role": "flow-run",
        }
    ]


def _send(event: Event) -> None:
    """Until the server has it: `emit_event` sends in the background, and cannot say whether."""
    with get_client(sync_client=True) as client:
        reply = client.request("POST", "/events", json=[event.model_dump(mode="json")])
        reply.raise_for_status()
