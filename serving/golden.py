"""Golden rows: a few rows of a bundle with the answers that it must give wherever it runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import ValidationError

from charter import Frozen, Refusal
from serving.packing import pack_rows
from serving.predictor import Answers, Predictor

GOLDEN = "golden.json"
TOLERANCE = 1e-5


class Golden(Frozen):
    """The content of `golden.json`: rows as a client sends them, and one answer for each."""

    rows: tuple[dict[str, str | float | bool | None], ...]
    labels: tuple[str, ...] = ()
    probabilities: tuple[tuple[float, ...], ...] = ()
    """Per row, in the order of the signature's classes."""
    values: tuple[float, ...] = ()


def golden(folder: Path) -> Golden:
    """The golden rows of a bundle."""
    try:
        return Golden.model_validate_json((folder / GOLDEN).read_bytes())
    except (OSError, ValidationError) as error:
        raise Refusal(
            str(folder / GOLDEN),
            f"found no golden rows ({str(error).splitlines()[0]})",
            "wanted rows with the answers that the model must give",
            "Package the model anew with `perennial train`.",
        ) from error


def difference(wanted: Golden, answers: Answers) -> float:
    """The largest difference: of probabilities, or of values relative to max(1, |value|)."""
    if answers.values is not None:
        right = np.asarray(wanted.values)
        return _largest((answers.values - right) / np.maximum(1.0, np.abs(right)))
    if answers.probabilities is None or not wanted.rows:
        return 0.0
    return _largest(answers.probabilities - np.asarray(wanted.probabilities))


def prove(predictor: Predictor, wanted: Golden, where: str) -> None:
    """Refuse a model that does not give its golden answers here."""
    answers = predictor.predict(pack_rows(predictor.signature, wanted.rows))
    worst = difference(wanted, answers)
    others = sum(a != b for a, b in zip(answers.labels or (), wanted.labels, strict=True))
    if not worst <= TOLERANCE or others:
        raise Refusal(
            where,
            f"found golden answers off by {worst:.2g} with {others} other classes",
            f"wanted at most {TOLERANCE:g} and the same classes",
            "Package the model anew on a machine with the same ONNX Runtime.",
        )


def _largest(differences: np.ndarray) -> float:
    return float(np.max(np.abs(differences), initial=0.0))
