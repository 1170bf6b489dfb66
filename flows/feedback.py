"""What turned out to be true, from a file into the journal."""

from __future__ import annotations

from prefect import flow

from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, InputFile, Overrides
from flows.unlock import unlocked
from tasks.feedback import Fed


@flow(name="feedback", persist_result=True, result_serializer="json")
def feedback(charter: CharterFile, input: InputFile, overrides: Overrides = ()) -> Fed:
    """Enter the outcomes of a file: of predictions by id, or whole rows with their target."""
    return show(steps.feedback(unlocked(load(charter, overrides)), input))
