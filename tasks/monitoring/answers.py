"""Answers as columns that can be compared like inputs."""

from __future__ import annotations

import numpy as np

from serving.signature import Decision, Signature
from tasks.metrics import answers


def answered(signature: Signature, decision: Decision, found: np.ndarray) -> dict[str, np.ndarray]:
    """The probability of the positive class; of more classes the answer and how sure it is; the
    predicted value. `found`: probabilities (rows, classes) or values (rows,)."""
    if signature.task == "regression":
        return {f"predicted {signature.target}": found}
    if signature.task == "binary":
        return {f"probability of {signature.classes[1]}": found[:, 1]}
    labels = np.array(signature.classes, dtype=object)[answers(found, decision)]
    return {"answer": labels, "probability of the likeliest": found.max(axis=1)}
