"""A server that starts again: what was cut off goes on, missed ticks do not pile up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State

NOW = datetime.now(UTC)


@pytest.fixture
def client(prefect: None) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def deployment(client: SyncPrefectClient) -> UUID:
    """One that allows one run at a time."""
    flow = client.create_flow_from_name("left over")
    return client.create_deployment(flow, f"left-over-{uuid4()}", concurrency_limit=1)


def _run(client: SyncPrefectClient, deployment: UUID, state: Any) -> UUID:
    run = client.create_flow_run_from_deployment(deployment)
    client.set_flow_run_state(run.id, state, force=True)
    return run.id


def test_a_run_that_was_cut_off_goes_on_and_its_place_is_free(
    client: SyncPrefectClient, deployment: UUID
) -> None:
    from prefect.client.schemas.objects import StateType
    from prefect.states import Pending, Running

    from flows.leftovers import settle

    run = client.create_flow_run_from_deployment(deployment).id
    client.set_flow_run_state(run, Pending())  # takes the only place
    client.set_flow_run_state(run, Running(), force=True)
    assert client.read_deployment(deployment).global_concurrency_limit.active_slots == 1  # type: ignore[union-attr]
    assert settle(client, datetime.now(UTC)) == 1
    found = client.read_flow_run(run)
    assert (found.state_type, found.state_name) == (StateType.SCHEDULED, "Resuming")
    assert client.read_deployment(deployment).global_concurrency_limit.active_slots == 0  # type: ignore[union-attr]
    assert settle(client, datetime.now(UTC)) == 0


def test_a_run_that_was_being_cancelled_is_and_one_that_nobody_deployed_has_crashed(
    client: SyncPrefectClient, deployment: UUID
) -> None:
    from prefect import flow
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelling, Running

    from flows.leftovers import settle

    cancelled = _run(client, deployment, Running())
    client.set_flow_run_state(cancelled, Cancelling(), force=True)
    by_hand = client.create_flow_run(flow(print), state=Running()).id
    assert settle(client, datetime.now(UTC)) == 0
    assert client.read_flow_run(cancelled).state_type == StateType.CANCELLED
    assert client.read_flow_run(by_hand).state_type == StateType.CRASHED


def test_a_run_that_is_cut_off_every_time_does_not_go_on_for_ever(
    client: SyncPrefectClient, deployment: UUID
) -> None:
    from prefect.client.schemas.objects import StateType
    from prefect.states import Running

    from flows.leftovers import TRIES, settle

    run = _run(client, deployment, Running())
    for _ in range(TRIES - 1):
        assert settle(client, datetime.now(UTC)) == 1
        client.set_flow_run_state(run, Running(), force=True)
    assert settle(client, datetime.now(UTC)) == 0
    assert client.read_flow_run(run).state_type == StateType.CRASHED


def test_of_missed_ticks_only_the_newest_is_made_up_for(
    client: SyncPrefectClient, deployment: UUID
) -> None:
    from prefect.states import Scheduled

    from flows.leftovers import settle

    asked = _run(client, deployment, Scheduled(scheduled_time=NOW - timedelta(hours=3)))
    missed = [_tick(client, deployment, NOW - timedelta(hours=hours)) for hours in (2, 5, 1, 4)]
    to_come = _tick(client, deployment, NOW + timedelta(hours=1))
    settle(client, datetime.now(UTC))
    left = {run.id for run in client.read_flow_runs()}
    assert {asked, missed[2], to_come} <= left
    assert not {missed[0], missed[1], missed[3]} & left


def _tick(client: SyncPrefectClient, deployment: UUID, when: datetime) -> UUID:
    """A run as the server's scheduler makes it."""
    from prefect.states import Scheduled

    from flows.leftovers import BY_SCHEDULE

    state: State[None] = Scheduled(scheduled_time=when)
    return client.create_flow_run_from_deployment(deployment, state=state, tags=[BY_SCHEDULE]).id
