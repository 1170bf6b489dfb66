"""Small bundles with a hand-written graph, for tests of what serves them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from serving.bundle import MANIFEST, Manifest, sha256
from serving.signature import Decision, Input, Signature
from tasks.graph.writer import Block, Writer

CLASSES = {2: ("no", "yes"), 3: ("a", "b", "c")}


def softmax(classes: int) -> bytes:
    """Probabilities from the number `x`: the softmax of x, 2x, 3x …, missing counting as 0."""
    writer = Writer()
    raw = Block(writer, "numbers", 1)
    zero = writer.constant(0.0)
    filled = writer.add("Where", raw.apply("IsNaN"), zero, raw, width=1)
    scores = filled @ np.arange(1.0, classes + 1)[None, :]
    given = helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["rows", 1])
    output = helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["rows", classes])
    last = scores.apply("Softmax", axis=1)
    content: bytes = writer.model([given], output, last).SerializeToString(deterministic=True)
    return content


def doubled() -> bytes:
    """The value 2x."""
    writer = Writer()
    flat = writer.add(
        "Reshape", Block(writer, "numbers", 1) * 2.0, writer.constant([-1], np.int64), width=1
    )
    given = helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["rows", 1])
    output = helper.make_tensor_value_info("value", TensorProto.DOUBLE, ["rows"])
    content: bytes = writer.model([given], output, flat).SerializeToString(deterministic=True)
    return content


def signature(classes: int) -> Signature:
    return Signature(
        project="toy",
        target="y",
        task={0: "regression", 2: "binary"}.get(classes, "multiclass"),
        inputs=(Input(name="x", kind="number"),),
        classes=CLASSES.get(classes, ()),
    )


def write(folder: Path, classes: int = 2, decision: Decision | None = None) -> Path:
    """A signed bundle: a regression for 0 classes."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(softmax(classes) if classes else doubled())
    (folder / "signature.json").write_text(signature(classes).model_dump_json())
    (folder / "decision.json").write_text((decision or Decision()).model_dump_json())
    sign(folder)
    return folder


def sign(folder: Path) -> None:
    """The manifest of what is there."""
    names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
    manifest = Manifest(
        project="toy", fingerprint="f" * 64, created=datetime.now(UTC),
        files={name: sha256((folder / name).read_bytes()) for name in names},
    )  # fmt: skip
    (folder / MANIFEST).write_text(manifest.model_dump_json())
