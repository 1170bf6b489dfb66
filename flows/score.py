"""Predictions for a file."""

from __future__ import annotations

from prefect import flow

from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, InputFile, OutputFile, Overrides
from tasks.score import Scored


@flow(name="score", persist_result=True, result_serializer="json")
def score(
    charter: CharterFile, input: InputFile, output: OutputFile, overrides: Overrides = ()
) -> Scored:
    """Score every row of the input with the live release."""
    return show(steps.score(load(charter, overrides), input, output))
