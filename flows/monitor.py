"""A look at what happens at run time."""

from __future__ import annotations

from typing import Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import deployment
from prefect.states import Completed

from charter.load import load
from flows import alarms, steps
from flows.artifacts import show
from flows.parameters import CharterFile, Now, Overrides
from serving import releases
from serving.home import home
from tasks.monitor import Watched


@flow(name="monitor", persist_result=True, result_serializer="json")
def monitor(charter: CharterFile, overrides: Overrides = (), now: Now = None) -> Watched:
    """Compare the newest rows with those that the live release was made with.

    Looks at drift, performance, age and the service, and changes nothing. What crosses a limit of
    the charter becomes the event `perennial.alarm`, which starts a retrain with the reason.
    A run of the deployment ends `Skipped` where nothing is live yet, which a person is told as a
    Refusal.
    """
    words = load(charter, overrides)
    if deployment.id and releases.live(home() / "releases" / words.name) is None:
        ended: State[Any] = Completed(
            name="Skipped", message=f"{words.name}: no release is live yet"
        )
        return cast(Watched, ended)  # Prefect ends the run in this state
    watched = show(steps.monitor(words, now))
    alarms.tell(watched, charter)
    return watched
