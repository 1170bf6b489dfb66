"""The deployments of `flows/deployments.py` brought to a server, without a file in between.

`python -m flows.apply` brings those of every charter in `configs/` to PREFECT_API_URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyOptions, StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentTriggerTypes, EventTrigger, ResourceSpecification
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, Posture
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema
from pydantic import TypeAdapter

from charter.load import load
from flows.deployments import POOL, TAG, of
from flows.settings import RUNS

DIRECTORY = "prefect.deployments.steps.set_working_directory"
HEARTS = "perennial: runs without a sign of life have crashed"
BEAT = "prefect.flow-run.heartbeat"
PATIENCE = 10
ENDS = ("Completed", "Failed", "Cancelled", "Crashed")
TRIGGER: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)


def apply(
    client: SyncPrefectClient, deployments: Iterable[Mapping[str, Any]], folder: Path
) -> None:
    """Make the server's deployments these, to be run in `folder`; those of charters gone go too."""
    _pool(client)
    for deployment in deployments:
        _trigger(client, _deploy(client, deployment, folder), deployment["triggers"])
    _retire(client)


def _pool(client: SyncPrefectClient) -> None:
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))


def _deploy(client: SyncPrefectClient, deployment: Mapping[str, Any], folder: Path) -> UUID:
    module, name = deployment["entrypoint"].rsplit(".", 1)
    flow = getattr(import_module(module), name)
    limit = deployment["concurrency_limit"]
    return client.create_deployment(
        flow_id=client.create_flow_from_name(flow.name),
        name=deployment["name"],
        description=deployment["description"],
        tags=deployment["tags"],
        parameters=deployment["parameters"],
        parameter_openapi_schema=parameter_schema(flow).model_dump(),
        enforce_parameter_schema=True,
        schedules=[_schedule(**schedule) for schedule in deployment["schedules"]],
        concurrency_limit=limit["limit"],
        concurrency_options=ConcurrencyOptions(collision_strategy=limit["collision_strategy"]),
        entrypoint=deployment["entrypoint"],
        pull_steps=[{DIRECTORY: {"directory": str(folder)}}],
        work_pool_name=POOL,
        job_variables=deployment["work_pool"]["job_variables"],
    )


def _schedule(*, cron: str, timezone: str, **more: Any) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(schedule=CronSchedule(cron=cron, timezone=timezone), **more)


def _trigger(client: SyncPrefectClient, deployment: UUID, triggers: Iterable[Any]) -> None:
    client.delete_resource_owned_automations(f"prefect.deployment.{deployment}")
    for words in triggers:
        trigger = TRIGGER.validate_python(words)
        trigger.set_deployment_id(deployment)
        client.create_automation(trigger.as_automation())


def _retire(client: SyncPrefectClient) -> None:
    """A schedule whose charter is gone would be refused at every tick."""
    for found in client.read_deployments(limit=200):
        steps = found.pull_steps or []
        folders = [step[DIRECTORY]["directory"] for step in steps if DIRECTORY in step]
        charter = found.parameters.get("charter")
        if TAG in found.tags and charter and folders and not Path(folders[0], charter).exists():
            client.delete_resource_owned_automations(f"prefect.deployment.{found.id}")
            client.delete_deployment(found.id)


def _watch_hearts(client: SyncPrefectClient) -> None:
    """A run whose process was killed with its worker says nothing any more; call it crashed.

    Not for `perennial up`: a laptop that slept would wake to runs that count as dead.
    """
    if not client.read_automations_by_name(HEARTS):
        client.create_automation(
            AutomationCore(
                name=HEARTS,
                description=f"A run that has not shown a sign of life for {PATIENCE} heartbeats.",
                trigger=EventTrigger(
                    after={BEAT},
                    expect={BEAT, *(f"prefect.flow-run.{end}" for end in ENDS)},
                    match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
                    for_each={"prefect.resource.id"},
                    posture=Posture.Proactive,
                    threshold=1,
                    within=timedelta(
                        seconds=PATIENCE * float(RUNS["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
                    ),
                ),
                actions=[
                    ChangeFlowRunState(
                        state=StateType.CRASHED, message="It shows no sign of life any more."
                    )
                ],
            )
        )


def main() -> None:
    """Apply every charter of `configs/`."""
    charters = sorted(Path("configs").glob("*.yaml"))
    made = [one for path in charters for one in of(path, load(path))]
    with get_client(sync_client=True) as client:
        apply(client, made, Path.cwd())
        _watch_hearts(client)
    print(f"{len(made)} deployments of {len(charters)} charters")


if __name__ == "__main__":
    main()
