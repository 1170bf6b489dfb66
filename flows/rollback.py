"""The previous release goes live again."""

from __future__ import annotations

from prefect import flow

from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, Reason, ReleaseNumber
from tasks.rollback import RolledBack


@flow(name="rollback", persist_result=True, result_serializer="json")
def rollback(
    charter: CharterFile, to: ReleaseNumber = None, reason: Reason = "asked"
) -> RolledBack:
    """Bring back the release that was live before, or the one named.

    No request fails meanwhile, and a retrain does not promote the same model again.
    """
    return show(steps.rollback(load(charter), to, reason))
