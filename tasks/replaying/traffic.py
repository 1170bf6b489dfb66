"""From rows of a day to what clients send, and from what they hear to numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Refusal
from serving.predictor import Answers
from serving.signature import Signature
from tasks.replaying.clients import Request
from tasks.replaying.later import midnight
from tasks.replaying.outcomes import Truth
from tasks.splitting.labels import labelled, positions

TOGETHER = 8  # rows of one request on average; some ask about one, some about many
DECIDED = frozenset({"accuracy", "balanced_accuracy", "f1", "cost"})
"""Metrics that judge the class that was answered, not the probabilities."""


def questions(
    rows: pa.Table, fields: Sequence[str], time: str, random: np.random.Generator
) -> Iterator[Request]:
    """The rows as requests, in their order: alone or together with others of the same moment."""
    bodies = rows.select([name for name in fields if name in rows.column_names]).to_pylist()
    moments: list[datetime] = [midnight(moment) for moment in rows.column(time).to_pylist()]
    start = 0
    while start < len(bodies):
        end = start + 1
        most = start + int(random.geometric(1 / TOGETHER))
        while end < min(most, len(bodies)) and moments[end] == moments[start]:
            end += 1
        yield Request("/predict", moments[start], bodies[start:end])
        start = end


def truths(signature: Signature, rows: pa.Table) -> tuple[np.ndarray, list[Truth | None]]:
    """What turned out: as numbers (class positions or values, NaN unknown), and as clients say it."""
    column = rows.column(signature.target)
    known = labelled(column)
    found = np.full(len(rows), np.nan)
    if signature.task == "regression":
        found[known] = column.cast(pa.float64()).to_numpy()[known]
        return found, [
            value if sure else None for value, sure in zip(found.tolist(), known, strict=True)
        ]
    try:
        found[known] = positions(pc.filter(column, pa.array(known)), signature.classes)
    except ValueError as stranger:
        raise Refusal(
            f"replay, column {signature.target}", f"found that {stranger}",
            "wanted the classes of the first release",
            "Train again on rows that have every class, or replay fewer days.",
        ) from None  # fmt: skip
    said: list[Truth | None] = [
        None if np.isnan(place) else signature.classes[int(place)] for place in found
    ]
    return found, said


def heard(signature: Signature, metric: str, answers: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The service's answers as the metric takes them: values, or shape (rows, classes)."""
    if signature.task == "regression":
        return np.asarray([answer["prediction"] for answer in answers], dtype=np.float64)
    if metric in DECIDED:
        return _decided(signature, [str(answer["prediction"]) for answer in answers])
    return np.asarray(
        [
            [answer["probabilities"].get(label, 0.0) for label in signature.classes]
            for answer in answers
        ]
    )


def answered(signature: Signature, metric: str, answers: Answers) -> np.ndarray:
    """The same of answers that were not asked for over HTTP."""
    if answers.values is not None:
        return answers.values
    assert answers.probabilities is not None
    assert answers.labels is not None
    return _decided(signature, answers.labels) if metric in DECIDED else answers.probabilities


def _decided(signature: Signature, labels: Sequence[str]) -> np.ndarray:
    """All probability on the class that was answered."""
    places = [signature.classes.index(label) for label in labels]
    return np.eye(len(signature.classes))[places]
