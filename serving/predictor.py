"""The answer of a bundle: ONNX Runtime on one thread, and the decision on top."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from charter import Refusal
from serving.bundle import REMEDY, Manifest, load
from serving.packing import Packed
from serving.signature import Decision, Signature

ROWS = 256
"""Rows of one run: bounds what lies between nodes (neighbours hold rows x training rows)."""


@dataclass(frozen=True)
class Answers:
    """One answer per row."""

    probabilities: np.ndarray | None = None
    """float64, shape (rows, classes), in the order of the signature."""
    values: np.ndarray | None = None
    """float64, shape (rows,)."""
    labels: list[str] | None = None
    """The class decided for."""


class Predictor:
    """A verified bundle, ready to answer; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        artifact = load(folder)
        self.signature: Signature = artifact.signature
        self.decision: Decision = artifact.decision
        self.manifest: Manifest = artifact.manifest
        self._session = session(artifact.model, f"bundle {folder}")
        self._weights = weights(artifact.signature, artifact.decision)
        self._names = {entry.name for entry in self._session.get_inputs()}

    def predict(self, packed: Packed) -> Answers:
        """Answers for packed rows; memory is bounded, whatever their number."""
        if len(packed) <= ROWS:
            found = self._run(packed)
        else:
            parts = [self._run(packed[i : i + ROWS]) for i in range(0, len(packed), ROWS)]
            found = np.concatenate(parts)
        if self.signature.task == "regression":
            return Answers(values=found.reshape(len(packed)))
        return Answers(probabilities=found, labels=self.decide(found))

    def decide(self, probabilities: np.ndarray) -> list[str]:
        """The labels that the decision gives, in the order of the rows."""
        classes = self.signature.classes
        if self.decision.threshold is not None:
            return [classes[p >= self.decision.threshold] for p in probabilities[:, 1].tolist()]
        best = np.argmax(probabilities * self._weights, axis=1)
        return [classes[i] for i in best.tolist()]

    def _run(self, packed: Packed) -> np.ndarray:
        feed = {}
        if "numbers" in self._names:
            feed["numbers"] = packed.numbers
        if "texts" in self._names:
            feed["texts"] = packed.texts
        found: np.ndarray = self._session.run(None, feed)[0].astype(np.float64, copy=False)
        return found


def session(model: bytes, where: str) -> ort.InferenceSession:
    """One intra-op thread: a row takes microseconds, threads would only wait for each other."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exception types are not public
        found = f"found a graph that does not load ({str(error)[:120]})"
        raise Refusal(where, found, "wanted an ONNX model", REMEDY) from None


def weights(signature: Signature, decision: Decision) -> np.ndarray:
    """One weight per class, 1 where the decision gives none."""
    return np.asarray(decision.weights or (1.0,) * len(signature.classes))
