"""The deployments of `flows/deployments.py` brought to a server, without a file in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentTriggerTypes
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema
from pydantic import TypeAdapter

from flows.deployments import POOL, TAG

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

DIRECTORY = "prefect.deployments.steps.set_working_directory"
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
