"""What a server that is only now started finds: runs that were cut off, and schedules missed.

Nobody works for a server before it runs, so what it holds as running was killed with the last one.
Prefect would leave such a run running for ever and its place taken, and would make up for every
tick of a schedule that was missed, one run after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Crashed, Scheduled

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

TRIES = 3
"""A run that was cut off goes on so many times; it may be what brings the machine down."""
CUT_OFF = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
BY_SCHEDULE = "auto-scheduled"
"""The tag that the server gives to the runs of a schedule."""
PAGE = 200


def settle(client: SyncPrefectClient, before: datetime) -> int:
    """Let what was cut off go on, and make up for one missed tick each; the runs that go on.

    `before` is when the server was started: what has begun since is at work.
    """
    cut_off = [run for run in _runs(client, CUT_OFF) if run.state and run.state.timestamp < before]
    again = sum(_settle(client, run) for run in cut_off)
    for run in _missed(client):
        client.delete_flow_run(run.id)
    _free_places(client)
    return again


def _settle(client: SyncPrefectClient, run: FlowRun) -> bool:
    state = _state(run)
    client.set_flow_run_state(run.id, state, force=True)
    return state.type == StateType.SCHEDULED


def _state(run: FlowRun) -> State[None]:
    if run.state_type == StateType.CANCELLING:
        return Cancelled(message="It was cut off while it was being cancelled.")
    if run.deployment_id is not None and run.run_count < TRIES:
        return Scheduled(name="Resuming", message="It was cut off, and goes on.")
    return Crashed(message="It was cut off: the process that ran it is gone.")


def _missed(client: SyncPrefectClient) -> Iterator[FlowRun]:
    """Scheduled runs whose time is over, but for the newest of each deployment."""
    newest: dict[UUID, FlowRun] = {}
    for run in _runs(client, [StateType.SCHEDULED], before=datetime.now(UTC)):
        if run.deployment_id is None or BY_SCHEDULE not in run.tags:
            continue
        last = newest.get(run.deployment_id)
        older, newer = (run, last) if last and _due(last) > _due(run) else (last, run)
        newest[run.deployment_id] = newer
        if older:
            yield older


def _due(run: FlowRun) -> datetime:
    return run.expected_start_time or datetime.now(UTC)


def _runs(
    client: SyncPrefectClient, types: list[StateType], before: datetime | None = None
) -> list[FlowRun]:
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)),
        next_scheduled_start_time=FlowRunFilterNextScheduledStartTime(before_=before)
        if before
        else None,
    )
    found: list[FlowRun] = []
    while page := client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=len(found)):
        found += page
    return found


def _free_places(client: SyncPrefectClient) -> None:
    """The leases of the places of `concurrency_limit` went with the last server; their count stayed."""
    from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

    taken = (limit for limit in client.read_global_concurrency_limits(PAGE) if limit.active_slots)
    for limit in taken:
        free = GlobalConcurrencyLimitUpdate(active_slots=0)
        client.update_global_concurrency_limit(limit.name, free)
