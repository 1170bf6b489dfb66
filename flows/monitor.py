"""A look at what happens at run time."""

from __future__ import annotations

from prefect import flow

from charter.load import load
from flows import alarms, steps
from flows.artifacts import show
from flows.parameters import CharterFile, Now, Overrides
from tasks.monitor import Watched


@flow(name="monitor", persist_result=True, result_serializer="json")
def monitor(charter: CharterFile, overrides: Overrides = (), now: Now = None) -> Watched:
    """Compare the newest rows with those that the live release was made with.

    Looks at drift, performance, age and the service, and changes nothing. What crosses a limit of
    the charter becomes the event `perennial.alarm`, which starts a retrain with the reason.
    """
    watched = show(steps.monitor(load(charter, overrides), now))
    alarms.tell(watched, charter)
    return watched
