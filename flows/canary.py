"""A look at the release that is tried on a share of the traffic."""

from __future__ import annotations

from prefect import flow

from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, Now, Overrides
from tasks.decide import Decided


@flow(name="canary", persist_result=True, result_serializer="json")
def canary(charter: CharterFile, overrides: Overrides = (), now: Now = None) -> Decided:
    """Promote or withdraw what is tried beside the live release, where the traffic so far is clear.

    Both answer every row whose truth has come in; errors and latency count at once. Waits for no
    training, and changes nothing where no canary is tried.
    """
    return show(steps.decide(load(charter, overrides), now))
