"""From a fitted pipeline to a checked model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

import tasks.graph.blended
import tasks.graph.logged
import tasks.graph.mitigated
import tasks.graph.neighbours
import tasks.graph.oddness
import tasks.graph.rules
import tasks.graph.trees  # noqa: F401  (registers its estimators)
from serving.signature import Signature
from tasks.graph.estimators import estimate
from tasks.graph.preparation import Raw, prepare, unwritable
from tasks.graph.writer import Block, Writer


def convert(pipeline: Any, signature: Signature) -> onnx.ModelProto:
    """The graph of a fitted pipeline with the steps `prepare` and `model`.

    The same pipeline gives the same bytes. Raises a Refusal for a step that has no counterpart.
    """
    writer = Writer()
    raw = Raw(_places(signature.numbers), _places(signature.texts), writer)
    found = estimate(pipeline.named_steps["model"], prepare(pipeline.named_steps["prepare"], raw))
    if signature.task == "regression":
        flat = writer.add("Reshape", found, writer.constant([-1], np.int64), width=1)
        output = helper.make_tensor_value_info("value", TensorProto.DOUBLE, ["rows"])
        model = writer.model(_inputs(signature), output, flat)
    else:
        every = _every_class(pipeline.named_steps["model"], found, len(signature.classes))
        width = len(signature.classes)
        output = helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["rows", width])
        model = writer.model(_inputs(signature), output, every)
    helper.set_model_props(model, _properties(signature))
    onnx.checker.check_model(model)
    return model


def _places(names: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _inputs(signature: Signature) -> list[onnx.ValueInfoProto]:
    entries = (
        ("numbers", TensorProto.DOUBLE, signature.numbers),
        ("texts", TensorProto.STRING, signature.texts),
    )
    return [
        helper.make_tensor_value_info(name, kind, ["rows", len(columns)])
        for name, kind, columns in entries
        if columns
    ]


def _every_class(model: Any, found: Block, classes: int) -> Block:
    """A column for each class of the signature, 0 for those that were not seen in the fit."""
    seen = [int(label) for label in model.classes_]
    if seen == list(range(classes)):
        return found
    if not set(seen) <= set(range(classes)):
        raise unwritable(f"classes {seen}", f"positions of the signature's {classes} classes")
    spread = np.zeros((len(seen), classes))
    spread[np.arange(len(seen)), seen] = 1.0
    return found @ spread


def _properties(signature: Signature) -> dict[str, str]:
    return {
        "project": signature.project,
        "target": signature.target,
        "task": signature.task,
        "classes": json.dumps(signature.classes),
        "numbers": json.dumps(signature.numbers),
        "texts": json.dumps(signature.texts),
    }
